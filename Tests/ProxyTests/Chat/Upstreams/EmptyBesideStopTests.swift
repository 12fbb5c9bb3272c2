import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A client that names texts at which an answer ends gets an empty one when the model begins with such a text; without, an empty answer is a failure.
@Suite struct EmptyBesideStopTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let reader: @Sendable (_ mayBeEmpty: Bool) -> ChatReader
        let whole: String
        let events: [String]
    }

    private static func translator(_ dialect: Dialect) -> @Sendable (Bool) -> ChatReader {
        { mayBeEmpty in
            var rules = ResponseRules()
            rules.mayBeEmpty = mayBeEmpty
            return .translator(dialect, rules)
        }
    }

    static let cases = [
        Case(
            testDescription: "generic", reader: translator(.generic),
            whole:
                #"{"chatResponse":{"choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":""}]},"finishReason":"stop"}],"usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}}"#,
            events: [
                #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":""}]}}"#,
                #"{"finishReason":"stop"}"#, #"{"usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}"#,
            ]),
        Case(
            testDescription: "cohere", reader: translator(.cohere(CohereToolNames())),
            whole:
                #"{"chatResponse":{"text":"","finishReason":"STOP_SEQUENCE","usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}}"#,
            events: [
                #"{"text":"","finishReason":"STOP_SEQUENCE","usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}"#
            ]),
        Case(
            testDescription: "cohere v2", reader: translator(.cohereV2),
            whole:
                #"{"chatResponse":{"message":{"role":"ASSISTANT","content":[]},"finishReason":"STOP_SEQUENCE","usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}}"#,
            events: [
                #"{"message":{"role":"ASSISTANT"},"finishReason":"STOP_SEQUENCE","usage":{"promptTokens":9,"completionTokens":1,"totalTokens":10}}"#
            ]),
        Case(
            testDescription: "openai", reader: { .passThrough(model: "m", mayBeEmpty: $0) },
            whole:
                #"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#,
            events: [
                #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#,
                "[DONE]",
            ]),
    ]

    private static let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")

    @Test(arguments: cases)
    func `A whole answer`(_ each: Case) throws {
        let error = #expect(throws: Failure.self) {
            try each.reader(false).answer(Array(each.whole.utf8), of: "a", in: Self.envelope)
        }
        #expect(error == Failure.emptyAnswer)
        let answer = try each.reader(true).answer(Array(each.whole.utf8), of: "a", in: Self.envelope)
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""finish_reason":"stop""#))
    }

    @Test(arguments: cases)
    func `A whole answer as a stream`(_ each: Case) throws {
        #expect(throws: Failure.emptyAnswer) {
            try each.reader(false).frames(of: Array(each.whole.utf8), of: "a", in: Self.envelope, includesUsage: false)
        }
        let frames = try each.reader(true).frames(
            of: Array(each.whole.utf8), of: "a", in: Self.envelope, includesUsage: false
        ).frames
        let text = String(decoding: frames, as: UTF8.self)
        #expect(text.contains(#""finish_reason":"stop""#) && text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test(arguments: cases, [false, true])
    func `A stream`(_ each: Case, mayBeEmpty: Bool) {
        let relay = each.reader(mayBeEmpty).relay(of: "a", in: Self.envelope, includesUsage: false)
        let failure = relay.take(ByteBuffer(bytes: each.events.map { "data: \($0)\n\n" }.joined().utf8)) ?? relay.end()
        let text = String(decoding: relay.takeFrames(), as: UTF8.self)
        #expect(failure == (mayBeEmpty ? nil : Failure.emptyAnswer))
        #expect(text.contains(#""finish_reason":"stop""#) == mayBeEmpty && text.contains("[DONE]") == mayBeEmpty)
    }

    /// Who has counted no token, or none at all, has not begun with such a text.
    @Test(arguments: cases, ["null", "0"])
    func `Who has said nothing has failed`(_ each: Case, count: String) {
        func silent(_ text: String) -> String {
            // What is not said follows from the sum.
            text.replacing(#"otalTokens":10"#, with: #"otalTokens":9"#).replacing(
                #"otal_tokens":10"#, with: #"otal_tokens":9"#
            )
            .replacing(#""completionTokens":1"#, with: #""completionTokens":\#(count)"#)
            .replacing(#""completion_tokens":1"#, with: #""completion_tokens":\#(count)"#)
        }
        #expect(throws: Failure.emptyAnswer) {
            try each.reader(true).answer(Array(silent(each.whole).utf8), of: "a", in: Self.envelope)
        }
        let relay = each.reader(true).relay(of: "a", in: Self.envelope, includesUsage: false)
        #expect(
            (relay.take(ByteBuffer(bytes: each.events.map { "data: \(silent($0))\n\n" }.joined().utf8)) ?? relay.end())
                == Failure.emptyAnswer)
    }

    @Test func `Only stop makes room for silence`() throws {
        func request(_ rest: String) throws -> PassThroughRequest {
            try PassThroughRequest(body: Array(#"{"model":"m","messages":[]\#(rest)}"#.utf8))
        }
        for empty in ["", #","stop":null"#, #","stop":[]"#, #","stop":"""#, #","stop":[""]"#] {
            #expect(try !request(empty).mayBeEmpty, "\(empty)")
        }
        for named in [#","stop":"\n""#, #","stop":["END"]"#] { #expect(try request(named).mayBeEmpty, "\(named)") }
    }
}
