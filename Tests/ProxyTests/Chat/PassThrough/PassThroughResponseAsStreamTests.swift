import Foundation
import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct PassThroughResponseAsStreamTests {
    private static let envelope = ChunkEnvelope(id: "chatcmpl-own", created: 1_700_000_000, model: "unused")

    private func told(_ body: String, includesUsage: Bool = false) throws(Failure) -> (
        frames: [UInt8], usage: TokenUsage?
    ) {
        try PassThroughResponseAsStream.frames(
            of: Array(body.utf8), upstream: "acme", in: Self.envelope.naming("mine"), includesUsage: includesUsage)
    }

    /// The events as JSON. Each is one line, `[DONE]` is the last, and they obey the rules for every stream.
    private func chunks(_ body: String, includesUsage: Bool = false) throws -> [Golden.Object] {
        let frames = try told(body, includesUsage: includesUsage).frames
        let events = String(decoding: frames, as: UTF8.self).components(separatedBy: "\n\n")
        #expect(events.suffix(2) == ["data: [DONE]", ""])
        let chunks = try events.dropLast(2).map { event in
            #expect(event.hasPrefix("data: ") && !event.contains { $0.isNewline })
            return try #require(try Golden.parse(event.dropFirst(6).utf8) as? Golden.Object)
        }
        try ChunkRules.check(chunks, done: true)
        // What is told is what would have been passed on.
        let relay = PassThroughRelay(model: "mine", upstream: "acme")
        #expect(relay.take(ByteBuffer(bytes: frames)) == nil && relay.isComplete && relay.unreadableEvents == 0)
        #expect(relay.takeFrames() == frames)
        return chunks
    }

    private func choices(_ body: String) throws -> [Golden.Object] {
        try chunks(body).flatMap { $0["choices"] as? [Golden.Object] ?? [] }
    }

    private static let rich = #"""
        {
          "id": "x1", "object": "chat.completion", "created": 1700000001, "model": "vendor/m", "system_fingerprint": "fp", "error": null,
          "citations": [ "u1",
            "u2" ], "service_tier": null,
          "choices": [ { "index": 0, "logprobs": { "content": [] }, "native_finish_reason": "STOP",
            "message": { "role": "assistant", "refusal": null, "annotations": [ { "type": "url" } ], "content": "caf\u00e9 \/\n", "x_odd": { "b": 1, "a": [ 0.10 ] },
              "tool_calls": [
                { "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{\"a\": 1.0}" }, "extra_content": { "google": { "thought_signature": "s" } } },
                { "index": 7, "function": { "name": "g", "arguments": "", "strict": true } } ],
              "reasoning_content": "hm", "reasoning": "hm" },
            "finish_reason": "stop" } ],
          "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 0.10 }
        }
        """#.replacing("\n", with: "\r\n")

    @Test func `Every part comes in its place`() throws {
        let found = try chunks(Self.rich, includesUsage: true)
        func chunk(_ delta: String, finish: String = "null", choice: String = "", top: String = "") -> String {
            #"{"id":"x1","object":"chat.completion.chunk","created":1700000001,"model":"mine","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)\#(choice)}]\#(top)}"#
        }
        let expected = [
            chunk(#"{"role":"assistant","content":""}"#, top: #","system_fingerprint":"fp","citations":["u1","u2"]"#),
            chunk(#"{"reasoning_content":"hm","reasoning":"hm"}"#),
            chunk(#"{"content":"café /\n"}"#, choice: #","logprobs":{"content":[]}"#),
            chunk(#"{"annotations":[{"type":"url"}],"x_odd":{"b":1,"a":[0.10]}}"#),
            chunk(
                #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.0}"},"extra_content":{"google":{"thought_signature":"s"}}}]}"#
            ),
            chunk(
                #"{"tool_calls":[{"index":1,"id":"call_x1_0_1","type":"function","function":{"name":"g","arguments":"{}","strict":true}}]}"#
            ),
            chunk("{}", finish: #""tool_calls""#, choice: #","native_finish_reason":"STOP""#),
            #"{"id":"x1","object":"chat.completion.chunk","created":1700000001,"model":"mine","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cost":0.10}}"#,
        ]
        #expect(Golden.difference(found, try expected.map { try Golden.parse($0.utf8) }) == nil)
        #expect(
            String(decoding: try told(Self.rich).frames, as: UTF8.self).contains(#""x_odd":{ "b": 1, "a": [ 0.10 ] }"#))
    }

    @Test func `Usage is told to those who ask and known in any case`() throws {
        #expect(try chunks(Self.rich).allSatisfy { $0["usage"] == nil })
        #expect(try told(Self.rich).usage == TokenUsage(prompt: 3, completion: 4, total: 7))
        #expect(
            try chunks(#"{"choices":[{"message":{"content":"a"}}],"usage":null}"#, includesUsage: true).allSatisfy {
                $0["usage"] == nil
            })
    }

    @Test func `What the answer lacks is the proxy's`() throws {
        let found = try chunks(#"{"id":"","choices":[{"message":{"content":"a"}}]}"#)
        #expect(
            found.allSatisfy {
                $0["id"] as? String == "chatcmpl-own" && $0["created"] as? Int == 1_700_000_000
                    && $0["model"] as? String == "mine"
            })
        #expect((found.last?["choices"] as? [Golden.Object])?.first?["finish_reason"] as? String == "stop")
    }

    @Test(arguments: [#""index":0,"#, ""], [#""index":1,"#, ""])
    func `Every choice has its own beginning and end`(first: String, second: String) throws {
        let found = try choices(
            #"{"choices":[{\#(first)"message":{"content":"a"},"finish_reason":"stop"},{\#(second)"message":{"content":"b"},"finish_reason":"length"}]}"#
        )
        #expect(found.map { $0["index"] as? Int } == [0, 0, 0, 1, 1, 1])
        #expect(found.compactMap { $0["finish_reason"] as? String } == ["stop", "length"])
        #expect(found.compactMap { ($0["delta"] as? Golden.Object)?["content"] as? String } == ["", "a", "", "b"])
        let doubled = try choices(
            #"{"choices":[{"index":0,"message":{"content":"a"}},{"index":0,"message":{"content":"b"}}]}"#)
        #expect(doubled.map { $0["index"] as? Int } == [0, 0, 0, 1, 1, 1])
    }

    @Test(arguments: [
        (#""content":null,"reasoning":"hm""#, #"{"reasoning":"hm"}"#),
        (#""content":"","thinking":"hm""#, #"{"thinking":"hm"}"#),
        (
            #""content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]"#,
            #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#
        ),
        (#""content":null,"refusal":"no""#, #"{"refusal":"no"}"#),
        (#""audio":{"id":"a","data":"QUFB"}"#, #"{"audio":{"id":"a","data":"QUFB"}}"#),
        (
            #""content":null,"function_call":{"name":"f","arguments":"{}"}"#,
            #"{"function_call":{"name":"f","arguments":"{}"}}"#
        ),
        (
            #""tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]"#,
            #"{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]}"#
        ),
    ])
    func `What is no plain text is one delta`(message: String, delta: String) throws {
        // Calls of other kinds than functions are checked here alone.
        let frames = String(
            decoding: try told(#"{"choices":[{"message":{"role":"assistant",\#(message)},"finish_reason":"stop"}]}"#)
                .frames, as: UTF8.self)
        #expect(frames.components(separatedBy: "\n\n").count == 5)
        #expect(frames.contains(#""delta":\#(delta),"finish_reason":null"#), "\(frames)")
    }

    @Test(arguments: [#"{"a":1}"#, #""{\"a\":1}""#])
    func `Arguments are a text whatever came`(arguments: String) throws {
        let found = try choices(
            #"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":\#(arguments)}}]}}]}"#
        )
        let call = ((found[1]["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object])?.first
        #expect((call?["function"] as? Golden.Object)?["arguments"] as? String == #"{"a":1}"#)
        #expect(found.last?["finish_reason"] as? String == "tool_calls")
    }

    @Test func `An answer that says why it is empty is a stream`() throws {
        let found = try choices(
            #"{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"length"}]}"#)
        #expect(found.count == 2 && found.last?["finish_reason"] as? String == "length")
    }

    @Test(arguments: [
        ("<html>", "upstream_invalid_answer"), ("{}", "upstream_invalid_answer"),
        (#"{"choices":[]}"#, "upstream_empty_answer"),
        (#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#, "upstream_empty_answer"),
        (#"{"error":{"message":"m","code":"c"}}"#, "c"),
        (
            #"{"choices":[{"message":{"content":"half"},"finish_reason":"error"}],"error":{"message":"m","code":"c"}}"#,
            "c"
        ),
        (#"{"choices":[{"message":{"content":"half"},"error":{"message":"m","code":502}}]}"#, "upstream_error"),
        (#"{"choices":[{"message":{"content":"half"},"finish_reason":"error"}]}"#, "upstream_error"),
    ])
    func `What is no answer is a failure`(body: String, code: String) {
        let error = #expect(throws: Failure.self) { try told(body) }
        #expect(error?.code == code)
    }
}
