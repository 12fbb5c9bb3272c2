import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

/// What either Cohere dialect may write that no fixture shows: none of it may crash the process or be passed off as a whole
/// answer.
@Suite struct CohereOdditiesTests {
    /// A dialect with an event that says "a" and one that ends the answer.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let dialect: Dialect
        let text: String
        let stop: String
    }

    static let dialects = [
        Case(
            testDescription: "COHERE", dialect: CohereStreamTests.dialect, text: #"{"text":"a"}"#,
            stop: #"{"text":"a","finishReason":"COMPLETE"}"#),
        Case(
            testDescription: "COHEREV2", dialect: .cohereV2, text: #"{"message":{"content":[{"text":"a"}]}}"#,
            stop: #"{"finishReason":"COMPLETE"}"#),
    ]

    private func run(_ dialect: Case, _ events: String...) throws -> StreamRun {
        let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]], of: dialect.dialect)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        return run
    }

    @Test(arguments: dialects)
    func `An answer without its end is not whole`(dialect: Case) throws {
        for run in [
            try run(dialect), try run(dialect, dialect.text), try run(dialect, "{}"),
            try run(dialect, dialect.text, "{broken", "[DONE]"),
        ] {
            #expect(run.error?.code == "upstream_stream_incomplete")
            #expect(try !run.chunks().done)
        }
    }

    @Test(arguments: dialects)
    func `A broken event is passed over when the answer ends well`(dialect: Case) throws {
        for junk in ["{\"text\":\"b", "[1]", "7", "\"text\"", "null", "{\"finishReason\":\"COMPL"] {
            let run = try run(dialect, dialect.text, junk, dialect.stop)
            #expect(run.error == nil && run.unreadable == 1)
            #expect(try run.chunks().done)
        }
    }

    @Test(arguments: dialects)
    func `What nobody knows is passed over`(dialect: Case) throws {
        let run = try run(
            dialect, "{}", #"{"eventType":"stream-start","generationId":"x"}"#,
            #"{"text":null,"message":null,"toolCalls":null,"finishReason":null,"error":null,"code":null}"#,
            #"{"message":{"content":"x","toolCalls":{}},"toolCalls":7,"usage":[]}"#,
            #"{"message":[],"finishReason":""}"#, dialect.text, #"{"finishReason":7}"#,
            dialect.stop)
        #expect(run.error == nil && run.unreadable == 0)
        #expect(try run.deltas().compactMap { $0["content"] as? String } == ["", "a"])
    }

    @Test(arguments: dialects)
    func `A stream that says nothing is a failure and leaves no trace`(dialect: Case) throws {
        for events in [
            [#"{"finishReason":"COMPLETE"}"#],
            [#"{"text":"","message":{"content":[]}}"#, #"{"finishReason":"TOOL_CALL"}"#], ["[DONE]"],
        ] {
            let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]], of: dialect.dialect)
            #expect(run.error?.code == "upstream_empty_answer")
            #expect(try run.chunks().chunks.count == 1)
        }
    }

    @Test(
        arguments: dialects,
        [
            ("MAX_TOKENS", "length"), ("ERROR_LIMIT", "length"), ("ERROR_TOXIC", "content_filter"),
            ("SAFETY", "content_filter"), ("SOMETHING_NEW", "content_filter"),
        ])
    func `An empty answer may say why it is empty`(dialect: Case, reason: (String, String)) throws {
        let run = try run(dialect, #"{"finishReason":"\#(reason.0)"}"#)
        #expect(
            run.error == nil && String(decoding: run.frames, as: UTF8.self).contains(#""finish_reason":"\#(reason.1)""#)
        )
    }

    @Test(
        arguments: dialects,
        [
            ("COMPLETE", "stop"), ("complete", "stop"), ("STOP_SEQUENCE", "stop"), ("USER_CANCEL", "stop"),
            ("SOMETHING_NEW", "stop"), ("MAX_TOKENS", "length"),
            ("TOOL_CALL", "tool_calls"),
        ])
    func `Reasons get their names`(dialect: Case, reason: (String, String)) throws {
        let run = try run(dialect, dialect.text, #"{"finishReason":"\#(reason.0)"}"#)
        #expect(
            run.error == nil && String(decoding: run.frames, as: UTF8.self).contains(#""finish_reason":"\#(reason.1)""#)
        )
    }

    @Test(
        arguments: dialects,
        [
            (#"{"finishReason":"ERROR"}"#, 502, "upstream_error"),
            (#"{"text":"all of it","finishReason":"error","errorMessage":""}"#, 502, "upstream_error"),
            (
                #"{"finishReason":"ERROR","errorMessage":"too many tokens: the limit is 128000 tokens"}"#, 400,
                "context_length_exceeded"
            ),
            (#"{"finishReason":"ERROR","errorMessage":"Too many requests"}"#, 429, "rate_limit_exceeded"),
            (#"{"code":"500","message":"boom"}"#, 502, "upstream_error"),
            (#"{"code":"429","message":"boom"}"#, 429, "rate_limit_exceeded"),
            (#"{"error":{"message":"boom"}}"#, 502, "upstream_error"), (#"{"message":"boom"}"#, 502, "upstream_error"),
        ])
    func `A failure means what it says and leaves no trace of its own`(dialect: Case, failure: (String, Int, String))
        throws
    {
        let alone = try run(dialect, failure.0)
        #expect(alone.error?.status == failure.1 && alone.error?.code == failure.2)
        #expect(try alone.chunks().chunks.count == 1)
        #expect(try run(dialect, dialect.text, failure.0).error == alone.error)
    }

    @Test(
        arguments: dialects,
        [
            #"{"promptTokens":-9000000000000000000,"totalTokens":9000000000000000000}"#, #"{"promptTokens":1e300}"#,
            "7", "[]",
        ])
    func `Impossible token counts are unknown`(dialect: Case, counts: String) throws {
        #expect(try run(dialect, dialect.text, #"{"finishReason":"COMPLETE","usage":\#(counts)}"#).usage == nil)
    }

    @Test(arguments: dialects, Fuzz.seeds(150))
    func `Mutated streams never crash and never give broken output`(dialect: Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let cases = CohereStreamTests.cases + CohereV2StreamTests.cases
        var bytes = Array((cases[Int(seed) % cases.count].object["oci_sse"] as? String ?? "").utf8)
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: index)
            default: bytes.insert(contentsOf: Array("\"{}[],:".utf8).shuffled(using: &random).prefix(2), at: index)
            }
        }
        let (chunks, done) = try StreamRun([bytes[...]], of: dialect.dialect).chunks()
        try ChunkRules.check(chunks, done: done)
    }
}
