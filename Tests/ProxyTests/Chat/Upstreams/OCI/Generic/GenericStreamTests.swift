import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct GenericStreamTests {
    private static let cases = Golden.cases("oci/chat", "stream_generic")

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 25)
    }

    @Test(arguments: cases, Delivery.allCases)
    func `Every fixture gives its chunks`(golden: Golden.Case, delivery: Delivery) throws {
        try expect(golden, delivery.pieces(Array((golden.object["oci_sse"] as? String ?? "").utf8)))
    }

    @Test(arguments: cases, 0..<32)
    func `The way in which bytes were cut means nothing`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        try expect(golden, Delivery.disguised(golden.object["oci_sse"] as? String ?? "", &random))
    }

    private func expect(_ golden: Golden.Case, _ pieces: [ArraySlice<UInt8>]) throws {
        try StreamRun.expect(golden, pieces, of: .generic)
    }

    private func run(_ events: String...) throws -> StreamRun {
        try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
    }

    @Test func `A stream that says nothing is a failure and leaves no trace`() throws {
        for events in [
            [#"{"finishReason":"stop"}"#],
            [#"{"index":0,"message":{"role":"ASSISTANT","content":[]}}"#, #"{"finishReason":"stop"}"#], ["[DONE]"],
        ] {
            let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
            #expect(run.error?.code == "upstream_empty_answer")
            #expect(try run.chunks().chunks.count == 1)
        }
    }

    @Test func `An empty body is an incomplete stream`() throws {
        #expect(try run().error?.code == "upstream_stream_incomplete")
    }

    @Test func `A call without arguments delivers an empty object once`() throws {
        let run = try run(
            #"{"message":{"toolCalls":[{"id":"a","type":"FUNCTION","name":"f"}]}}"#,
            #"{"message":{"toolCalls":[{"id":"b","type":"FUNCTION","name":"g","arguments":""}]}}"#,
            #"{"finishReason":"tool_calls"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let arguments = chunks.compactMap {
            (($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object]
        }
        .map { ($0[0]["index"] as? Int, ($0[0]["function"] as? Golden.Object)?["arguments"] as? String) }
        #expect(arguments.map(\.0) == [0, 0, 1, 1])
        #expect(arguments.map(\.1) == ["", "{}", "", "{}"])
    }

    @Test func `Two calls without IDs are two calls`() throws {
        let run = try run(
            #"{"message":{"toolCalls":[{"type":"FUNCTION","name":"f","arguments":"{\"a\":1}"}]}}"#,
            #"{"message":{"toolCalls":[{"type":"FUNCTION","name":"f","arguments":"{\"a\":2}"}]}}"#,
            #"{"finishReason":"stop"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let ids = chunks.compactMap {
            (($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object]
        }
        .compactMap { $0[0]["id"] as? String }
        #expect(Set(ids).count == 2)
    }

    @Test func `Text and reasoning of one event travel apart`() throws {
        let run = try run(
            #"{"message":{"reasoningContent":"why","content":[{"type":"TEXT","text":"so"}]}}"#,
            #"{"finishReason":"stop"}"#)
        try ChunkRules.check(try run.chunks().chunks, done: true)
    }

    @Test func `The last reason is the reason`() throws {
        let run = try run(
            #"{"message":{"content":[{"text":"a"}]}}"#, #"{"finishReason":"stop"}"#,
            #"{"message":{"content":[{"text":"late"}]}}"#, #"{"finishReason":"length"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let text = String(decoding: run.frames, as: UTF8.self)
        #expect(
            text.contains("late") && text.contains(#""finish_reason":"length""#)
                && !text.contains(#""finish_reason":"stop""#))
    }

    @Test func `Usage is counted even when the client did not ask`() throws {
        let text =
            #"data: {"message":{"content":[{"text":"a"}]}}\#n\#ndata: {"finishReason":"stop"}\#n\#ndata: {"usage":{"promptTokens":3,"completionTokens":2,"totalTokens":5}}\#n\#n"#
        let run = try StreamRun([Array(text.utf8)[...]], includesUsage: false)
        #expect(run.usage == TokenUsage(prompt: 3, completion: 2, total: 5))
        #expect(try run.chunks().chunks.allSatisfy { ($0["choices"] as? [Any])?.isEmpty == false })
    }

    @Test(arguments: cases, 0..<6)
    func `Mutated streams never crash and never give broken output`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var bytes = Array((golden.object["oci_sse"] as? String ?? "").utf8)
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: index)
            default: bytes.insert(contentsOf: Array("\"{}[],:".utf8).shuffled(using: &random).prefix(2), at: index)
            }
        }
        let (chunks, done) = try StreamRun([bytes[...]]).chunks()
        try ChunkRules.check(chunks, done: done)
    }
}
