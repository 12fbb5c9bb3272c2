import Foundation
import Testing

@testable import Proxy

/// The habits in which upstreams write tool calls, each as the entries of successive events.
@Suite struct ToolCallAssemblyTests {
    struct Habit: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let entries: [String]
        /// Name and whole arguments of each call.
        let calls: [[String]]
    }

    private static let habits: [Habit] = [
        Habit(testDescription: "two calls without ids and without arguments", entries: [#"{"name":"f"}"#, #"{"name":"g","arguments":""}"#], calls: [["f", "{}"], ["g", "{}"]]),
        Habit(testDescription: "the same call twice, without ids and arguments", entries: [#"{"name":"f"}"#, #"{"name":"f"}"#], calls: [["f", "{}"], ["f", "{}"]]),
        Habit(testDescription: "the name repeated on fragments", entries: [#"{"id":"a","name":"f"}"#, #"{"name":"f","arguments":"{\"x\""}"#, #"{"name":"f","arguments":":1}"}"#], calls: [["f", #"{"x":1}"#]]),
        Habit(testDescription: "id and name repeated on fragments", entries: [#"{"id":"a","name":"f"}"#, #"{"id":"a","name":"f","arguments":"{\"x\""}"#, #"{"id":"a","arguments":":1}"}"#], calls: [["f", #"{"x":1}"#]]),
        Habit(testDescription: "another name ends an unfinished call", entries: [#"{"name":"f","arguments":"{\"x\""}"#, #"{"name":"g","arguments":"{}"}"#], calls: [["f", #"{"x""#], ["g", "{}"]]),
        Habit(testDescription: "a last event restates every call", entries: [#"{"id":"a","name":"f","arguments":"{\"x\":1}"}"#, #"{"id":"b","name":"g","arguments":"{}"}"#, #"{"id":"a","name":"f","arguments":"{\"x\":1}"}"#, #"{"id":"b","name":"g","arguments":"{}"}"#], calls: [["f", #"{"x":1}"#], ["g", "{}"]]),
        Habit(testDescription: "arguments as an object", entries: [#"{"id":"a","name":"f","arguments":{"x":"\"é\""}}"#], calls: [["f", #"{"x":"\"é\""}"#]]),
        Habit(testDescription: "empty entries around a call", entries: ["{}", #"{"type":"FUNCTION"}"#, #"{"id":"a","name":"f","arguments":"{}"}"#, "{}"], calls: [["f", "{}"]]),
    ]

    private func stream(_ entries: [String], finish: String = "tool_calls") throws -> StreamRun {
        let events = entries.map { #"{"message":{"toolCalls":[\#($0)]}}"# } + [#"{"finishReason":"\#(finish)"}"#]
        return try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
    }

    @Test(arguments: habits)
    func everyHabitGivesItsCalls(habit: Habit) throws {
        let run = try stream(habit.entries)
        let (chunks, done) = try run.chunks()
        #expect(done)
        try ChunkRules.check(chunks, done: done)
        var calls: [[String]] = []
        for chunk in chunks {
            let delta = (chunk["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object
            for entry in delta?["tool_calls"] as? [Golden.Object] ?? [] {
                let index = try #require(entry["index"] as? Int)
                let function = try #require(entry["function"] as? Golden.Object)
                if index == calls.count { calls.append([try #require(function["name"] as? String), ""]) }
                calls[index][1] += try #require(function["arguments"] as? String)
            }
        }
        #expect(calls == habit.calls)
    }

    @Test func argumentsForACallThatIsOverAreAFailureAndNeverBrokenJSON() throws {
        let run = try stream([#"{"id":"a","name":"f"}"#, #"{"id":"b","name":"g"}"#, #"{"id":"a","arguments":"{\"x\":1}"}"#])
        #expect(run.error?.code == "upstream_error")
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
    }

    @Test func anEntryThatIsNoCallIsNoAnswer() throws {
        #expect(try stream(["{}"], finish: "stop").error?.code == "upstream_empty_answer")
        let body = #"{"chatResponse":{"choices":[{"message":{"toolCalls":[{}]},"finishReason":"tool_calls"}]}}"#
        let error = #expect(throws: APIError.self) {
            try GenericToOpenAI.translate(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        }
        #expect(error?.code == "upstream_empty_answer")
    }

    @Test func aWholeAnswerHasArgumentsAsText() throws {
        let body = #"{"chatResponse":{"choices":[{"message":{"toolCalls":[{"id":"a","name":"f","arguments":{"x":[1]}}]},"finishReason":"stop"}]}}"#
        let answer = try GenericToOpenAI.translate(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""arguments":"{\"x\":[1]}""#))
    }
}
