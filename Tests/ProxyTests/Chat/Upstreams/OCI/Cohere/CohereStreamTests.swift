import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct CohereStreamTests {
    static let cases = Golden.cases("oci/chat", "stream_cohere_")
    static let dialect = Dialect.cohere(CohereToolNames())

    private func run(_ events: String...) throws -> StreamRun {
        try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]], of: Self.dialect)
    }

    /// Checks the rules of every stream and returns the whole text.
    private func text(_ run: StreamRun) throws -> String {
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        return try run.deltas().compactMap { $0["content"] as? String }.joined()
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 7)
    }

    @Test(arguments: cases, Delivery.allCases)
    func `Every fixture gives its chunks`(golden: Golden.Case, delivery: Delivery) throws {
        try StreamRun.expect(
            golden, delivery.pieces(Array((golden.object["oci_sse"] as? String ?? "").utf8)), of: Self.dialect)
    }

    @Test(arguments: cases, 0..<32)
    func `The way in which bytes were cut means nothing`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        try StreamRun.expect(
            golden, Delivery.disguised(golden.object["oci_sse"] as? String ?? "", &random), of: Self.dialect)
    }

    // MARK: The repeated text

    @Test(arguments: [
        ([#"{"text":"Hel"}"#], "Hello!", "Hello!"), ([], "Hello!", "Hello!"), ([#"{"text":"Hello!"}"#], "", "Hello!"),
        // Escapes may differ.
        ([#"{"text":"\ud83d\ude80 "}"#, #"{"text":"caf\u00e9"}"#], "🚀 café noir", "🚀 café noir"),
        ([#"{"text":" Hello! "}"#], "Hello!", " Hello! "), ([#"{"text":"Hel"}"#, #"{"text":"!"}"#], "Hello!", "Hel!"),
    ])
    func `The last event adds only what was not said`(deltas: [String], whole: String, told: String) throws {
        let last = String(
            decoding: try JSONSerialization.data(withJSONObject: ["text": whole, "finishReason": "COMPLETE"]),
            as: UTF8.self)
        let run = try StreamRun(
            [Array((deltas + [last]).map { "data: \($0)\n\n" }.joined().utf8)[...]], of: Self.dialect)
        #expect(run.error == nil)
        #expect(try text(run) == told)
    }

    @Test func `A character may be cut in two halves`() throws {
        let run = try run(#"{"text":"a\ud83d"}"#, #"{"text":"\ude80b"}"#, #"{"text":"a🚀bc","finishReason":"COMPLETE"}"#)
        let texts = String(decoding: run.frames, as: UTF8.self).matches(of: #/"content":"([^"]*)"/#).map {
            String($0.output.1)
        }
        #expect(texts == ["", #"a\ud83d"#, #"\ude80b"#, "c"])
    }

    @Test func `An empty list of calls does not make an event a repetition`() throws {
        let run = try run(
            #"{"text":"a","toolCalls":[]}"#, #"{"text":"b","toolCalls":null}"#,
            #"{"text":"ab","finishReason":"COMPLETE","toolCalls":[]}"#)
        #expect(try text(run) == "ab" && run.deltas().last?.isEmpty == true)
    }

    // MARK: Tool calls

    private static let calls: [(events: [String], expected: [[String]])] = [
        ([#"[{"name":"f","parameters":{"a":1}}]"#], [["f", #"{"a":1}"#]]),
        // The same call twice is two calls, however often both are repeated.
        (
            [#"[{"name":"f","parameters":{}},{"name":"f"}]"#, #"[{"name":"f","parameters":{}},{"name":"f"}]"#],
            [["f", "{}"], ["f", "{}"]]
        ),
        (
            [
                #"[{"name":"f","parameters":{"a":1}}]"#,
                #"[{"name":"f","parameters":{"a":1}},{"name":"g","parameters":{"b":2}}]"#,
            ], [["f", #"{"a":1}"#], ["g", #"{"b":2}"#]]
        ),
        ([#"[{"name":"f","parameters":null},{"parameters":{}},7,{"name":""}]"#], [["f", "{}"]]),
        ([#"[{"name":"f","parameters":"{\"a\":1}"}]"#], [["f", #"{"a":1}"#]]),
        ([#"[{"name":"f","parameters":[1]}]"#], [["f", "{}"]]),
    ]

    @Test(arguments: calls)
    func `Every call is told once and has an ID of its own`(events: [String], expected: [[String]]) throws {
        let text =
            events.map { #"data: {"text":"I look.","toolCalls":\#($0)}"# + "\n\n" }.joined()
            + #"data: {"text":"I look.","toolCalls":\#(events.last ?? "[]"),"finishReason":"COMPLETE"}"# + "\n\n"
        let run = try StreamRun([Array(text.utf8)[...]], of: Self.dialect)
        #expect(try self.text(run) == "I look.")
        let calls = try run.deltas().flatMap { $0["tool_calls"] as? [Golden.Object] ?? [] }
        let functions = calls.compactMap { $0["function"] as? [String: String] }
        #expect(functions.map { [$0["name"] ?? "", $0["arguments"] ?? ""] } == expected)
        #expect(Set(calls.compactMap { $0["id"] as? String }).count == expected.count)
        #expect(String(decoding: run.frames, as: UTF8.self).contains(#""finish_reason":"tool_calls""#))
    }

    @Test func `Calls bear the client's names`() throws {
        let chat = try ChatRequest.parse(
            Array(
                #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a-b"}},{"type":"function","function":{"name":"a_b"}}]}"#
                    .utf8))
        let events =
            "data: "
            + #"{"text":"","toolCalls":[{"name":"a_b_2"},{"name":"a_b"},{"name":"other"}],"finishReason":"COMPLETE"}"#
            + "\n\n"
        let run = try StreamRun([Array(events.utf8)[...]], of: Dialect(.cohere, for: chat))
        let names = try run.deltas().flatMap { $0["tool_calls"] as? [Golden.Object] ?? [] }.map {
            ($0["function"] as? Golden.Object)?["name"] as? String
        }
        #expect(names == ["a-b", "a_b", "other"])
    }

    // MARK: The end

    @Test func `After the finish nothing is passed on`() throws {
        let run = try run(
            #"{"text":"a"}"#, #"{"text":"a","finishReason":"COMPLETE"}"#, #"{"text":"late"}"#, "[DONE]",
            #"{"text":"late","finishReason":"ERROR"}"#)
        #expect(try text(run) == "a" && run.error == nil)
        #expect(try run.chunks().done)
    }

    @Test func `Usage is counted even when the client did not ask`() throws {
        let event =
            #"data: {"text":"a","finishReason":"COMPLETE","usage":{"promptTokens":3,"completionTokens":2,"totalTokens":5}}"#
        let run = try StreamRun([Array(event.utf8)[...]], of: Self.dialect, includesUsage: false)
        #expect(run.usage == TokenUsage(prompt: 3, completion: 2, total: 5))
        #expect(try run.chunks().chunks.allSatisfy { ($0["choices"] as? [Any])?.isEmpty == false })
    }
}

extension StreamRun {
    /// The deltas of the first choice, in order.
    func deltas() throws -> [Golden.Object] {
        try chunks().chunks.compactMap { ($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object }
    }
}
