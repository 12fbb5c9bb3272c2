import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What is reserved for bodies that somebody writes who would like to spend more than he may.
@Suite struct EstimateTests {
    /// What was reserved while the upstream was at work, in a budget without an end.
    private func reserved(_ path: String, _ body: String, dialects: Set<ProviderDialect>? = nil) async throws -> Int64 {
        var key = ClientKey.fixture
        key.limits.hardBudgets = [Budget(.tokens(1 << 50), per: .total)]
        let door = Mutex<FrontDoor?>(nil)
        let seen = Mutex("")
        let bench = try ProviderBench(key, dialects: dialects) { _ in
            let text = try await door.withLock { $0 }?.answer(.GET, "/v1/usage").body
            seen.withLock { $0 = text ?? "" }
            return .json(400, #"{"error":{"message":"no"}}"#)
        }
        door.withLock { $0 = bench.door }
        _ = try await bench.door.answer(.POST, path, body)
        let text = seen.withLock { $0 }
        let match = try #require(text.firstMatch(of: /"reserved":([0-9]+)/), "\(text)")
        return try #require(Int64(match.1))
    }

    @Test(arguments: [
        ("/v1/chat/completions", #""messages":[{"role":"user","content":"x"}]"#),
        ("/v1/messages", #""max_tokens":4000,"messages":[{"role":"user","content":"x"}]"#),
        ("/v1/responses", #""input":"x""#), ("/v1/completions", #""prompt":"x""#),
    ])
    func `Of several limits the highest is reserved, and what is none is passed over`(
        path: String, asked: String
    ) async throws {
        for (more, least) in [
            (#","max_tokens":5,"max_completion_tokens":50000"#, 50_000), (#","max_tokens":-1"#, 0),
            (#","max_tokens":9223372036854775807"#, 10_000_000), (#","n":9223372036854775807,"max_tokens":7"#, 7),
            (#","max_completion_tokens":1e300"#, 0), (#","max_output_tokens":60000"#, 60_000),
        ] where path == "/v1/chat/completions" || path == "/v1/responses" && more.contains("max_output_tokens") {
            let found = try await reserved(path, #"{"model":"up/m",\#(asked)\#(more)}"#)
            #expect((Int64(least)...Int64(10_000_000) * 128 + 100).contains(found), "\(path) \(more): \(found)")
        }
    }

    @Test func `Those of native requests are read, too`() async throws {
        #expect(
            try await reserved(
                "/v1/responses", #"{"model":"up/m","max_output_tokens":50000,"input":[{"type":"odd"}]}"#,
                dialects: [.responses]) >= 50_000)
    }

    @Test(arguments: [
        (#""prompt":["a","b","c"]"#, 300), (#""prompt":"a","best_of":5"#, 500),
        (#""prompt":["a","b"],"n":2,"best_of":3"#, 600),
        (#""prompt":[1,2,3,4]"#, 100), (#""prompt":[[1,2],[3,4]]"#, 200),
    ])
    func `A completion for each prompt, and each of those that are thrown away, is reserved`(
        asked: String, completion: Int64
    ) async throws {
        let body = #"{"model":"up/m","max_tokens":100,\#(asked)}"#
        let found = try await reserved("/v1/completions", body, dialects: [.completions])
        #expect((completion...completion + 100).contains(found), "\(found)")
    }

    @Test func `Numbers of tokens are one each`() async throws {
        let ids = Array(repeating: "1", count: 1000).joined(separator: ",")
        for input in ["[\(ids)]", "[[\(ids)]]"] {
            let found = try await reserved("/v1/embeddings", #"{"model":"up/m","input":\#(input)}"#)
            #expect((1000...1020).contains(found), "\(found)")
        }
    }

    /// What is made in the background would be told to whoever asks later, who is not charged.
    @Test(arguments: [#""background":true"#, #""background":false,"background":true"#, #""\u0062ackground":true"#])
    func `Who may not spend more is not answered in the background`(member: String) async throws {
        for isLimited in [true, false] {
            var key = ClientKey.fixture
            if isLimited { key.limits.hardBudgets = [Budget(.tokens(100_000), per: .total)] }
            let bench = try ProviderBench(key, dialects: [.responses]) { _ in
                .json(
                    200,
                    #"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#
                )
            }
            let body = #"{"model":"up/m","input":"x",\#(member)}"#
            #expect(try await bench.door.answer(.POST, "/v1/responses", body).status == 200)
            #expect(bench.sent(0).contains("true") == !isLimited, "\(bench.sent(0))")
            #expect(bench.ledger.entries.first?.chargedTokens == 3)
        }
    }
}
