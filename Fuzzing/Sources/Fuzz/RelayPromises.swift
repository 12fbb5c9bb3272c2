import NIOCore

@testable import Proxy
@testable import ProxyRouting

/// What passes a provider's events on, and what translates OCI's: the same frames however the bytes are cut, and each of them one event of JSON.
enum RelayPromises {
    private struct Reading: Equatable {
        var frames: [UInt8] = []
        var failure: Failure?
        var isComplete = false
        var usage: TokenUsage?
        var oddities: Oddities = []
        var unreadable = 0
    }

    private static let model = "a/model"

    static func check(_ bytes: [UInt8], _ ways: [[ArraySlice<UInt8>]]) {
        // Single bytes are hundreds of buffers.
        let ways = bytes.count <= 200 ? ways : ways.filter { $0.count < bytes.count }
        let passed = readSame(ways) { PassThroughRelay(model: model, upstream: "a") }
        checkCalls(in: checkFrames(passed.frames))
        let envelope = ChunkEnvelope(id: "chatcmpl-1", created: 1, model: model)
        var rules = ResponseRules()
        (rules.stops, rules.hasOneCall) = ([Array("stop".utf8), Array("\n\n".utf8)], true)
        for (dialect, rules) in [
            (Dialect.generic, ResponseRules()), (.generic, rules), (.cohere(CohereToolNames()), ResponseRules()),
            (.cohereV2, ResponseRules()),
        ] {
            let translated = readSame(ways) { dialect.relay(in: envelope, includesUsage: true, rules: rules) }
            checkCalls(in: checkFrames(translated.frames))
        }
    }

    private static func readSame(_ ways: [[ArraySlice<UInt8>]], _ relay: () -> any ResponseRelay) -> Reading {
        let whole = read(ways[0], relay())
        for way in ways.dropFirst() {
            let cut = read(way, relay())
            expect(cut == whole, "cut into \(way.map(\.count)):\n\(text(cut))\nwhole:\n\(text(whole))")
        }
        return whole
    }

    private static func text(_ reading: Reading) -> String {
        "\(String(decoding: reading.frames, as: UTF8.self))\n\(reading)"
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], _ relay: any ResponseRelay) -> Reading {
        var reading = Reading()
        for piece in pieces where reading.failure == nil {
            reading.failure = relay.take(ByteBuffer(bytes: piece))
            reading.frames += relay.takeFrames()
        }
        if reading.failure == nil {
            reading.failure = relay.end()
            reading.frames += relay.takeFrames()
            expect(relay.isComplete == (reading.failure == nil), "an end that is none")
        }
        if let failure = reading.failure { ErrorPromises.check(failure) }
        (reading.isComplete, reading.usage, reading.oddities, reading.unreadable) = (
            relay.isComplete, relay.usage, relay.oddities, relay.unreadableEvents
        )
        reading.frames = withoutRandomNames(reading.frames)
        return reading
    }

    /// Ids that are made up for an answer without one are others each time: 32 digits behind `call_`.
    private static func withoutRandomNames(_ frames: [UInt8]) -> [UInt8] {
        var (result, index): ([UInt8], Int) = ([], 0)
        while index < frames.count {
            result.append(frames[index])
            index += 1
            guard index + 32 < frames.count, frames[index + 32] == UInt8(ascii: "_"),
                result.suffix(5).elementsEqual("call_".utf8),
                frames[index..<index + 32].allSatisfy({ $0.hexDigitValue != nil })
            else { continue }
            index += 32
        }
        return result
    }

    /// - Returns: what the events say, but for the last word.
    private static func checkFrames(_ frames: [UInt8]) -> [JSONValue] {
        guard !frames.isEmpty else { return [] }
        var (events, data): ([JSONValue], [UInt8]?) = ([], nil)
        expect(
            frames.last == UInt8(ascii: "\n"), "frames end within a line: \(String(decoding: frames, as: UTF8.self))")
        for line in frames.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            expect(
                !line.contains(UInt8(ascii: "\r")),
                "a carriage return within a line: \(String(decoding: line, as: UTF8.self).debugDescription)")
            if line.starts(with: "data:".utf8) {
                let said = line.dropFirst(5).first == UInt8(ascii: " ") ? line.dropFirst(6) : line.dropFirst(5)
                data = data.map { $0 + [UInt8(ascii: "\n")] + said } ?? Array(said)
            } else if line.isEmpty, let text = data {
                data = nil
                guard !text.starts(with: "[DONE]".utf8) else { continue }
                guard let root = try? JSONDocument(parsing: text).root, root.kind == .object else {
                    return fail("no JSON: \(String(decoding: text, as: UTF8.self))")
                }
                for (key, value) in root.members where key.string == "model" && value.kind == .string {
                    expect(value.equals("a/model"), "another model's name: \(String(decoding: text, as: UTF8.self))")
                }
                events.append(root)
            } else {
                expect(
                    line.isEmpty || line.starts(with: "event:".utf8),
                    "a line that says nothing of an event: \(String(decoding: line, as: UTF8.self))")
            }
        }
        expect(data == nil, "an event without an end")
        return events
    }

    private static func fail(_ problem: String) -> [JSONValue] {
        expect(false, problem)
        return []
    }

    /// A call has one id, and no other call of the choice has it.
    private static func checkCalls(in events: [JSONValue]) {
        struct Place: Hashable {
            let choice: Int
            let call: String
        }
        var (ids, places): ([Place: String], [Place: Int]) = ([:], [:])
        for event in events {
            for (position, choice) in event.elements(of: "choices").enumerated() {
                guard let entries = choice["delta"]?["tool_calls"], entries.kind == .array else { continue }
                let index = choice["index"]?.int ?? position
                for entry in entries.elements {
                    guard let number = entry["index"]?.int, let id = entry["id"]?.string, !id.isEmpty else { continue }
                    let place = Place(choice: index, call: String(number))
                    expect(
                        ids.updateValue(id, forKey: place) ?? id == id,
                        "call \(number) has two ids: \(String(decoding: event.raw, as: UTF8.self))")
                    let known = places.updateValue(number, forKey: Place(choice: index, call: id)) ?? number
                    expect(
                        known == number,
                        "calls \(known) and \(number) have one id: \(String(decoding: event.raw, as: UTF8.self))")
                }
            }
        }
    }
}
