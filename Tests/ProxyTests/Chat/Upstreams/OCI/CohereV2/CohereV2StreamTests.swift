import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct CohereV2StreamTests {
    static let cases = Golden.cases("oci/chat", "stream_coherev2_")

    private func run(_ events: String...) throws -> StreamRun {
        let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]], of: .cohereV2)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        return run
    }

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 6)
    }

    @Test(arguments: cases, Delivery.allCases)
    func `Every fixture gives its chunks`(golden: Golden.Case, delivery: Delivery) throws {
        try StreamRun.expect(
            golden, delivery.pieces(Array((golden.object["oci_sse"] as? String ?? "").utf8)), of: .cohereV2)
    }

    @Test(arguments: cases, 0..<32)
    func `The way in which bytes were cut means nothing`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        try StreamRun.expect(
            golden, Delivery.disguised(golden.object["oci_sse"] as? String ?? "", &random), of: .cohereV2)
    }

    private static let stop = #"{"message":{"role":"ASSISTANT"},"finishReason":"COMPLETE"}"#

    @Test func `Thoughts plans and text of one event travel apart`() throws {
        let run = try run(
            #"{"message":{"toolPlan":"plan","content":[{"type":"TEXT","text":"so"},{"type":"THINKING","thinking":"why"},{"type":"TEXT"}]}}"#,
            Self.stop)
        #expect(
            try run.deltas().compactMap { ($0["reasoning_content"] ?? $0["content"]) as? String } == [
                "", "why", "\nplan", "so",
            ])
    }

    /// Whether calls come whole or in pieces is not known.
    @Test(arguments: [
        [#"{"id":"a","type":"FUNCTION","function":{"name":"f","arguments":"{\"x\":1}"}}"#],
        [
            #"{"id":"a","type":"FUNCTION","function":{"name":"f","arguments":""}}"#,
            #"{"function":{"arguments":"{\"x\""}}"#, #"{"id":"a","function":{"arguments":":1}"}}"#,
        ],
        [#"{"id":"a","function":{"name":"f","arguments":{"x":1}}}"#],
        [#"{"id":"a","name":"f","arguments":"{\"x\":1}"}"#],
        [
            #"{"id":"a","type":"FUNCTION","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
            #"{"id":"a","type":"FUNCTION","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
        ],
        [#"{}"#, #"{"function":{"name":"f"}}"#, #"{"function":{"arguments":"{\"x\":1}"}}"#],
    ])
    func `Every form of a call is one call`(pieces: [String]) throws {
        let text = pieces.map { #"data: {"message":{"toolCalls":[\#($0)]}}"# + "\n" }.joined() + "data: " + Self.stop
        let run = try StreamRun([Array(text.utf8)[...]], of: .cohereV2)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let calls = try run.deltas().flatMap { $0["tool_calls"] as? [Golden.Object] ?? [] }
        #expect(calls.compactMap { ($0["function"] as? Golden.Object)?["name"] as? String } == ["f"])
        #expect(
            calls.compactMap { ($0["function"] as? Golden.Object)?["arguments"] as? String }.joined() == #"{"x":1}"#)
        #expect(String(decoding: run.frames, as: UTF8.self).contains(#""finish_reason":"tool_calls""#))
    }

    @Test func `A call that was over cannot go on`() throws {
        let call = { (id: String) in
            #"{"message":{"toolCalls":[{"id":"\#(id)","function":{"name":"f","arguments":"{"}}]}}"#
        }
        #expect(try run(call("a"), call("b"), call("a"), Self.stop).error?.code == "upstream_error")
    }

    @Test func `Probabilities of an event are told once`() throws {
        let run = try run(
            #"{"message":{"content":[{"text":"a"},{"text":"b"}]},"logProbabilities":[{"tokenIds":[1,2],"text":"ab","logProbabilities":[-1,-2]},{"tokenIds":[3]}]}"#,
            Self.stop)
        let logprobs = try run.chunks().chunks.compactMap {
            ($0["choices"] as? [Golden.Object])?.first?["logprobs"] as? Golden.Object
        }
        let content = try #require(logprobs.first?["content"] as? [Golden.Object])
        #expect(logprobs.count == 1 && content.count == 1)
        #expect(content[0]["token"] as? String == "ab" && content[0]["logprob"] as? Double == -3)
    }
}
