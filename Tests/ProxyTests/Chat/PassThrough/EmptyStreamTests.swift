import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Streams that begin, or end, without having said anything.
@Suite struct EmptyStreamTests {
    private static func event(_ choices: String, _ further: String = "") -> String {
        "data: {\"model\":\"m\",\"choices\":[\(choices)]\(further)}\n\n"
    }

    private static func choice(_ delta: String, index: Int = 0, finish: String = "null") -> String {
        #"{"index":\#(index),"delta":{\#(delta)},"finish_reason":\#(finish),"logprobs":null,"content_filter_results":{"hate":{"severity":"safe"}}}"#
    }

    private static let role = event(choice(#""role":"assistant","content":"""#))
    private static let stop = event(choice("", finish: "\"stop\""))
    private static let done = "data: [DONE]\n\n"
    /// As Azure, and those that count first, begin.
    private static let filters = event(
        "", #","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"severity":"safe"}}}]"#)
    private static let usage = event("", #","usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}"#)

    /// Everything that leaves, read by read.
    private func run(_ pieces: [String]) -> (outputs: [String], failure: Failure?) {
        let relay = PassThroughRelay(model: "m", upstream: "acme")
        var outputs: [String] = []
        for piece in pieces {
            let failure = relay.take(ByteBuffer(bytes: piece.utf8))
            outputs.append(String(decoding: relay.takeFrames(), as: UTF8.self))
            if let failure { return (outputs, failure) }
        }
        let failure = relay.end()
        outputs.append(String(decoding: relay.takeFrames(), as: UTF8.self))
        return (outputs, failure)
    }

    @Test(arguments: [
        [stop], [role, stop], [role, stop, done], [role, done], [filters, usage, role, stop, usage, done],
        [role, role, role, stop, done],
        [
            event(
                choice(
                    #""role":"assistant","name":"Assistant","content":null,"refusal":null,"tool_calls":[],"reasoning_content":"","audio":{}"#
                )), stop, done,
        ],
        [event(choice(#""content":[{"type":"text","text":""}]"#, finish: "\"tool_calls\"")), done],
        [event(choice("", finish: "\"stop\"")), event(choice("", index: 1, finish: "\"stop\"")), done],
        [event(choice("", finish: "\"stop\"") + "," + choice("", index: 1, finish: "\"stop\"")), done],
        [event(#"{"finish_reason":"stop"}"#)], [event(#"{"delta":null,"finish_reason":"stop"}"#)],
    ])
    func `An answer that says nothing is a failure of which nothing has left`(events: [String]) {
        for pieces in [events, [events.joined()]] {
            let (outputs, failure) = run(pieces)
            #expect(failure == Failure.emptyAnswer)
            #expect(outputs.joined().isEmpty)
        }
    }

    @Test(arguments: [
        #""content":"a""#, #""content":" ""#, #""content":[{"type":"text","text":"a"}]"#, #""reasoning":"hm""#,
        #""reasoning_content":"hm""#,
        #""thinking":"hm""#, #""reasoning_details":[{"type":"reasoning.text","text":"hm"}]"#, #""refusal":"no""#,
        #""audio":{"id":"audio_1"}"#,
        #""tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]"#,
        #""function_call":{"name":"f"}"#,
        #""images":[{"url":"u"}]"#, #""x_unknown":{"y":["z"]}"#,
    ])
    func `Anything that is said lets the events before it go`(delta: String) {
        let content = Self.event(Self.choice(delta))
        let (outputs, failure) = run([
            Self.filters, Self.role, ": OPENROUTER PROCESSING\n\n", content, Self.stop, Self.usage, Self.done,
        ])
        #expect(failure == nil)
        #expect(outputs == ["", "", "", Self.filters + Self.role + content, Self.stop, Self.usage, Self.done, ""])
    }

    @Test(arguments: [
        "length", "max_tokens", "model_length", "content_filter", "sensitive", "LENGTH",
        "content_filter: PROHIBITED_CONTENT", "SAFETY", "RECITATION", "refusal",
        "function_call_filter: MALFORMED_FUNCTION_CALL", "model_context_window_exceeded", "something_new",
    ])
    func `An answer may be empty when it says why`(reason: String) {
        let end = Self.event(Self.choice("", finish: "\"\(reason)\""))
        let (outputs, failure) = run([Self.role, end, Self.done])
        #expect(failure == nil)
        #expect(outputs == ["", Self.role + end, Self.done, ""])
    }

    @Test(arguments: [
        "stop", "STOP", "tool_calls", "end_turn", "COMPLETE", "eos", "network_error", "insufficient_system_resource",
        "",
    ])
    func `The usual end or the upstream's trouble is no reason to be empty`(reason: String) {
        let (outputs, failure) = run([Self.role, Self.event(Self.choice("", finish: "\"\(reason)\"")), Self.done])
        #expect(failure == Failure.emptyAnswer && failure?.about == .failed)
        #expect(outputs.joined().isEmpty)
    }

    /// The answer's id is known with the first event that says something; what is no name is none.
    @Test(
        arguments: [
            (#""id":"gen-1","#, "gen-1"), (#""id":"","#, nil), (#""id":null,"#, nil), (#""id":7,"#, nil), ("", nil),
            (#""id":"\#(String(repeating: "x", count: 257))","#, nil),
        ] as [(String, String?)])
    func `An answer has a name`(member: String, id: String?) {
        let relay = PassThroughRelay(model: "m", upstream: "acme")
        #expect(
            relay.take(ByteBuffer(string: "data: {\"id\":\"other\",\"choices\":[\(Self.choice(""))]}\n\n")) == nil
                && relay.answerID == nil)
        #expect(
            relay.take(ByteBuffer(string: "data: {\(member)\"choices\":[\(Self.choice(#""content":"a""#))]}\n\n"))
                == nil && relay.answerID == id)
    }

    @Test func `One of several choices is enough`() {
        let second = Self.event(Self.choice(#""content":"b""#, index: 1))
        let end = Self.event(Self.choice("", index: 1, finish: "\"stop\""))
        let (outputs, failure) = run([Self.role, Self.stop, second, end])
        #expect(failure == nil)
        #expect(outputs == ["", "", Self.role + Self.stop + second, end, Self.done])
    }

    @Test func `An error after a role leaves no trace`() {
        let (outputs, failure) = run([Self.role, #"data: {"error":{"message":"boom","code":503}}"# + "\n\n"])
        #expect(failure?.status == 503 && failure?.message == "boom")
        #expect(outputs.joined().isEmpty)
        #expect(run([Self.role]).failure == .incompleteStream)
    }

    /// A stream that never says anything is shown to the client some day, and is no success all the same.
    @Test func `No more than so much is held back`() {
        let many = Array(repeating: Self.role, count: PassThroughRelay.mostHeldBack / Self.role.utf8.count)
        let held = run(many)
        #expect(held.outputs.joined().isEmpty)
        let (outputs, failure) = run(many + [Self.role, Self.role, Self.stop, Self.done])
        #expect(outputs.joined().hasPrefix((many + [Self.role, Self.role]).joined()))
        #expect(failure == Failure.emptyAnswer && !outputs.joined().contains("[DONE]"))
    }
}
