import Foundation
import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// How a stream's bytes reach us.
enum Delivery: CaseIterable, Sendable {
    case whole, lineByLine, byteByByte

    func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        switch self {
        case .whole: [bytes[...]]
        case .lineByLine:
            bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
                Array($0 + [UInt8(ascii: "\n")])[...]
            }
        case .byteByByte: bytes.map { [$0][...] }
        }
    }

    /// The text in one of the forms that mean the same, cut into network reads by chance: lines that end with LF, CRLF or both in
    /// turns, events parted by none, one or two blank lines, comments and other fields between them, no space behind `data:`, and
    /// no end of the last line.
    static func disguised(_ text: String, _ random: inout SplitMix64) -> [ArraySlice<UInt8>] {
        // What a stream does it does throughout, or now and then.
        let odds = [0, 0.3, 1]
        let (crlf, blanks, extras, noSpace) = (
            odds.randomElement(using: &random), odds.randomElement(using: &random),
            [0, 0.3].randomElement(using: &random), odds.randomElement(using: &random)
        )
        var bytes: [UInt8] = []
        func happens(_ odds: Double?) -> Bool { Double.random(in: 0..<1, using: &random) < odds ?? 0 }
        func end() { bytes += happens(crlf) ? [13, 10] : [10] }
        for line in Array(text.utf8).split(separator: 10) {
            let line = line.last == 13 ? line.dropLast() : line
            guard !line.isEmpty else { continue }
            while happens(extras) {
                bytes += Array(others.randomElement(using: &random)?.utf8 ?? "".utf8)
                end()
            }
            let isSpaced = line.starts(with: Array("data: ".utf8))
            bytes += isSpaced && happens(noSpace) ? Array("data:".utf8) + line.dropFirst(6) : Array(line)
            end()
            for _ in 0..<2 where happens(blanks) { end() }
        }
        if happens(0.3) { while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() } }
        return Fuzz.pieces(of: bytes, lengths: 0...([1, 4, 60, 1000].randomElement(using: &random) ?? 1), &random)
    }

    /// Lines that say nothing.
    private static let others = [
        ": keep-alive", ":", ":data: {}", "event: message", "id: 7", "retry: 1000", "data", "", " data: {}",
        "database: {}",
    ]
}

/// Runs bytes through a relay, one network read after the other.
struct StreamRun {
    var frames: [UInt8] = []
    var error: Failure?
    var usage: TokenUsage?
    var unreadable = 0

    init(
        _ pieces: [ArraySlice<UInt8>], of dialect: Dialect = .generic, model: String = "m", includesUsage: Bool = true,
        choices: Int = 1
    ) throws {
        let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: model)
        let relay = dialect.relay(in: envelope, includesUsage: includesUsage, choices: choices)
        for piece in pieces where error == nil && !relay.isComplete {
            error = relay.take(ByteBuffer(bytes: piece))
            frames += relay.takeFrames()
        }
        if error == nil { error = relay.end() }
        frames += relay.takeFrames()
        if let error { frames += envelope.error(error) }
        usage = relay.usage
        unreadable = relay.unreadableEvents
    }

    /// The events of the output as JSON, and whether it ends in `[DONE]`.
    func chunks() throws -> (chunks: [Golden.Object], done: Bool) {
        var chunks: [Golden.Object] = []
        var done = false
        for callContext in String(decoding: frames, as: UTF8.self).components(separatedBy: "\n\n").dropLast() {
            #expect(!done, "nothing follows [DONE]")
            #expect(callContext.hasPrefix("data: ") && !callContext.contains("\n"))
            let data = callContext.dropFirst(6)
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
        let expected = finishingAtTheEnd(
            splittingToolCalls(try #require(golden.object["openai_chunks"] as? [Golden.Object])))
        #expect(Golden.difference(found, expected) == nil)
        #expect(done == golden.object["openai_done"] as? Bool)
        try ChunkRules.check(found, done: done)
    }

    /// The fixtures tell each reason where the upstream does; a GENERIC stream's are told when nothing more can come.
    private static func finishingAtTheEnd(_ chunks: [Golden.Object]) -> [Golden.Object] {
        func isFinish(_ chunk: Golden.Object) -> Bool {
            (chunk["choices"] as? [Golden.Object])?.first?["finish_reason"] is String
        }
        func isUsage(_ chunk: Golden.Object) -> Bool { (chunk["choices"] as? [Any])?.isEmpty == true }
        func index(_ chunk: Golden.Object) -> Int {
            (chunk["choices"] as? [Golden.Object])?.first?["index"] as? Int ?? 0
        }
        return chunks.filter { !isFinish($0) && !isUsage($0) }
            + chunks.filter(isFinish).sorted { index($0) < index($1) } + chunks.filter(isUsage)
    }

    /// The fixtures allow one chunk with two calls or two with one each; ours are the latter.
    private static func splittingToolCalls(_ chunks: [Golden.Object]) -> [Golden.Object] {
        chunks.flatMap { chunk -> [Golden.Object] in
            guard let choices = chunk["choices"] as? [Golden.Object],
                let delta = choices.first?["delta"] as? Golden.Object,
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
