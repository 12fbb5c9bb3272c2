import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

/// How a stream's bytes reach us.
enum Delivery: CaseIterable, Sendable {
    case whole, lineByLine, byteByByte

    func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        switch self {
        case .whole: [bytes[...]]
        case .lineByLine: bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0 + [UInt8(ascii: "\n")])[...] }
        case .byteByByte: bytes.map { [$0][...] }
        }
    }
}

/// Runs bytes through the parser and the translator, as a relay does.
struct StreamRun {
    var frames: [UInt8] = []
    var error: APIError?
    var usage: TokenUsage?
    var unreadable = 0

    init(_ pieces: [ArraySlice<UInt8>], model: String = "m", includesUsage: Bool = true) throws {
        let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: model)
        var parser = SSEParser()
        var stream = GenericStream(envelope: envelope, includesUsage: includesUsage)
        func take(_ event: ArraySlice<UInt8>, _ frames: inout [UInt8]) -> APIError? {
            if case .failed(let error) = stream.translate(event, into: &frames) { error } else { nil }
        }
        outer: for piece in pieces {
            parser.feed(piece)
            while let event = try parser.next() {
                error = take(event, &frames)
                if error != nil { break outer }
            }
        }
        if error == nil, let event = parser.end() { error = take(event, &frames) }
        if error == nil { error = stream.end(into: &frames) }
        if let error { frames += envelope.error(error) }
        usage = stream.usage
        unreadable = stream.unreadableEvents
    }

    /// The events of the output as JSON, and whether it ends in `[DONE]`.
    func chunks() throws -> (chunks: [Golden.Object], done: Bool) {
        var chunks: [Golden.Object] = []
        var done = false
        for frame in String(decoding: frames, as: UTF8.self).components(separatedBy: "\n\n").dropLast() {
            #expect(!done, "nothing follows [DONE]")
            #expect(frame.hasPrefix("data: ") && !frame.contains("\n"))
            let data = frame.dropFirst(6)
            if data == "[DONE]" {
                done = true
            } else {
                chunks.append(try #require(try Golden.parse(data.utf8) as? Golden.Object))
            }
        }
        #expect(frames.isEmpty || frames.suffix(2) == [10, 10])
        return (chunks, done)
    }
}

@Suite struct GenericStreamTests {
    private static let cases = Golden.cases("oci/chat", "stream_generic")

    @Test func allCasesAreThere() {
        #expect(Self.cases.count == 25)
    }

    @Test(arguments: cases, Delivery.allCases)
    func everyFixtureGivesItsChunks(golden: Golden.Case, delivery: Delivery) throws {
        try expect(golden, delivery.pieces(Array((golden.object["oci_sse"] as? String ?? "").utf8)))
    }

