import Foundation
import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A stream that came in place of a document.
@Suite struct GatheredResponseTests {
    private static let envelope = ChunkEnvelope(id: "chatcmpl-own", created: 1_700_000_000, model: "mine")
    private static let provider = ChatReader.passThrough(model: "mine")

    private func answer(_ body: String, by reader: ChatReader = provider) throws(Failure) -> ClientResponse {
        try reader.answer(Array(body.utf8), of: "acme", in: Self.envelope)
    }

    private func object(_ body: String) throws -> Golden.Object {
        try #require(try Golden.parse(try answer(body).body) as? Golden.Object)
    }

    private func expect(_ body: String, is expected: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let difference = Golden.difference(try object(body), Golden.withRefusals(try Golden.parse(expected.utf8)))
        #expect(difference == nil, sourceLocation: sourceLocation)
    }

    private static func event(_ choices: String, _ more: String = "") -> String {
        #"data: {"id":"x1","object":"chat.completion.chunk","created":1700000001,"model":"vendor/m","choices":[\#(choices)]\#(more)}"#
            + "\n\n"
    }

    private static func delta(_ delta: String, index: Int = 0, finish: String = "null", _ more: String = "") -> String {
        event(#"{"index":\#(index),"delta":\#(delta),"finish_reason":\#(finish)\#(more)}"#)
    }

    private static let done = "data: [DONE]\n\n"
    private static let stop = delta("{}", finish: #""stop""#)

    // MARK: Providers

    @Test func `Every part is gathered`() throws {
        let body = [
            Self.event("", #","system_fingerprint":"fp","prompt_filter_results":[{"i":0}],"obfuscation":"a""#),
            Self.event(
                #"{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}"#,
                #","system_fingerprint":"later""#),
            Self.delta(
                #"{"reasoning_content":"h","reasoning":"h","reasoning_details":[{"type":"reasoning.text","text":"h","index":0,"format":"f"}]}"#
            ),
            Self.delta(
                #"{"reasoning_content":"m","reasoning":"m","reasoning_details":[{"type":"reasoning.text","text":"m","index":0,"format":"f","signature":"s"}]}"#
            ),
            Self.delta(
                #"{"role":"assistant","content":"caf\u00e9 \ud83d"}"#,
                #","logprobs":{"content":[{"token":"a","top_logprobs":[{"token":"b"}]}],"refusal":null}"#),
            Self.delta(
                #"{"content":"\ude00 \/\n"}"#,
                #","logprobs":{"content":[{"token":"c","top_logprobs":[]}],"refusal":null}"#),
            Self.delta(#"{"annotations":[{"type":"url"}],"name":"MiniMax AI"}"#),
            Self.delta(#"{"annotations":[{"type":"url"}],"name":"MiniMax AI"}"#),
            Self.delta("{}", finish: #""length""#, #","native_finish_reason":"MAX""#),
            Self.event("", #","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0.10}"#),
            Self.done,
        ].joined()
        try expect(
            body,
            is: #"""
                {"id":"x1","object":"chat.completion","created":1700000001,"model":"mine","system_fingerprint":"fp","prompt_filter_results":[{"i":0}],
                 "choices":[{"index":0,"message":{"role":"assistant","content":"café 😀 /\n","reasoning_content":"hm","reasoning":"hm","name":"MiniMax AI",
                   "reasoning_details":[{"type":"reasoning.text","text":"hm","index":0,"format":"f","signature":"s"}],"annotations":[{"type":"url"},{"type":"url"}],"refusal":null},
                   "logprobs":{"content":[{"token":"a","top_logprobs":[{"token":"b"}]},{"token":"c","top_logprobs":[]}]},"finish_reason":"length","native_finish_reason":"MAX"}],
                 "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0.10}}
                """#)
        #expect(try answer(body).usage == TokenUsage(prompt: 3, completion: 4, total: 7))
    }

    @Test func `Calls are put together`() throws {
        func call(_ text: String) -> String { Self.delta(#"{"tool_calls":[\#(text)]}"#) }
        let body = [
            Self.delta(#"{"role":"assistant","content":null}"#),
            call(#"{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}"#),
            call(#"{"index":0,"function":{"arguments":"{\"a\":"}}"#),
            call(
                #"{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{"}},{"index":0,"id":"","function":{"name":"","arguments":" 1.0}"}}"#
            ),
            // Repeated with each piece.
            call(#"{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"}"}}"#),
            call(#"{"index":2,"function":{"name":"h"},"extra_content":{"google":{"thought_signature":"s"}}}"#),
            Self.delta("{}", finish: #""tool_calls""#), Self.done,
        ].joined()
        try expect(
            body,
            is: #"""
                {"id":"x1","object":"chat.completion","created":1700000001,"model":"mine","choices":[{"index":0,"logprobs":null,"finish_reason":"tool_calls",
                  "message":{"role":"assistant","content":null,"tool_calls":[
                    {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.0}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}},
                    {"id":"call_x1_0_2","type":"function","function":{"name":"h","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}}]}
                """#)
    }

    /// Google numbers all of them zero, others do not number them.
    @Test(arguments: [#""index":0,"#, ""])
    func `Calls under one number stay apart`(index: String) throws {
        func call(_ text: String) -> String { Self.delta(#"{"tool_calls":[{\#(index)\#(text)}]}"#) }
        let body =
            call(#""id":"a","function":{"name":"f","arguments":"{}"}"#)
            + call(#""id":"b","function":{"name":"f","arguments":{"x":"1"}}"#)
            + call(#""id":"c","function":{"name":"f","arguments":"["}"#) + call(#""function":{"arguments":"]"}"#)
            + Self.done
        let choice = try #require((try object(body)["choices"] as? [Golden.Object])?.first)
        let calls = (choice["message"] as? Golden.Object)?["tool_calls"] as? [Golden.Object] ?? []
        #expect(calls.map { $0["id"] as? String } == ["a", "b", "c"])
        #expect(
            calls.map { ($0["function"] as? Golden.Object)?["arguments"] as? String } == ["{}", #"{"x":"1"}"#, "[]"])
        #expect(choice["finish_reason"] as? String == "tool_calls")
    }

    @Test func `Choices are kept apart`() throws {
        let body = [
            Self.delta(#"{"content":"b"}"#, index: 1), Self.delta(#"{"content":"a"}"#),
            Self.delta(#"{"content":"B"}"#, index: 1),
            Self.event(
                #"{"index":0,"delta":{"content":"A"},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"}"#
            ), Self.done,
        ].joined()
        let choices = try #require(try object(body)["choices"] as? [Golden.Object])
        #expect(choices.map { ($0["message"] as? Golden.Object)?["content"] as? String } == ["aA", "bB"])
        #expect(choices.map { $0["finish_reason"] as? String } == ["stop", "length"])
    }

    @Test func `Parts and texts go together`() throws {
        let body =
            Self.delta(#"{"content":[{"type":"thinking","thinking":"hm"}]}"#) + Self.delta(#"{"content":"a"}"#)
            + Self.delta(#"{"content":"b"}"#) + Self.done
        let choice = try #require((try object(body)["choices"] as? [Golden.Object])?.first)
        let expected = #"[{"type":"thinking","thinking":"hm"},{"type":"text","text":"ab"}]"#
        #expect(
            Golden.difference((choice["message"] as? Golden.Object)?["content"], try Golden.parse(expected.utf8)) == nil
        )
    }

    @Test func `A whole message in one event is the answer`() throws {
        let body =
            #"data: {"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"id":""}"# + "\n\n" + Self.done
        try expect(
            body,
            is: #"""
                {"id":"chatcmpl-own","object":"chat.completion","created":1700000000,"model":"mine",
                 "choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"logprobs":null,"finish_reason":"stop"}]}
                """#)
    }

    @Test(arguments: [
        (delta(#"{"content":"a"}"#), "upstream_stream_incomplete"),
        (delta(#"{"content":"a"}"#) + #"data: {"error":{"message":"m","code":429}}"# + "\n\n", "rate_limit_exceeded"),
        (delta(#"{"role":"assistant"}"#) + stop + done, "upstream_empty_answer"),
        (delta(#"{"content":"a"}"#) + delta("{}", finish: #""error""#), "upstream_error"),
        ("event: error\ndata: {\"message\":\"m\"}\n\n", "upstream_error"),
    ])
    func `What fails as a stream fails as a document`(body: String, code: String) {
        let error = #expect(throws: Failure.self) { try answer(body) }
        #expect(error?.code == code && error?.about != .wrongKind)
    }

    @Test(arguments: ["data: oops\n\n", "data: {\"choices\":[{\"del"])
    func `What is no stream either is of the wrong kind`(body: String) {
        #expect(#expect(throws: Failure.self) { try answer(body) }?.about == .wrongKind)
    }

    @Test(arguments: [#"{"modelId":"m"}"#, #"{"chatResponse":{"choices":["#, #"{"choices":["#, "<html></html>", ""])
    func `What is no answer at all is a failure`(body: String) {
        for reader in [Self.provider, .translator(.generic), .translator(.cohereV2)] {
            let whole = #expect(throws: Failure.self) {
                try reader.answer(Array(body.utf8), of: "acme", in: Self.envelope)
            }
            let told = #expect(throws: Failure.self) {
                try reader.frames(of: Array(body.utf8), of: "acme", in: Self.envelope, includesUsage: true)
            }
            #expect(whole?.code == "upstream_invalid_answer" && whole?.about == .failed && told == whole)
        }
    }

    @Test(
        arguments: [": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\r\n\r\n", "", " \n"],
        ["", "\n\ndata: [DONE]\n\n", "\ndata:[DONE]"])
    func `A document with a stream's lines around it is the document`(before: String, behind: String) throws {
        let document = "{\"id\":\"x\",\n\n\"choices\":[{\"message\":{\"content\":\"data: a}\"}}],\"n\":1e400}"
        let found = String(decoding: try answer(before + document + behind).body, as: UTF8.self)
        #expect(found.trimmingCharacters(in: .whitespacesAndNewlines) == document)
        let error = #expect(throws: Failure.self) {
            try answer(before + #"{"error":{"message":"m","code":429}}"# + behind)
        }
        #expect(error?.code == "rate_limit_exceeded")
    }

    /// What was told as a stream is gathered as it was.
    @Test func `There and back`() throws {
        let document = #"""
            {"id":"x1","object":"chat.completion","created":1700000001,"model":"mine","system_fingerprint":"fp","citations":["u1","u2"],
             "choices":[{"index":0,"native_finish_reason":"STOP","logprobs":{"content":[{"token":"a"}]},"message":{"role":"assistant","refusal":null,"content":"caf\u00e9",
               "reasoning_content":"hm","annotations":[{"type":"url"}],"x_odd":{"b":1,"a":[0.5]},
               "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": 1.0}","strict":true}}]},"finish_reason":"tool_calls"},
              {"index":1,"message":{"role":"assistant","content":null,"refusal":"no"},"logprobs":null,"finish_reason":"stop"}],
             "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}
            """#
        let frames = try Self.provider.frames(
            of: Array(document.utf8), of: "acme", in: Self.envelope, includesUsage: true
        ).frames
        try expect(String(decoding: frames, as: UTF8.self), is: document)
    }

    @Test func `A long text is gathered in one go`() throws {
        let body = String(repeating: Self.delta(#"{"content":"0123456789"}"#), count: 5_000) + Self.done
        #expect(try answer(body).body.count > 50_000)
    }

    @Test(arguments: Fuzz.seeds(8))
    func `Any bytes are survived`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let body = Array(
            (Self.delta(
                #"{"content":[{"index":0,"text":"a"}],"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]}"#
            ) + Self.stop + Self.done).utf8)
        for _ in 0..<500 {
            var bytes = body
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let answer = try? Self.provider.answer(bytes, of: "acme", in: Self.envelope),
                bytes.first == UInt8(ascii: "d")
            {
                #expect((try? JSONDocument(parsing: answer.body)) != nil)
            }
        }
    }

    // MARK: OCI

    private static let streams = Golden.cases("oci/chat", "stream_")
    private static let documents = Golden.cases("oci/chat", "resp_")

    private func dialect(_ golden: Golden.Case) -> Dialect {
        if golden.name.contains("_coherev2_") { return .cohereV2 }
        return golden.name.contains("_cohere_") ? .cohere(CohereToolNames([])) : .generic
    }

    @Test(arguments: streams)
    func `Every stream of OCI is gathered`(golden: Golden.Case) throws {
        let bytes = Array(try #require(golden.object["oci_sse"] as? String).utf8)
        let run = try StreamRun([bytes[...]], of: dialect(golden))
        let reader = ChatReader.translator(dialect(golden))
        if let failure = run.error {
            #expect(throws: failure) { try reader.answer(bytes, of: "a", in: Self.envelope) }
            return
        }
        let answer = try reader.answer(bytes, of: "a", in: Self.envelope)
        #expect(answer.usage == run.usage)
        let root = try #require(try Golden.parse(answer.body) as? Golden.Object)
        let deltas = try run.chunks().chunks.flatMap { $0["choices"] as? [Golden.Object] ?? [] }
        for choice in try #require(root["choices"] as? [Golden.Object]) {
            let mine = deltas.filter { $0["index"] as? Int == choice["index"] as? Int }
            let message = try #require(choice["message"] as? Golden.Object)
            for name in ["content", "reasoning_content", "refusal"] {
                let told = mine.compactMap { ($0["delta"] as? Golden.Object)?[name] as? String }.joined()
                #expect(message[name] as? String ?? "" == told)
            }
            let pieces = mine.flatMap { ($0["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object] ?? [] }
            let calls = message["tool_calls"] as? [Golden.Object] ?? []
            #expect(calls.count == Set(pieces.compactMap { $0["index"] as? Int }).count)
            for (index, call) in calls.enumerated() {
                let told = pieces.filter { $0["index"] as? Int == index }.compactMap {
                    ($0["function"] as? Golden.Object)?["arguments"] as? String
                }.joined()
                #expect((call["function"] as? Golden.Object)?["arguments"] as? String == told)
            }
            #expect(choice["finish_reason"] as? String == mine.last?["finish_reason"] as? String)
        }
    }

    @Test(arguments: documents)
    func `Every document of OCI comes back from its stream`(golden: Golden.Case) throws {
        let body = Array(try JSONSerialization.data(withJSONObject: try #require(golden.object["oci_response"])))
        let reader = ChatReader.translator(dialect(golden))
        guard let whole = try? reader.answer(body, of: "a", in: Self.envelope) else { return }
        let frames = try reader.frames(of: body, of: "a", in: Self.envelope, includesUsage: true).frames
        let gathered = GatheredResponse(frames).answer(model: "mine", in: Self.envelope)
        func comparable(_ answer: ClientResponse) throws -> Golden.Object {
            var root = try #require(try Golden.parse(answer.body) as? Golden.Object)
            root["created"] = nil
            root["choices"] = (root["choices"] as? [Golden.Object])?.map { choice in
                var choice = choice
                var message = choice["message"] as? Golden.Object
                // A stream has no place for them.
                message?["annotations"] = nil
                choice["message"] = message
                if let logprobs = choice["logprobs"] as? Golden.Object { choice["logprobs"] = logprobs["content"] }
                return choice
            }
            return root
        }
        #expect(Golden.difference(try comparable(gathered), try comparable(whole)) == nil)
    }
}
