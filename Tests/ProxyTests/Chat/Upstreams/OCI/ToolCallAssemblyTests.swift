import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The habits in which upstreams write tool calls, each as the entries of successive events.
@Suite struct ToolCallAssemblyTests {
    struct Habit: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let entries: [String]
        /// Name and whole arguments of each call.
        let calls: [[String]]
    }

    private static let habits: [Habit] = [
        Habit(
            testDescription: "two calls without ids and without arguments",
            entries: [#"{"name":"f"}"#, #"{"name":"g","arguments":""}"#], calls: [["f", "{}"], ["g", "{}"]]),
        Habit(
            testDescription: "the same call twice, without ids and arguments",
            entries: [#"{"name":"f"}"#, #"{"name":"f"}"#], calls: [["f", "{}"], ["f", "{}"]]),
        Habit(
            testDescription: "the name repeated on fragments",
            entries: [
                #"{"id":"a","name":"f"}"#, #"{"name":"f","arguments":"{\"x\""}"#, #"{"name":"f","arguments":":1}"}"#,
            ], calls: [["f", #"{"x":1}"#]]),
        Habit(
            testDescription: "id and name repeated on fragments",
            entries: [
                #"{"id":"a","name":"f"}"#, #"{"id":"a","name":"f","arguments":"{\"x\""}"#,
                #"{"id":"a","arguments":":1}"}"#,
            ], calls: [["f", #"{"x":1}"#]]),
        Habit(
            testDescription: "another name ends an unfinished call",
            entries: [#"{"name":"f","arguments":"{\"x\""}"#, #"{"name":"g","arguments":"{}"}"#],
            calls: [["f", #"{"x""#], ["g", "{}"]]),
        Habit(
            testDescription: "a last event restates every call",
            entries: [
                #"{"id":"a","name":"f","arguments":"{\"x\":1}"}"#, #"{"id":"b","name":"g","arguments":"{}"}"#,
                #"{"id":"a","name":"f","arguments":"{\"x\":1}"}"#, #"{"id":"b","name":"g","arguments":"{}"}"#,
            ], calls: [["f", #"{"x":1}"#], ["g", "{}"]]),
        Habit(
            testDescription: "arguments as an object", entries: [#"{"id":"a","name":"f","arguments":{"x":"\"é\""}}"#],
            calls: [["f", #"{"x":"\"é\""}"#]]),
        // Calls with one id.
        Habit(
            testDescription: "one id for two whole calls",
            entries: [
                #"{"id":"x","name":"f","arguments":"{\"city\":\"Rome\"}"}"#,
                #"{"id":"x","name":"f","arguments":"{\"city\":\"Bern\"}"}"#,
            ], calls: [["f", #"{"city":"Rome"}"#], ["f", #"{"city":"Bern"}"#]]),
        Habit(
            testDescription: "one id for two whole calls in one event",
            entries: [#"{"id":"x","name":"f","arguments":"{\"a\":1}"},{"id":"x","name":"f","arguments":"{\"a\":2}"}"#],
            calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "one id for calls of two tools",
            entries: [#"{"id":"x","name":"f","arguments":"{}"}"#, #"{"id":"x","name":"g","arguments":"{}"}"#],
            calls: [["f", "{}"], ["g", "{}"]]),
        Habit(
            testDescription: "one id for calls of two tools without arguments",
            entries: [#"{"id":"x","name":"f"}"#, #"{"id":"x","name":"g"}"#], calls: [["f", "{}"], ["g", "{}"]]),
        Habit(
            testDescription: "the id is the name",
            entries: [
                #"{"id":"f","name":"f","arguments":"{\"a\":1}"}"#, #"{"id":"f","name":"f","arguments":"{\"a\":2}"}"#,
                #"{"id":"f","name":"f","arguments":"{\"a\":3}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#], ["f", #"{"a":3}"#]]),
        Habit(
            testDescription: "one id, in fragments that repeat id and name",
            entries: [
                #"{"id":"x","name":"f","arguments":"{\"a\""}"#, #"{"id":"x","name":"f","arguments":":1}"}"#,
                #"{"id":"x","name":"f","arguments":"{\"a\""}"#, #"{"id":"x","name":"f","arguments":":2}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "one id, opening entries and fragments",
            entries: [
                #"{"id":"x","name":"f","arguments":""}"#, #"{"arguments":"{\"a\":"}"#, #"{"arguments":"1}"}"#,
                #"{"id":"x","name":"f","arguments":""}"#, #"{"arguments":"{\"a\":"}"#, #"{"arguments":"2}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "one id, opening entries and fragments with the id",
            entries: [
                #"{"id":"x","name":"f","arguments":""}"#, #"{"id":"x","arguments":"{\"a\":1}"}"#,
                #"{"id":"x","name":"f","arguments":""}"#, #"{"id":"x","arguments":"{\"a\":"}"#,
                #"{"id":"x","arguments":"2}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "one id, and a last event restates every call",
            entries: [
                #"{"id":"x","name":"f","arguments":"{\"a\":1}"}"#, #"{"id":"x","name":"f","arguments":"{\"a\":2}"}"#,
                #"{"id":"x","name":"f","arguments":"{\"a\":1}"},{"id":"x","name":"f","arguments":"{\"a\":2}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "the id of a call before the last",
            entries: [
                #"{"id":"x","name":"f","arguments":"{}"}"#, #"{"id":"y","name":"g","arguments":"{}"}"#,
                #"{"id":"x","name":"f","arguments":"{\"a\":1}"}"#,
            ], calls: [["f", "{}"], ["g", "{}"], ["f", #"{"a":1}"#]]),
        Habit(
            testDescription: "a whole call is restated without arguments",
            entries: [
                #"{"id":"x","name":"f","arguments":"{\"a\":1}"}"#, #"{"id":"x","name":"f","arguments":""}"#,
                #"{"id":"x","name":"f"}"#,
            ], calls: [["f", #"{"a":1}"#]]),
        Habit(
            testDescription: "empty ids",
            entries: [
                #"{"id":"","name":"f","arguments":"{\"a\":1}"}"#, #"{"id":"","name":"f","arguments":"{\"a\":2}"}"#,
            ], calls: [["f", #"{"a":1}"#], ["f", #"{"a":2}"#]]),
        Habit(
            testDescription: "brackets inside texts end nothing",
            entries: [
                #"{"id":"x","name":"f","arguments":"{\"a\":\"}\\\"]"}"#, #"{"id":"x","name":"f","arguments":"\"}"}"#,
            ], calls: [["f", #"{"a":"}\"]"}"#]]),
        Habit(
            testDescription: "empty entries around a call",
            entries: ["{}", #"{"type":"FUNCTION"}"#, #"{"id":"a","name":"f","arguments":"{}"}"#, "{}"],
            calls: [["f", "{}"]]),
    ]

    private func stream(_ entries: [String], finish: String = "tool_calls") throws -> StreamRun {
        let events = entries.map { #"{"message":{"toolCalls":[\#($0)]}}"# } + [#"{"finishReason":"\#(finish)"}"#]
        return try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
    }

    @Test(arguments: habits)
    func `Every habit gives its calls`(habit: Habit) throws {
        let run = try stream(habit.entries)
        let (chunks, done) = try run.chunks()
        #expect(done)
        try ChunkRules.check(chunks, done: done)
        var calls: [[String]] = []
        var ids: Set<String> = []
        for chunk in chunks {
            let delta = (chunk["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object
            for entry in delta?["tool_calls"] as? [Golden.Object] ?? [] {
                let index = try #require(entry["index"] as? Int)
                let function = try #require(entry["function"] as? Golden.Object)
                if let id = entry["id"] as? String { #expect(!id.isEmpty && ids.insert(id).inserted) }
                if index == calls.count { calls.append([try #require(function["name"] as? String), ""]) }
                calls[index][1] += try #require(function["arguments"] as? String)
            }
        }
        #expect(calls == habit.calls && ids.count == calls.count)
    }

    /// The same calls as one document.
    @Test(arguments: habits)
    func `IDs of a whole answer differ`(habit: Habit) throws {
        let body =
            #"{"chatResponse":{"choices":[{"message":{"toolCalls":[\#(habit.entries.joined(separator: ","))]},"finishReason":"tool_calls"}]}}"#
        let answer = try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        let root = try #require(try Golden.parse(answer.body) as? Golden.Object)
        let message = try #require((root["choices"] as? [Golden.Object])?.first?["message"] as? Golden.Object)
        let calls = try #require(message["tool_calls"] as? [Golden.Object])
        let ids = calls.compactMap { $0["id"] as? String }
        #expect(ids.count == calls.count && Set(ids).count == ids.count && !ids.contains(""))
    }

    /// Fragments that repeat id and name are looked at once each.
    @Test func `Many fragments cost what they are`() throws {
        var assembly = ToolCallAssembly()
        var chunks = ChatChunks(ChunkEnvelope(id: "x", created: 1, model: "m"), includesUsage: false)
        let entry = try JSONDocument(parsing: Array(#"{"id":"x","name":"f","arguments":"[1,2,"}"#.utf8)).root
        for _ in 0..<50_000 {
            chunks.bytes.removeAll(keepingCapacity: true)
            #expect(assembly.take(entry, choice: 0, of: .given("x"), into: &chunks) == .taken)
        }
    }

    @Test func `Arguments for a call that is over are a failure and never broken JSON`() throws {
        let run = try stream([
            #"{"id":"a","name":"f"}"#, #"{"id":"b","name":"g"}"#, #"{"id":"a","arguments":"{\"x\":1}"}"#,
        ])
        #expect(run.error?.code == "upstream_error")
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
    }

    @Test func `An entry that is no call is no answer`() throws {
        #expect(try stream(["{}"], finish: "stop").error?.code == "upstream_empty_answer")
        let body = #"{"chatResponse":{"choices":[{"message":{"toolCalls":[{}]},"finishReason":"tool_calls"}]}}"#
        let error = #expect(throws: Failure.self) {
            try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        }
        #expect(error?.code == "upstream_empty_answer")
    }

    @Test func `A whole answer has arguments as text`() throws {
        let body =
            #"{"chatResponse":{"choices":[{"message":{"toolCalls":[{"id":"a","name":"f","arguments":{"x":[1]}}]},"finishReason":"stop"}]}}"#
        let answer = try Dialect.generic.answer(Array(body.utf8), in: ChunkEnvelope(id: "x", created: 1, model: "m"))
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""arguments":"{\"x\":[1]}""#))
    }
}