    @Test(arguments: cases, 0..<8)
    func theWayInWhichBytesWereCutMeansNothing(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var text = golden.object["oci_sse"] as? String ?? ""
        if seed % 2 == 1, !text.contains("\r") { text = text.replacing("\n", with: "\r\n") }
        if seed % 3 == 1 { text = text.replacing("data: ", with: "data:") }
        if seed % 4 == 2 { text = text.replacing("\n\n", with: "\n") }
        if seed % 4 == 3 { text = ": comment\n" + text }
        var pieces: [ArraySlice<UInt8>] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...min(60, rest.count), using: &random)
            pieces.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        try expect(golden, pieces)
    }

    private func expect(_ golden: Golden.Case, _ pieces: [ArraySlice<UInt8>]) throws {
        let context = try #require(golden.object["context"] as? Golden.Object)
        let run = try StreamRun(
            pieces, model: try #require(context["requested_model"] as? String), includesUsage: context["include_usage"] as? Bool ?? false)
        let (found, done) = try run.chunks()
        let expected = Self.splittingToolCalls(try #require(golden.object["openai_chunks"] as? [Golden.Object]))
        #expect(Golden.difference(found, expected) == nil)
        #expect(done == golden.object["openai_done"] as? Bool)
        try ChunkRules.check(found, done: done)
    }

    /// The fixtures allow one chunk with two calls or two with one each; ours are the latter.
    private static func splittingToolCalls(_ chunks: [Golden.Object]) -> [Golden.Object] {
        chunks.flatMap { chunk -> [Golden.Object] in
            guard let choices = chunk["choices"] as? [Golden.Object], let delta = choices.first?["delta"] as? Golden.Object,
                let calls = delta["tool_calls"] as? [Any], calls.count > 1
            else { return [chunk] }
            return calls.map { call in
                var chunk = chunk
                var choice = choices[0]
                choice["delta"] = ["tool_calls": [call]]
                chunk["choices"] = [choice]
                return chunk
            }
        }
    }

    private func run(_ events: String...) throws -> StreamRun {
        try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
    }

    @Test func aStreamThatSaysNothingIsAFailureAndLeavesNoTrace() throws {
        for events in [[#"{"finishReason":"stop"}"#], [#"{"index":0,"message":{"role":"ASSISTANT","content":[]}}"#, #"{"finishReason":"stop"}"#], ["[DONE]"]] {
            let run = try StreamRun([Array(events.map { "data: \($0)\n\n" }.joined().utf8)[...]])
            #expect(run.error?.code == "upstream_empty_answer")
            #expect(try run.chunks().chunks.count == 1)
        }
    }

    @Test func anEmptyBodyIsAnIncompleteStream() throws {
        #expect(try run().error?.code == "upstream_stream_incomplete")
    }

    @Test func aCallWithoutArgumentsDeliversAnEmptyObjectOnce() throws {
        let run = try run(
            #"{"message":{"toolCalls":[{"id":"a","type":"FUNCTION","name":"f"}]}}"#, #"{"message":{"toolCalls":[{"id":"b","type":"FUNCTION","name":"g","arguments":""}]}}"#,
            #"{"finishReason":"tool_calls"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let arguments = chunks.compactMap { (($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object] }
            .map { ($0[0]["index"] as? Int, ($0[0]["function"] as? Golden.Object)?["arguments"] as? String) }
        #expect(arguments.map(\.0) == [0, 0, 1, 1])
        #expect(arguments.map(\.1) == ["", "{}", "", "{}"])
    }

    @Test func twoCallsWithoutIDsAreTwoCalls() throws {
        let run = try run(
            #"{"message":{"toolCalls":[{"type":"FUNCTION","name":"f","arguments":"{\"a\":1}"}]}}"#,
            #"{"message":{"toolCalls":[{"type":"FUNCTION","name":"f","arguments":"{\"a\":2}"}]}}"#, #"{"finishReason":"stop"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        let ids = chunks.compactMap { (($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object)?["tool_calls"] as? [Golden.Object] }
            .compactMap { $0[0]["id"] as? String }
        #expect(Set(ids).count == 2)
    }

    @Test func textAndReasoningOfOneEventTravelApart() throws {
        let run = try run(#"{"message":{"reasoningContent":"why","content":[{"type":"TEXT","text":"so"}]}}"#, #"{"finishReason":"stop"}"#)
        try ChunkRules.check(try run.chunks().chunks, done: true)
    }

    @Test func whatFollowsTheFinishIsNotPassedOn() throws {
        let run = try run(
            #"{"message":{"content":[{"text":"a"}]}}"#, #"{"finishReason":"stop"}"#, #"{"message":{"content":[{"text":"late"}]}}"#, #"{"finishReason":"length"}"#)
        let (chunks, done) = try run.chunks()
        try ChunkRules.check(chunks, done: done)
        #expect(!String(decoding: run.frames, as: UTF8.self).contains("late"))
    }

    @Test func usageIsCountedEvenWhenTheClientDidNotAsk() throws {
        let text = #"data: {"message":{"content":[{"text":"a"}]}}\#n\#ndata: {"finishReason":"stop"}\#n\#ndata: {"usage":{"promptTokens":3,"completionTokens":2,"totalTokens":5}}\#n\#n"#
        let run = try StreamRun([Array(text.utf8)[...]], includesUsage: false)
        #expect(run.usage == TokenUsage(prompt: 3, completion: 2, total: 5))
        #expect(try run.chunks().chunks.allSatisfy { ($0["choices"] as? [Any])?.isEmpty == false })
    }

    @Test(arguments: cases, 0..<6)
    func mutatedStreamsNeverCrashAndNeverGiveBrokenOutput(golden: Golden.Case, seed: UInt64) throws {
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

/// What every stream has to obey so that no known client chokes on it.
enum ChunkRules {
    static func check(_ chunks: [Golden.Object], done: Bool) throws {
        var withRole: Set<Int> = [], finished: Set<Int> = [], calls: [Int: Int] = [:], hasUsage = false
        for (position, chunk) in chunks.enumerated() {
            if chunk["error"] != nil {
                #expect(position == chunks.count - 1 && !done, "an error is the last event, and no [DONE] follows")
                #expect((chunk["error"] as? Golden.Object)?["message"] is String)
                continue
            }
            #expect(chunk["id"] as? String == chunks[0]["id"] as? String)
            #expect(chunk["object"] as? String == "chat.completion.chunk")
            #expect(chunk["created"] is Int && chunk["model"] is String)
            let choices = try #require(chunk["choices"] as? [Golden.Object])
            if choices.isEmpty {
                #expect(chunk["usage"] is Golden.Object && !hasUsage && finished == withRole)
                hasUsage = true
                continue
            }
            for choice in choices {
                let index = try #require(choice["index"] as? Int)
                let delta = try #require(choice["delta"] as? Golden.Object)
                #expect(choice.keys.contains("finish_reason"))
                #expect(!finished.contains(index), "nothing follows a choice's finish")
                if withRole.insert(index).inserted {
                    #expect(delta["role"] as? String == "assistant" && delta["content"] as? String == "")
                } else {
                    #expect(delta["role"] == nil)
                }
                #expect(delta["reasoning_content"] == nil || delta["content"] == nil)
                for call in delta["tool_calls"] as? [Golden.Object] ?? [] {
                    let number = try #require(call["index"] as? Int)
                    let function = try #require(call["function"] as? Golden.Object)
                    #expect(function["arguments"] is String)
                    if number == calls[index, default: 0] {
                        calls[index] = number + 1
                        #expect((call["id"] as? String)?.isEmpty == false && call["type"] as? String == "function" && function["name"] is String)
                    } else {
                        #expect(number == calls[index, default: 0] - 1, "calls come one after the other")
                        #expect(call["id"] == nil && function["name"] == nil)
                    }
                }
                if let reason = choice["finish_reason"] as? String {
                    #expect(delta.isEmpty)
                    #expect(["stop", "length", "tool_calls", "content_filter"].contains(reason))
                    if calls[index, default: 0] > 0, reason == "stop" { Issue.record("calls were made, yet the reason is stop") }
                    finished.insert(index)
                }
            }
        }
        if done { #expect(finished == withRole && !withRole.isEmpty) }
    }
}
