import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What an upstream may write that no fixture shows: none of it may crash the process or be passed off as a whole answer.
@Suite struct UpstreamOdditiesTests {
    private func run(_ events: String...) throws -> StreamRun {
        let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        return run
    }

    private let text = #"{"message":{"content":[{"text":"a"}]}}"#
    private let stop = #"{"finishReason":"stop"}"#

    @Test(
        arguments: [
            (#"{"promptTokens":-9000000000000000000,"totalTokens":9000000000000000000}"#, nil),
            (#"{"promptTokens":9000000000000000000,"completionTokens":9000000000000000000}"#, nil),
            (#"{"promptTokens":9223372036854775807,"totalTokens":5}"#, TokenUsage(prompt: 5, completion: 0, total: 5)),
            (
                #"{"promptTokens":3,"completionTokens":-1,"totalTokens":1e300}"#,
                TokenUsage(prompt: 3, completion: 0, total: 3)
            ),
            (#"{"promptTokens":9,"totalTokens":4}"#, TokenUsage(prompt: 9, completion: 0, total: 4)),
            (#"{"promptTokens":"7"}"#, nil),
            (
                #"{"promptTokens":3,"completionTokens":2,"totalTokens":5,"completionTokensDetails":{"reasoningTokens":-4},"promptTokensDetails":[]}"#,
                TokenUsage(prompt: 3, completion: 2, total: 5)
            ),
        ] as [(String, TokenUsage?)])
    func `Impossible token counts are unknown`(counts: String, usage: TokenUsage?) throws {
        #expect(try run(text, stop, #"{"usage":\#(counts)}"#, "[DONE]").usage == usage)
        let body =
            #"{"chatResponse":{"choices":[{"message":{"content":[{"text":"a"}]},"finishReason":"stop"}],"usage":\#(counts)}}"#
        #expect(
            try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m")).usage
                == usage)
    }

    @Test(arguments: ["\"\"", "null", "7", "{}"])
    func `A finish reason that is no word ends nothing`(reason: String) throws {
        let delta = #"{"message":{"content":[{"text":"a"}]},"finishReason":\#(reason)}"#
        let run = try run(delta, delta, stop, "[DONE]")
        #expect(run.error == nil)
        #expect(String(decoding: run.frames, as: UTF8.self).components(separatedBy: #""content":"a""#).count == 3)
    }

    @Test func `A reason that may have been lost is not made up`() throws {
        #expect(try run(text, #"{"finishReason":"leng"#, "[DONE]").error?.code == "upstream_stream_incomplete")
        #expect(try run(text, "{broken", stop, "[DONE]").error == nil)
        #expect(try run(text, "[DONE]").error == nil)
    }

    @Test(arguments: [
        (#"{"error":{"message":"boom","code":"x"}}"#, 502, "upstream_error"),
        (#"{"error":"boom"}"#, 502, "upstream_error"),
        (#"{"code":"500","message":"boom"}"#, 502, "upstream_error"),
        (#"{"code":"401","message":"boom"}"#, 502, "upstream_error"),
        (#"{"code":"InternalServerError","message":"boom"}"#, 502, "upstream_error"),
        (#"{"code":429,"message":"boom"}"#, 429, "rate_limit_exceeded"),
        (#"{"code":"429","message":"boom"}"#, 429, "rate_limit_exceeded"),
        (#"{"code":"404","message":"boom"}"#, 404, "model_not_found"),
        (
            #"{"code":"400","message":"{\"error\":{\"message\":\"boom\",\"code\":\"unsupported_value\"}}"}"#, 400,
            "unsupported_value"
        ),
        (#"{"code":"503","message":"boom"}"#, 503, "upstream_unavailable"),
    ])
    func `An error in place of an event means what it says`(event: String, status: Int, code: String) throws {
        for run in [try run(event), try run(text, event)] {
            #expect(run.error?.status == status && run.error?.code == code)
            #expect(run.error?.message.contains("boom") == true)
        }
    }

    @Test func `Probabilities of an event are told once`() throws {
        let run = try run(
            #"{"message":{"content":[{"text":"a"},{"text":"b"}]},"logprobs":{"tokens":["a","b"],"tokenLogprobs":[-1,-2]}}"#,
            stop)
        #expect(String(decoding: run.frames, as: UTF8.self).components(separatedBy: "logprobs\":{\"content").count == 2)
    }
}
