import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Models that are billed by characters, through the whole door.
@Suite struct CharacterTests {
    private static let prices = Prices(
        PriceTable(
            ["meta.llama-3.3-70b-instruct", "cohere.command-a-03-2025", "up/m"].map {
                PriceTable.Entry(
                    name: $0, price: .characters(input: 180_000, output: 180_000), origin: .configuration, source: "")
            } + [
                PriceTable.Entry(
                    name: "cohere.embed-v4.0", price: .characters(input: 100_000, output: 0), origin: .configuration,
                    source: "")
            ]))

    private struct Bench {
        let ledger = KeptLedger()
        let door: FrontDoor

        init(_ transport: FakeTransport, limits: KeyLimits? = nil) throws {
            let time = ManualTime()
            var key = ClientKey.fixture
            if let limits { key.limits = limits }
            door = try FrontDoor.fixture(
                over: try Router.fixture(transport, time: time.source), time: time.source, keys: [key], ledger: ledger,
                prices: prices)
        }
    }

    private static let usage = #""usage":{"promptTokens":10,"completionTokens":20,"totalTokens":30}"#
    private static let llama =
        #"{"modelId":"m","modelVersion":"1","chatResponse":{"apiFormat":"GENERIC","timeCreated":"2026-01-01T00:00:00Z","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"añ😀"}],"toolCalls":[{"id":"1","type":"FUNCTION","name":"go","arguments":"{\"a\":1}"}]},"finishReason":"tool_calls"}],\#(usage)}}"#
    private static let events = [
        #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"añ"}]},"pad":"aaaa"}"#,
        #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\ud83d\ude00"}]}}"#,
        #"{"index":0,"finishReason":"stop"}"#, "{\(usage)}",
    ]
    private static let body =
        #"{"model":"llama-3.3-70b","STREAM""messages":[{"role":"system","content":"12345"},{"role":"user","content":"héllo"}]}"#

    private static func expect(_ row: LedgerEntry, _ charactersIn: Int64, _ charactersOut: Int64) {
        #expect(row.usage.charactersIn == charactersIn)
        #expect(row.usage.charactersOut == charactersOut)
        #expect(row.attempts.first?.usage.charactersIn == charactersIn)
        #expect(row.usage.truth == .estimated)
        #expect(row.usage.prompt == 10)
        #expect(row.cost == (charactersIn + charactersOut) * 180)
        #expect(row.chargedCost == row.cost)
    }

    @Test func `A whole answer is billed by what was sent and what came`() async throws {
        let bench = try Bench(FakeTransport(body: Self.llama))
        #expect(
            try await bench.door.answer(toChat: Self.body.replacing(#""STREAM""#, with: "")).status == 200)
        Self.expect(try #require(bench.ledger.entries.first), 10, 3 + 2 + 7)
    }

    @Test(arguments: [
        "/v1/messages", "/v1/chat/completions",
    ])
    func `So is a stream, in every language`(path: String) async throws {
        let bench = try Bench(FakeTransport { _ in .stream(Self.events) })
        let answer = try await bench.door.answer(
            .POST, path, Self.body.replacing(#""STREAM""#, with: #""stream":true,"max_tokens":100,"#))
        #expect(answer.status == 200, "\(answer.body)")
        Self.expect(try #require(bench.ledger.entries.first), 10, 3)
    }

    @Test func `Forced to be whole, a stream costs the same`() async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.forcesNonStreaming = true
        let (time, ledger) = (ManualTime(), KeptLedger())
        let door = try FrontDoor.fixture(
            over: try Router.fixture(FakeTransport(body: Self.llama), time: time.source), time: time.source,
            limits: limits, ledger: ledger, prices: Self.prices)
        #expect(
            try await door.answer(toChat: Self.body.replacing(#""STREAM""#, with: #""stream":true,"#)).status == 200)
        Self.expect(try #require(ledger.entries.first), 10, 3 + 2 + 7)
    }

    @Test(arguments: [true, false])
    func `A provider's answer is measured too`(isStreaming: Bool) async throws {
        let usage = #""usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}"#
        let bench = try ProviderBench(prices: Self.prices) { _ in
            guard isStreaming else {
                return .json(
                    200,
                    #"{"choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"12","content":"añ😀","tool_calls":[{"id":"1","type":"function","function":{"name":"go","arguments":"{}"}}]},"finish_reason":"tool_calls"}],\#(usage)}"#
                )
            }
            return .stream([
                #"{"choices":[{"index":0,"delta":{"reasoning_content":"12"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"añ\ud83d"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"\ude00"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"go","arguments":"{}"}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, #"{"choices":[],\#(usage)}"#,
                "[DONE]",
            ])
        }
        let body = #"{"model":"up/m","stream":\#(isStreaming),"messages":[{"role":"user","content":"1234567890"}]}"#
        #expect(try await bench.door.answer(toChat: body).status == 200)
        Self.expect(try #require(bench.ledger.entries.first), 10, 2 + 3 + 2 + 2)
    }

    @Test func `A budget of money reserves by characters, and is charged by them`() async throws {
        var limits = KeyLimits()
        limits.role = .admin
        limits.hardBudgets = [Budget(.money(22 * 180), per: .day)]
        let bench = try Bench(FakeTransport(body: Self.llama), limits: limits)
        let body = Self.body.replacing(#""STREAM""#, with: #""max_tokens":1,"#)
        #expect(try await bench.door.answer(toChat: body).status == 200)
        #expect(try await bench.door.answer(.GET, "/v1/usage").body.contains(#""spent":3960,"reserved":0"#))
        #expect(try await bench.door.answer(toChat: body).status == 429)
    }

    @Test func `A model that is billed by tokens has no characters`() async throws {
        let bench = try Bench(FakeTransport(body: Self.llama))
        #expect(
            try await bench.door.answer(
                toChat: Self.body.replacing(#""STREAM""#, with: "").replacing("llama-3.3-70b", with: "grok-4")
            ).status == 200)
        let row = try #require(bench.ledger.entries.first)
        #expect(row.usage.charactersIn == nil && row.usage.charactersOut == nil)
        #expect(row.usage.truth == .reported)
    }

    @Test func `Each batch of texts is charged for its own`() async throws {
        let bench = try Bench(
            FakeTransport { request in
                let body = request.body.map { Array($0.readableBytesView) } ?? []
                let count = try JSONDocument(parsing: body).root.elements(of: "inputs").count
                let vectors = Array(repeating: "[0.5]", count: count).joined(separator: ",")
                return .json(200, #"{"id":"1","modelId":"m","embeddings":[\#(vectors)]}"#)
            })
        let texts = (0..<200).map { _ in #""añbcdefg""# }.joined(separator: ",")
        let answer = try await bench.door.answer(
            .POST, "/v1/embeddings", #"{"model":"cohere.embed-v4.0","input":[\#(texts)]}"#)
        #expect(answer.status == 200, "\(answer.body)")
        let row = try #require(bench.ledger.entries.first)
        #expect(row.attempts.count > 1)
        #expect(row.attempts.allSatisfy { ($0.usage.charactersIn ?? 0) < 1600 })
        #expect(row.usage.charactersIn == 1600)
        #expect(row.usage.charactersOut == 0)
        // Nine bytes each, and no vector is a token.
        #expect((400...600).contains(row.usage.prompt ?? 0))
        #expect(row.usage.completion == 0)
        #expect(row.cost == 160_000)
    }
}
