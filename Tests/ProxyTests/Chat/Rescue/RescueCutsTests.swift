import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Streams cut anywhere, in every format and language: never a byte twice, never one lost, and the books balance. Each case has its seed.
@Suite(.timeLimit(.minutes(60))) struct RescueCutsTests {
    /// Who speaks how to whom, and how answers are rescued.
    struct Pair: CustomTestStringConvertible, Sendable {
        let format: BrokenStreams.Format
        let language: BrokenStreams.Language
        var model: String
        var mode = RescueMode.verified
        /// The first upstream speaks the client's language itself.
        var isNative = false

        var testDescription: String {
            "\(format) \(language) \(model) \(mode == .continue ? "continue" : "")\(isNative ? " native" : "")"
        }

        static let all: [Pair] =
            BrokenStreams.Format.allCases.flatMap { format in
                BrokenStreams.Language.allCases.map { Pair(format: format, language: $0, model: format.model) }
            }
            + BrokenStreams.Language.allCases.flatMap { language in
                ["up/deepseek-chat", "up/mistral-large"].map {
                    Pair(format: .provider, language: language, model: $0, mode: .continue)
                } + [
                    Pair(format: .generic, language: language, model: "google.gemini-2.5-pro", mode: .continue)
                ]
            } + [Pair(format: .provider, language: .messages, model: "up/m", isNative: true)]
    }

    @Test(arguments: Pair.all) func `A text comes whole, or its beginning and an honest error`(pair: Pair) async throws
    {
        let seeds = Fuzz.seeds(40)
        let stage = Stage(pair)
        let time = ManualTime()
        let transport = FakeTransport { try stage.answer($0) }
        var policy = RescuePolicy()
        policy.mode = pair.mode
        let router = try BrokenStreams.router(
            transport, pair.format, time.source, upstreams: 4, dialects: pair.isNative ? [.messages] : [],
            host: pair.model.contains("mistral") ? "api.mistral.ai" : "127.0.0.1")
        let door = try FrontDoor.fixture(over: router, time: time.source, rescue: policy)
        var rescued = 0
        for seed in seeds {
            // Budgets and breakers have forgotten the case before.
            time.advance(by: .seconds(600))
            stage.begin(seed)
            let answer = try await door.answer(.POST, pair.language.path, pair.language.request(pair.model))
            let play = stage.play
            let texts = play.texts.map { Array($0.utf16) }
            let told = ClientText(answer.body, pair.language).units
            // Behind a finish reason, the usage need not come.
            let hasEnd = pair.language.once.allSatisfy {
                (($0.contains("total_tokens") ? 0 : 1)...1).contains(answer.body.ranges(of: $0).count)
            }
            let hasError = answer.status != 200 || answer.body.contains(pair.language.error)
            let comment = Comment(rawValue: "seed \(seed): \(play)\n\(answer.body)")
            if hasError {
                try #require(!pair.language.ends(answer.body), comment)
                try #require(texts.contains { $0.starts(with: told) } && !play.mustSucceed, comment)
            } else {
                try #require(hasEnd && texts.contains(told), comment)
                if answer.body.contains(": rescued by ") { rescued += 1 }
            }
        }
        #expect(rescued > seeds.count / 4, "\(rescued) of \(seeds.count)")
        // What has been asked has been counted and has ended, and nobody holds a permit.
        let snapshot = await router.snapshot()
        let figures = snapshot.upstreams.map(\.state)
        #expect(snapshot.permits.inUse == 0 && snapshot.waiting == 0 && figures.allSatisfy { $0.permits.inUse == 0 })
        #expect(figures.map(\.statistics.requests).reduce(0, +) == stage.calls)
        #expect(
            figures.map { $0.statistics.succeeded + $0.statistics.failed + $0.statistics.cancelled }.reduce(0, +)
                == stage.calls)
        let counts = Dictionary(grouping: policy.counters.all, by: \.result).mapValues { $0.map(\.count).reduce(0, +) }
        let ended = [.verified, .continued, .diverged, .failed].map { counts[$0] ?? 0 }.reduce(0, +)
        #expect(counts[.attempted] == ended && (counts[.armed] ?? 0) >= rescued, "\(counts)")
    }

    /// What the upstreams do in one case, one after the other.
    struct Play: CustomStringConvertible {
        let text: String
        var acts: [Act]

        /// How an upstream's stream ends.
        enum Act: Equatable {
            case whole
            /// Part of its bytes, of a hundred, and how the connection ends then.
            case cut(percent: Double, isReset: Bool)
            /// An error event behind so many of a hundred of its events.
            case error(percent: Double)
            /// Another text from there on.
            case other(percent: Double)
        }

        var description: String { "\(text.debugDescription) \(acts)" }
        /// One of those that are asked, whatever the others do, tells all of it.
        var mustSucceed: Bool { acts.prefix(3).contains(.whole) }
        /// What may be told: the text, or one that takes another turn behind what the client knows.
        var texts: [String] { [text] + acts.compactMap(other) }

        func other(_ act: Act) -> String? {
            guard case .other(let percent) = act else { return nil }
            let kept = Int(percent / 100 * Double(text.count))
            return text.prefix(kept) + "#" + text.dropFirst(kept + 1)
        }

        init(_ random: inout SplitMix64, mode: RescueMode) {
            let words = [
                "word", " and", " é", "日本", "😀", "👩‍👩‍👧", "\"", "\\", "\n", "\n\n", "\t", "  ", " end.", "\u{1}", "/",
                "\u{7F}",
                "a\u{301}", "\r\n", "{\"x\":1}", "data: ", "<", "\u{2028}",
            ]
            text =
                (0..<Int.random(in: 1...30, using: &random)).compactMap { _ in words.randomElement(using: &random) }
                .joined() + "."
            acts = []
            for attempt in 0..<4 {
                let percent = Double.random(in: 0...100, using: &random)
                let chance = Int.random(in: 0..<10, using: &random)
                let act: Act =
                    switch chance {
                    case 0..<2: .error(percent: percent)
                    // A text that goes on behind another's words may be any.
                    case 2 where attempt > 0 && mode != .continue: .other(percent: percent)
                    case 3..<(attempt == 0 ? 10 : 5): .cut(percent: percent, isReset: Bool.random(using: &random))
                    default: .whole
                    }
                acts.append(act)
            }
        }
    }

    /// The upstreams.
    final class Stage: Sendable {
        private struct State {
            var random = SplitMix64(seed: 0)
            var play: Play
            var act = 0
            var calls = 0
        }

        private let pair: Pair
        private let state: Mutex<State>

        init(_ pair: Pair) {
            self.pair = pair
            var random = SplitMix64(seed: 0)
            state = Mutex(State(play: Play(&random, mode: pair.mode)))
        }

        var play: Play { state.withLock { $0.play } }
        var calls: Int { state.withLock { $0.calls } }

        func begin(_ seed: UInt64) {
            state.withLock { state in
                state.random = SplitMix64(seed: seed)
                state.play = Play(&state.random, mode: pair.mode)
                state.act = 0
            }
        }

        func answer(_ request: TransportRequest) throws -> TransportResponse {
            let told = try Self.prefill(request)
            return try state.withLock { state in
                // Who has nothing to add is asked once more, in the same attempt.
                let asksTwice = told.map { $0 == state.play.text && !pair.model.contains("mistral") } ?? false
                defer {
                    (state.act, state.calls) = (state.act + (asksTwice ? 0 : 1), state.calls + (asksTwice ? 0 : 1))
                }
                let act =
                    state.act < state.play.acts.count ? state.play.acts[state.act] : .cut(percent: 0, isReset: true)
                if asksTwice {
                    return Self.response(pair.format.begin + pair.format.end, .whole, endingAt: 0, &state.random)
                }
                var text = state.play.other(act) ?? state.play.text
                if let told {
                    try #require(text.utf16.starts(with: told.utf16), "\(told.debugDescription)")
                    // Mistral's models repeat it.
                    if !pair.model.contains("mistral") { text = String(text.utf16.dropFirst(told.utf16.count)) ?? "" }
                }
                let isNative = request.url.hasSuffix("/messages")
                let events = WrittenText.events(of: text, isNative ? nil : pair.format, &state.random)
                return Self.response(events, act, endingAt: isNative ? 3 : pair.format.end.count, &state.random)
            }
        }

        /// - Parameter count: of the events that end an answer.
        private static func response(
            _ events: [String], _ act: Play.Act, endingAt count: Int, _ random: inout SplitMix64
        ) -> TransportResponse {
            var bytes = Array(events.joined().utf8)
            var ending: (any Error)?
            switch act {
            case .whole, .other: break
            case .cut(let percent, let isReset):
                bytes.removeLast(bytes.count - Int(percent / 100 * Double(bytes.count)))
                ending = isReset ? TransportError.answerCut("reset by peer") : nil
            case .error(let percent):
                // Behind a finish reason, it would be told.
                let before = events.dropLast(count)
                bytes = Array(before.prefix(Int(percent / 100 * Double(before.count + 1))).joined().utf8)
                bytes += Array("data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n".utf8)
            }
            let feed = FakeTransport.Feed()
            for piece in Fuzz.pieces(of: bytes, &random) where !piece.isEmpty { feed.send(ByteBuffer(bytes: piece)) }
            feed.end(throwing: ending)
            return TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: feed.body)
        }

        /// The words of the assistant's that the request ends with.
        private static func prefill(_ request: TransportRequest) throws -> String? {
            let body = try #require(request.body).readableBytesView
            let root = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
            let chat = root["chatRequest"] as? [String: Any] ?? root
            let last = (chat["messages"] as? [[String: Any]])?.last
            guard (last?["role"] as? String)?.lowercased() == "assistant" else { return nil }
            return last?["content"] as? String
                ?? ((last?["content"] as? [[String: Any]])?.first?["text"] as? String)
        }
    }

    /// A text as an upstream may write it.
    enum WrittenText {
        /// - Parameter format: nil for the events of a message.
        static func events(of text: String, _ format: BrokenStreams.Format?, _ random: inout SplitMix64) -> [String] {
            var pieces = [""]
            for atom in atoms(of: text, &random) {
                if Int.random(in: 0..<3, using: &random) == 0 { pieces.append("") }
                pieces[pieces.count - 1] += atom
            }
            pieces.removeAll(where: \.isEmpty)
            guard let format else { return message(pieces) }
            return format.begin + format.whole(pieces)
        }

        /// What an event may end behind: a character, escaped or not, or the half of one.
        private static func atoms(of text: String, _ random: inout SplitMix64) -> [String] {
            text.unicodeScalars.flatMap { scalar -> [String] in
                let must = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
                guard must || Int.random(in: 0..<3, using: &random) == 0 else { return [String(scalar)] }
                if scalar == "\n", Bool.random(using: &random) { return ["\\n"] }
                if scalar == "\"" || scalar == "\\" || scalar == "/", Bool.random(using: &random) {
                    return ["\\" + String(scalar)]
                }
                let isUpper = Bool.random(using: &random)
                return String(scalar).utf16.map { unit in
                    let hex = String(unit, radix: 16, uppercase: isUpper)
                    return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            }
        }

        private static func message(_ pieces: [String]) -> [String] {
            func event(_ type: String, _ members: String) -> String {
                "event: \(type)\ndata: {\"type\":\"\(type)\"\(members)}\n\n"
            }
            let begin = [
                event(
                    "message_start",
                    #","message":{"id":"msg_1","type":"message","role":"assistant","model":"theirs","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}"#
                ), event("content_block_start", #","index":0,"content_block":{"type":"text","text":""}"#),
            ]
            let end = [
                event("content_block_stop", #","index":0"#),
                event(
                    "message_delta",
                    #","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}"#),
                event("message_stop", ""),
            ]
            return begin
                + pieces.map {
                    event("content_block_delta", #","index":0,"delta":{"type":"text_delta","text":"\#($0)"}"#)
                } + end
        }
    }

    /// What a client has read, put together before it is decoded: halves of a character may come in two events.
    struct ClientText {
        let units: [UInt16]

        init(_ body: String, _ language: BrokenStreams.Language) {
            var escaped: [UInt8] = []
            for line in body.utf8.split(separator: UInt8(ascii: "\n")) {
                let line = Array(line)
                guard line.starts(with: "data: {".utf8) else { continue }
                let marker: String
                switch language {
                case .chat: marker = "\"content\":\""
                case .messages where Self.find("\"text_delta\"", in: line[...]) == nil: continue
                case .messages, .completions: marker = "\"text\":\""
                case .responses where Self.find("\"response.output_text.delta\"", in: line[...]) == nil: continue
                case .responses: marker = "\"delta\":\""
                }
                guard let start = Self.find(marker, in: line[...]) else { continue }
                var end = start
                while end < line.count, line[end] != UInt8(ascii: "\"") {
                    end += line[end] == UInt8(ascii: "\\") ? 2 : 1
                }
                escaped += line[start..<end]
            }
            units = Self.decoded(escaped)
        }

        private static func find(_ marker: String, in line: ArraySlice<UInt8>) -> Int? {
            let marker = Array(marker.utf8)
            var start = line.startIndex
            while start + marker.count <= line.endIndex {
                if line[start..<start + marker.count].elementsEqual(marker) { return start + marker.count }
                start += 1
            }
            return nil
        }

        private static func decoded(_ escaped: [UInt8]) -> [UInt16] {
            var units: [UInt16] = []
            var plain: [UInt8] = []
            var rest = escaped[...]
            func flush() {
                units += String(decoding: plain, as: UTF8.self).utf16
                plain = []
            }
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                    plain.append(byte)
                    continue
                }
                flush()
                switch kind {
                case UInt8(ascii: "u"):
                    units.append(UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0)
                    rest = rest.dropFirst(4)
                case UInt8(ascii: "n"): units.append(10)
                case UInt8(ascii: "t"): units.append(9)
                case UInt8(ascii: "r"): units.append(13)
                case UInt8(ascii: "b"): units.append(8)
                case UInt8(ascii: "f"): units.append(12)
                default: units.append(UInt16(kind))
                }
            }
            flush()
            return units
        }
    }
}
