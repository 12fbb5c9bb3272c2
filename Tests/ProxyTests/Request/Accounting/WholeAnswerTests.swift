import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Whole answers whose upstream does not tell their usage.
@Suite struct WholeAnswerTests {
    private static let text = String(repeating: "word ", count: 80)
    private static let paths = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/completions"]

    private static func body(_ path: String, isStreaming: Bool) -> String {
        let asked =
            switch path {
            case "/v1/responses": #""input":"x""#
            case "/v1/completions": #""prompt":"x""#
            default: #""max_tokens":900,"messages":[{"role":"user","content":"x"}]"#
            }
        return #"{"model":"up/m","stream":\#(isStreaming),\#(asked)}"#
    }

    /// Of a provider that speaks chat completions alone.
    private static func whole(_ usage: String = "") -> TransportResponse {
        .json(
            200,
            #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"logprobs":null,"finish_reason":"stop"}]\#(usage)}"#
        )
    }

    private static func stream() -> TransportResponse {
        .stream([
            #"{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"#,
            #"{"id":"x","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
        ])
    }

    /// By all the ways in which an answer may come: as it was asked for, and the one in place of the other.
    @Test(arguments: paths) func `A stream and a whole answer of one text are charged alike`(path: String) async throws
    {
        for (isStreaming, comesStreamed) in [(false, false), (true, true), (false, true), (true, false)] {
            let bench = try ProviderBench { _ in comesStreamed ? Self.stream() : Self.whole() }
            let answer = try await bench.door.answer(.POST, path, Self.body(path, isStreaming: isStreaming))
            #expect(answer.status == 200)
            let row = try #require(bench.ledger.entries.first)
            #expect(row.usage.truth == .estimated)
            #expect(row.usage.completion == 100, "\(path), \(isStreaming), \(comesStreamed)")
        }
    }

    @Test(
        arguments: [
            (
                "/v1/messages", ProviderDialect.messages,
                #"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"\#(text)"},{"type":"text","text":"\#(text)"},{"type":"tool_use","id":"t","name":"f","input":{"a":"\#(text)"}}],"stop_reason":"end_turn"}"#,
                303...303
            ),
            (
                "/v1/responses", .responses,
                #"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"\#(text)"}]},{"type":"message","content":[{"type":"output_text","text":"\#(text)"}]},{"type":"function_call","name":"f","arguments":"\#(text)"}]}"#,
                300...300
            ),
            (
                "/v1/completions", .completions,
                #"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"\#(text)","finish_reason":"stop"},{"index":1,"text":"\#(text)","finish_reason":"stop"}]}"#,
                200...200
            ),
        ])
    func `So are those that pass in their own language`(
        path: String, dialect: ProviderDialect, answer: String, tokens: ClosedRange<Int64>
    ) async throws {
        let bench = try ProviderBench(dialects: [dialect]) { _ in .json(200, answer) }
        #expect(try await bench.door.answer(.POST, path, Self.body(path, isStreaming: false)).status == 200)
        let completion = try #require(bench.ledger.entries.first?.usage.completion)
        #expect(tokens.contains(completion), "\(completion)")
    }

    @Test(arguments: paths) func `What an answer tells goes before its text`(path: String) async throws {
        let bench = try ProviderBench { _ in
            Self.whole(#","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#)
        }
        #expect(try await bench.door.answer(.POST, path, Self.body(path, isStreaming: false)).status == 200)
        let usage = try #require(bench.ledger.entries.first?.usage)
        #expect(usage.truth == .reported && usage.completion == 4)
    }

    @Test func `Nobody measures for whom nobody counts`() throws {
        let reader = ChatReader.passThrough(
            ChatCompletionsDialect(ChunkEnvelope(created: 1, model: "m"), includesUsage: false))
        let client = ChatCompletionsDialect(ChunkEnvelope(created: 1, model: "m"), includesUsage: false)
        let body = Array(
            #"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#
                .utf8)
        #expect(try reader.answer(body, of: "up", to: client).told == nil)
        #expect(try reader.answer(body, of: "up", to: client, meter: TextMeter()).told?.tokens == 1)
    }
}
