import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct GenericToOpenAITests {
    private static let cases = Golden.cases("oci/chat", "resp_generic")

    private func envelope(_ golden: Golden.Case) -> ChunkEnvelope {
        let context = golden.object["context"] as? Golden.Object
        return ChunkEnvelope(
            id: "chatcmpl-x", created: 1_700_000_000, model: context?["requested_model"] as? String ?? "")
    }

    private func upstream(_ golden: Golden.Case) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: try #require(golden.object["oci_response"])))
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 14)
    }

    @Test(arguments: cases)
    func `Every fixture gives its answer`(golden: Golden.Case) throws {
        let answer = try Dialect.generic.answer(upstream(golden), in: envelope(golden))
        #expect(
            Golden.difference(try Golden.parse(answer.body), Golden.withRefusals(golden.object["openai_response"]))
                == nil)
    }

    @Test(arguments: cases)
    func `Every answer can be told as a stream`(golden: Golden.Case) throws {
        let (frames, usage) = try Dialect.generic.frames(
            of: upstream(golden), in: envelope(golden), includesUsage: true)
        var run = try StreamRun([])
        run.frames = frames
        let (chunks, done) = try run.chunks()
        #expect(done)
        try ChunkRules.check(chunks, done: done)
        let expected = try #require(golden.object["openai_response"] as? Golden.Object)
        #expect((usage != nil) == (expected["usage"] != nil))
        for choice in try #require(expected["choices"] as? [Golden.Object]) {
            let index = choice["index"] as? Int
            let mine = chunks.flatMap { $0["choices"] as? [Golden.Object] ?? [] }.filter {
                $0["index"] as? Int == index
            }
            let text = mine.compactMap { ($0["delta"] as? Golden.Object)?["content"] as? String }.joined()
            #expect(text == (choice["message"] as? Golden.Object)?["content"] as? String ?? "")
            #expect(mine.last?["finish_reason"] as? String == choice["finish_reason"] as? String)
        }
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"chatResponse\":{}}", "{\"chatResponse\":{\"choices\":[]}}", "<html>",
        "{\"chatResponse\":{\"choices\":[1]}}",
    ])
    func `What is no answer is an upstream failure`(body: String) {
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let error = #expect(throws: Failure.self) { try Dialect.generic.answer(Array(body.utf8), in: envelope) }
        #expect(error?.status == 502 && error?.type == "upstream_error")
        #expect(throws: Failure.self) {
            try Dialect.generic.frames(of: Array(body.utf8), in: envelope, includesUsage: true)
        }
    }

    @Test func `An empty finish reason ends both forms of the answer`() throws {
        let body =
            #"{"chatResponse":{"choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"hi"}]},"finishReason":""}]}}"#
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        #expect(
            String(decoding: try Dialect.generic.answer(Array(body.utf8), in: envelope).body, as: UTF8.self).contains(
                #""finish_reason":"stop""#))
        let frames = try Dialect.generic.frames(of: Array(body.utf8), in: envelope, includesUsage: false).frames
        #expect(String(decoding: frames, as: UTF8.self).contains(#""finish_reason":"stop""#))
    }

    @Test func `An empty answer is an upstream failure`() {
        let body =
            #"{"chatResponse":{"choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":""}]},"finishReason":"stop"}]}}"#
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let error = #expect(throws: Failure.self) { try Dialect.generic.answer(Array(body.utf8), in: envelope) }
        #expect(error?.code == "upstream_empty_answer")
    }

    @Test(arguments: [
        ("SAFETY", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"), ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"), ("SPII", "content_filter"),
        ("content_filter: PROHIBITED_CONTENT", "content_filter"), ("refusal", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "content_filter"), ("model_context_window_exceeded", "length"),
        ("MAX_TOKENS", "length"), ("something_new", "content_filter"),
    ])
    func `An answer may be empty when it says why`(reason: (theirs: String, ours: String)) throws {
        let message =
            #""message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":""}]},"finishReason":"\#(reason.theirs)""#
        let body = Array(#"{"chatResponse":{"choices":[{"index":0,\#(message)}]}}"#.utf8)
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let whole = String(decoding: try Dialect.generic.answer(body, in: envelope).body, as: UTF8.self)
        #expect(whole.contains(#""content":"""#) && whole.contains(#""finish_reason":"\#(reason.ours)""#))
        let replayed = try Dialect.generic.frames(of: body, in: envelope, includesUsage: false).frames
        #expect(String(decoding: replayed, as: UTF8.self).contains(#""finish_reason":"\#(reason.ours)""#))
        let run = try StreamRun([Array("data: {\(message)}\n\ndata: [DONE]\n\n".utf8)[...]])
        #expect(
            run.error == nil
                && String(decoding: run.frames, as: UTF8.self).contains(#""finish_reason":"\#(reason.ours)""#))
    }

    @Test func `An unknown reason ends an answer that has something in it`() throws {
        let body =
            #"{"chatResponse":{"choices":[{"message":{"content":[{"type":"TEXT","text":"hi"}]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}}"#
        let answer = try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""finish_reason":"stop""#))
    }

    @Test(
        arguments: [("data: {}\n\n", .wrongKind), ("<html>", .failed), ("{}", .failed)] as [(String, FailureSubject)])
    func `What is no answer has a kind`(body: String, kind: FailureSubject) {
        let error = #expect(throws: Failure.self) {
            try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        }
        #expect(error?.code == "upstream_invalid_answer" && error?.about == kind)
    }

    @Test(arguments: [
        ("2025-08-11T08:12:13.123Z", 1_754_899_933), ("2025-08-11T08:12:13Z", 1_754_899_933),
        ("2025-08-11T10:12:13.5+02:00", 1_754_899_933),
        ("2025-08-11T00:42:13-07:30", 1_754_899_933), ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29t12:00:00z", 951_825_600),
    ])
    func `Reads moments`(text: String, seconds: Int) {
        #expect(RFC3339.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "2025-08-11", "2025-08-11T08:12:13", "2025-13-11T08:12:13Z", "2025-08-11T08:12:13+0200",
        "x025-08-11T08:12:13Z", "2025-08-11T08:12:13Zx",
    ])
    func `What is no moment is none`(text: String) {
        #expect(RFC3339.seconds(text) == nil)
    }
}
