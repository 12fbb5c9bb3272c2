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

    /// The text in one of the forms that mean the same, cut into network reads by chance.
    static func disguised(_ text: String, seed: UInt64, _ random: inout SplitMix64) -> [ArraySlice<UInt8>] {
        var text = text
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
        return pieces
    }
}

/// Runs bytes through the parser and the translator, as a relay does.
struct StreamRun {
    var frames: [UInt8] = []
    var error: APIError?
    var usage: TokenUsage?
    var unreadable = 0

    init(_ pieces: [ArraySlice<UInt8>], of dialect: Dialect = .generic, model: String = "m", includesUsage: Bool = true) throws {
        let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: model)
        var parser = SSEParser()
        var stream = dialect.stream(in: envelope, includesUsage: includesUsage)
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

    /// Runs a fixture's stream and compares it with what the fixture wants.
    static func expect(_ golden: Golden.Case, _ pieces: [ArraySlice<UInt8>], of dialect: Dialect) throws {
        let context = try #require(golden.object["context"] as? Golden.Object)
        let run = try StreamRun(
            pieces, of: dialect, model: try #require(context["requested_model"] as? String),
            includesUsage: context["include_usage"] as? Bool ?? false)
        let (found, done) = try run.chunks()
        let expected = splittingToolCalls(try #require(golden.object["openai_chunks"] as? [Golden.Object]))
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
}
