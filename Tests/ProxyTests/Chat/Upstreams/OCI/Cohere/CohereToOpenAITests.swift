import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct CohereToOpenAITests {
    private static let cases = Golden.cases("oci/chat", "resp_cohere")

    private static func dialect(_ golden: Golden.Case) -> Dialect {
        golden.name.hasPrefix("resp_coherev2_") ? .cohereV2 : CohereStreamTests.dialect
    }

    private func envelope(_ golden: Golden.Case) -> ChunkEnvelope {
        let context = golden.object["context"] as? Golden.Object
        return ChunkEnvelope(
            id: "chatcmpl-x", created: 1_700_000_000, model: context?["requested_model"] as? String ?? "")
    }

    private func upstream(_ golden: Golden.Case) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: try #require(golden.object["oci_response"])))
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 13)
    }

    @Test(arguments: cases)
    func `Every fixture gives its answer`(golden: Golden.Case) throws {
        let body = try upstream(golden)
        if let expected = golden.object["expected_error"] as? Golden.Object {
            let error = #expect(throws: Failure.self) { try Self.dialect(golden).answer(body, in: envelope(golden)) }
            #expect(error?.status == expected["status"] as? Int)
            #expect(Golden.difference(try Golden.parse(try #require(error).body), expected["body"]) == nil)
        } else {
            let answer = try Self.dialect(golden).answer(body, in: envelope(golden))
            #expect(
                Golden.difference(
                    Self.readingArguments(try Golden.parse(answer.body)),
                    Self.readingArguments(Golden.withRefusals(golden.object["openai_response"]))) == nil)
        }
    }

    /// Arguments are compared as JSON: the order of an object's members is nobody's promise.
    private static func readingArguments(_ value: Any?) -> Any? {
        switch value {
        case let object as Golden.Object:
            var object = object.mapValues { readingArguments($0) ?? $0 }
            if let text = object["arguments"] as? String { object["arguments"] = try? Golden.parse(text.utf8) }
            return object
        case let array as [Any]: return array.map { readingArguments($0) ?? $0 }
        default: return value
        }
    }

    @Test(arguments: cases)
    func `Every answer can be told as a stream`(golden: Golden.Case) throws {
        let body = try upstream(golden)
        guard let expected = golden.object["openai_response"] as? Golden.Object else {
            #expect(throws: Failure.self) {
                try Self.dialect(golden).frames(of: body, in: envelope(golden), includesUsage: true)
            }
            return
        }
        let (frames, usage) = try Self.dialect(golden).frames(of: body, in: envelope(golden), includesUsage: true)
        var run = try StreamRun([])
        run.frames = frames
        let (chunks, done) = try run.chunks()
        #expect(done)
        try ChunkRules.check(chunks, done: done)
        #expect((usage != nil) == (expected["usage"] != nil))
        let choice = try #require((expected["choices"] as? [Golden.Object])?.first)
        let message = try #require(choice["message"] as? Golden.Object)
        let deltas = try run.deltas()
        #expect(deltas.compactMap { $0["content"] as? String }.joined() == message["content"] as? String ?? "")
        #expect(
            deltas.compactMap { $0["reasoning_content"] as? String }.joined() == message["reasoning_content"] as? String
                ?? "")
        #expect(deltas.compactMap { $0["tool_calls"] }.count == (message["tool_calls"] as? [Any])?.count ?? 0)
        #expect(
            String(decoding: frames, as: UTF8.self).contains(
                #""finish_reason":"\#(choice["finish_reason"] as? String ?? "")""#))
    }

    @Test(
        arguments: CohereOdditiesTests.dialects,
        [
            "", "{}", "[]", #"{"chatResponse":{}}"#, #"{"chatResponse":{"apiFormat":"COHERE"}}"#,
            #"{"chatResponse":7}"#, "<html>",
        ])
    func `What is no answer is an upstream failure`(dialect: CohereOdditiesTests.Case, body: String) {
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let error = #expect(throws: Failure.self) { try dialect.dialect.answer(Array(body.utf8), in: envelope) }
        #expect(error?.status == 502 && error?.code == "upstream_invalid_answer")
        #expect(throws: Failure.self) {
            try dialect.dialect.frames(of: Array(body.utf8), in: envelope, includesUsage: true)
        }
    }

    @Test(arguments: CohereOdditiesTests.dialects, [#""""#, "null", "7"])
    func `A missing finish reason ends both forms of the answer`(dialect: CohereOdditiesTests.Case, reason: String)
        throws
    {
        let body = Array(
            #"{"chatResponse":{"text":"hi","message":{"content":[{"text":"hi"}]},"finishReason":\#(reason)}}"#
                .replacing(
                    dialect.dialect.isV2 ? #""text":"hi","message""# : #""message":{"content":[{"text":"hi"}]},"#,
                    with: dialect.dialect.isV2 ? #""message""# : ""
                ).utf8)
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        for bytes in [
            try dialect.dialect.answer(body, in: envelope).body,
            try dialect.dialect.frames(of: body, in: envelope, includesUsage: false).frames,
        ] {
            #expect(String(decoding: bytes, as: UTF8.self).contains(#""finish_reason":"stop""#))
        }
    }

    @Test(arguments: CohereOdditiesTests.dialects)
    func `An empty answer is an upstream failure`(dialect: CohereOdditiesTests.Case) {
        let body = Array(
            (dialect.dialect.isV2
                ? #"{"chatResponse":{"message":{"content":[]},"finishReason":"COMPLETE"}}"#
                : #"{"chatResponse":{"text":"","finishReason":"COMPLETE"}}"#).utf8)
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let error = #expect(throws: Failure.self) { try dialect.dialect.answer(body, in: envelope) }
        #expect(error?.code == "upstream_empty_answer")
        #expect(throws: Failure.self) { try dialect.dialect.frames(of: body, in: envelope, includesUsage: false) }
    }

    @Test func `IDs are stable and differ from answer to answer`() throws {
        let body = Array(
            #"{"chatResponse":{"text":"","toolCalls":[{"name":"f"},{"name":"f"}],"finishReason":"COMPLETE"}}"#.utf8)
        func ids(_ answer: String) throws -> [String] {
            let whole = try CohereStreamTests.dialect.answer(
                body, in: ChunkEnvelope(id: answer, created: 1, model: "m"))
            let choices = try #require((try Golden.parse(whole.body) as? Golden.Object)?["choices"] as? [Golden.Object])
            let calls = (choices[0]["message"] as? Golden.Object)?["tool_calls"] as? [Golden.Object] ?? []
            return calls.compactMap { $0["id"] as? String }
        }
        #expect(try ids("chatcmpl-1") == ids("chatcmpl-1"))
        #expect(try Set(ids("chatcmpl-1") + ids("chatcmpl-2")).count == 4)
    }

    @Test func `Probabilities and calls in odd forms are understood`() throws {
        let body =
            #"{"chatResponse":{"message":{"toolPlan":"plan","content":[{"thinking":"why"},{"text":"a"}],"toolCalls":[{},7,{"id":"","function":{"name":"f","arguments":{"x":1}}},{"id":"b","name":"g"}]},"finishReason":"COMPLETE","logProbabilities":[{"text":"a","logProbabilities":[-0.5]}]}}"#
        let answer = try Dialect.cohereV2.answer(
            Array(body.utf8), in: ChunkEnvelope(id: "chatcmpl-1", created: 1, model: "m"))
        let choice = try #require(
            ((try Golden.parse(answer.body) as? Golden.Object)?["choices"] as? [Golden.Object])?.first)
        let calls = try #require((choice["message"] as? Golden.Object)?["tool_calls"] as? [Golden.Object])
        #expect(calls.map { ($0["function"] as? Golden.Object)?["arguments"] as? String } == [#"{"x":1}"#, "{}"])
        #expect(calls.allSatisfy { ($0["id"] as? String)?.isEmpty == false })
        #expect((choice["message"] as? Golden.Object)?["reasoning_content"] as? String == "why\nplan")
        #expect(
            ((choice["logprobs"] as? Golden.Object)?["content"] as? [Golden.Object])?.first?["logprob"] as? Double
                == -0.5)
        #expect(choice["finish_reason"] as? String == "tool_calls")
    }

    @Test(arguments: cases, 0..<20 as Range<UInt64>)
    func `A damaged answer is an answer or an error`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var body = try upstream(golden)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let index = Int.random(in: body.indices, using: &random)
            let junk =
                ["null", "-9e18", "9223372036854775807", "\"\"", "[]", "{}", ","].randomElement(using: &random) ?? ""
            if Bool.random(using: &random) {
                body[index] = UInt8.random(in: .min ... .max, using: &random)
            } else {
                body.insert(contentsOf: junk.utf8, at: index)
            }
        }
        do throws(Failure) {
            let answer = try Self.dialect(golden).answer(body, in: envelope(golden))
            #expect(throws: Never.self) { try Golden.parse(answer.body) }
        } catch {
            #expect((502...504).contains(error.status))
        }
        do throws(Failure) {
            var run: StreamRun? = try? StreamRun([])
            run?.frames = try Self.dialect(golden).frames(of: body, in: envelope(golden), includesUsage: true).frames
            #expect(throws: Never.self) {
                let (chunks, done) = try #require(run).chunks()
                #expect(done)
                try ChunkRules.check(chunks, done: done)
            }
        } catch {
            #expect((502...504).contains(error.status))
        }
    }
}

extension Dialect {
    fileprivate var isV2: Bool { if case .cohereV2 = self { true } else { false } }
}
