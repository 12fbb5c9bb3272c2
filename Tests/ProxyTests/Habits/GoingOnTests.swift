import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Upstreams that say more behind a finish reason: what is said is passed on, and what an end is, is decided at the end.
@Suite struct GoingOnTests {
    /// A stream in both forms, and what is left of it for the client.
    struct Habit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var choices = 1
        /// Choice, text or call, finish reason.
        let events: [(choice: Int, said: String, reason: String?)]
        var hasDone = true
        /// What each choice says, and with which reason it ends.
        let expected: [Int: (text: String, reason: String)]
        var isWhole = true
    }

    private static let habits: [Habit] = [
        Habit(
            testDescription: "a tool call behind stop", events: [(0, "Let me look.", "stop"), (0, "!f", "tool_calls")],
            expected: [0: ("Let me look.!f", "tool_calls")]),
        Habit(
            testDescription: "a reason with each event",
            events: [(0, "a", "stop"), (0, "b", "stop"), (0, "c", "stop")], expected: [0: ("abc", "stop")]),
        Habit(
            testDescription: "a reason with each event, and no [DONE]", events: [(0, "a", "stop"), (0, "b", "stop")],
            hasDone: false,
            expected: [0: ("ab", "stop")]),
        Habit(
            testDescription: "the reason comes first", events: [(0, "", "stop"), (0, "a", nil), (0, "b", "length")],
            expected: [0: ("ab", "length")]),
        Habit(
            testDescription: "an early reason only", events: [(0, "a", "stop"), (0, "b", nil)],
            expected: [0: ("ab", "stop")]),
        Habit(
            testDescription: "an early reason only, and no [DONE]", events: [(0, "a", "stop"), (0, "b", nil)],
            hasDone: false, expected: [0: ("ab", "")],
            isWhole: false),
        Habit(
            testDescription: "one choice behind the other", choices: 2,
            events: [(0, "a", nil), (0, "", "stop"), (1, "b", nil), (1, "", "length")],
            hasDone: false, expected: [0: ("a", "stop"), 1: ("b", "length")]),
        Habit(
            testDescription: "the second choice never comes", choices: 2, events: [(0, "a", "stop")], hasDone: false,
            expected: [0: ("a", "stop")],
            isWhole: false),
        Habit(
            testDescription: "one choice though two were asked for", choices: 2, events: [(0, "a", "stop")],
            expected: [0: ("a", "stop")]),
        Habit(
            testDescription: "an empty event behind the reason", events: [(0, "a", "stop"), (0, "", nil)],
            hasDone: false, expected: [0: ("a", "stop")]),
        // open-webui/open-webui#16377: with each piece of reasoning.
        Habit(
            testDescription: "a reason with each event but the last two",
            events: [(0, "a", "stop"), (0, "b", "stop"), (0, "c", nil), (0, "", "stop")], hasDone: false,
            expected: [0: ("abc", "stop")]),
        // vllm-project/vllm#36944: with the last piece of text.
        Habit(
            testDescription: "the reason with the last text", events: [(0, "a", nil), (0, "b", "length")],
            hasDone: false, expected: [0: ("ab", "length")]),
        // jakobdylanc/llmcord#84: no reason in any event.
        Habit(
            testDescription: "no reason at all", events: [(0, "a", nil), (0, "b", nil)], expected: [0: ("ab", "stop")]),
        Habit(
            testDescription: "no reason at all, and no [DONE]", events: [(0, "a", nil), (0, "b", nil)], hasDone: false,
            expected: [0: ("ab", "")], isWhole: false),
        Habit(
            testDescription: "a call behind the reason of the second choice", choices: 2,
            events: [(0, "a", "stop"), (1, "b", "stop"), (1, "!f", "tool_calls")],
            expected: [0: ("a", "stop"), 1: ("b!f", "tool_calls")]),
        Habit(
            testDescription: "two calls, each with a reason",
            events: [(0, "!f", "tool_calls"), (0, "a", "tool_calls")], expected: [0: ("!fa", "tool_calls")]),
        Habit(
            testDescription: "the reason twice", events: [(0, "a", "length"), (0, "", "stop")], hasDone: false,
            expected: [0: ("a", "length")]),
    ]

    @Test(arguments: habits, Delivery.allCases)
    func `A provider's stream`(habit: Habit, delivery: Delivery) throws {
        let events = habit.events.map { event in
            let delta =
                event.said == "!f"
                ? #"{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]}"#
                : #"{"content":"\#(event.said)"}"#
            return
                #"{"model":"old","choices":[{"index":\#(event.choice),"delta":\#(delta),"finish_reason":\#(event.reason.map { "\"\($0)\"" } ?? "null")}]}"#
        }
        let text = (events + (habit.hasDone ? ["[DONE]"] : [])).map { "data: \($0)\n\n" }.joined()
        let relay = PassThroughRelay(model: "new", upstream: "acme", choices: habit.choices)
        var (output, failure): ([UInt8], Failure?) = ([], nil)
        for piece in delivery.pieces(Array(text.utf8)) where failure == nil {
            failure = relay.take(ByteBuffer(bytes: piece))
            output += relay.takeFrames()
        }
        failure = failure ?? relay.end()
        output += relay.takeFrames()
        #expect((failure == nil) == habit.isWhole, "\(failure.debugDescription)")
        let passed = events.map { "data: \($0)\n\n".replacing("old", with: "new") }.joined()
        #expect(String(decoding: output, as: UTF8.self) == passed + (habit.isWhole ? "data: [DONE]\n\n" : ""))
    }

    @Test(arguments: habits, Delivery.allCases)
    func `A stream of OCI`(habit: Habit, delivery: Delivery) throws {
        let events = habit.events.map { event in
            let message =
                event.said == "!f"
                ? #"{"toolCalls":[{"id":"x","type":"FUNCTION","name":"f","arguments":"{}"}]}"#
                : #"{"content":[{"type":"TEXT","text":"\#(event.said)"}]}"#
            return
                #"{"index":\#(event.choice),"message":\#(message)\#(event.reason.map { #","finishReason":"\#($0)""# } ?? "")}"#
        }
        let text = (events + (habit.hasDone ? ["[DONE]"] : [])).map { "data: \($0)\n\n" }.joined()
        let run = try StreamRun(delivery.pieces(Array(text.utf8)), choices: habit.choices)
        #expect((run.error == nil) == habit.isWhole)
        let (chunks, done) = try run.chunks()
        #expect(done == habit.isWhole)
        if habit.isWhole { try ChunkRules.check(chunks, done: done) }
        var found: [Int: (text: String, reason: String)] = [:]
        for choice in chunks.flatMap({ $0["choices"] as? [Golden.Object] ?? [] }) {
            let index = try #require(choice["index"] as? Int)
            let delta = try #require(choice["delta"] as? Golden.Object)
            var known = found[index] ?? ("", "")
            known.text += delta["content"] as? String ?? ""
            if delta["tool_calls"] != nil { known.text += "!f" }
            if let reason = choice["finish_reason"] as? String { known.reason = reason }
            found[index] = known
        }
        for (index, choice) in habit.expected {
            #expect(found[index]?.text == choice.text)
            if habit.isWhole { #expect(found[index]?.reason == choice.reason) }
        }
    }

    /// Whoever goes on behind a reason is waited for as within an answer; the others for a while.
    @Test func `The tail begins when nothing more is expected`() {
        func event(_ text: String, _ reason: String) -> ByteBuffer {
            ByteBuffer(
                string: #"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":"\#(reason)"}]}"#
                    + "\n\n")
        }
        let relay = PassThroughRelay(model: "m", upstream: "a")
        #expect(relay.take(event("a", "stop")) == nil && relay.isFinished)
        #expect(relay.take(event("", "stop")) == nil && relay.isFinished)
        #expect(relay.take(event("b", "stop")) == nil && !relay.isFinished)
        let two = PassThroughRelay(model: "m", upstream: "a", choices: 2)
        #expect(two.take(event("a", "stop")) == nil && !two.isFinished)
    }
}
