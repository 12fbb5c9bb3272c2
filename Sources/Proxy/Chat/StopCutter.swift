/// Cuts a text that comes in pieces before the first of some others, as a model does that knows `stop`. What may be the beginning of one is held back until
/// more has come.
struct StopCutter: Sendable {
    private var sequences: [Sequence]
    /// Came last and was not given out: the beginning of a sequence.
    private var held: [UInt8] = []
    /// The first half of a character that was cut in two, escaped.
    private var half: [UInt8] = []
    private(set) var hasStopped = false
    /// The sequence at which it has stopped.
    private(set) var stop: [UInt8]?

    /// One sequence, and how much of it the text ends with (Knuth, Morris, Pratt: each byte is looked at once).
    private struct Sequence: Sendable {
        let bytes: [UInt8]
        private let fallback: [Int]
        var matched = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            var fallback = [0]
            var length = 0
            for index in bytes.indices.dropFirst() {
                while length > 0, bytes[index] != bytes[length] { length = fallback[length - 1] }
                if bytes[index] == bytes[length] { length += 1 }
                fallback.append(length)
            }
            self.fallback = fallback
        }

        mutating func take(_ byte: UInt8) -> Bool {
            while matched > 0, bytes[matched] != byte { matched = fallback[matched - 1] }
            if bytes[matched] == byte { matched += 1 }
            return matched == bytes.count
        }
    }

    init(_ stops: [[UInt8]]) {
        sequences = stops.map(Sequence.init)
    }

    /// - Parameter escaped: the next piece, as it stands between the quotes of a JSON string.
    /// - Returns: what may go on, escaped.
    mutating func take(_ escaped: ArraySlice<UInt8>) -> [UInt8] {
        guard !hasStopped else { return [] }
        var text = half + escaped
        half = []
        if let start = Self.startOfHalf(text) {
            half = Array(text[start...])
            text.removeSubrange(start...)
        }
        let bytes = Array(JSONString.decode(text[...]).utf8)
        for (index, byte) in bytes.enumerated() {
            for place in sequences.indices where sequences[place].take(byte) {
                hasStopped = true
                stop = sequences[place].bytes
                let whole = held + bytes[...index]
                (held, half) = ([], [])
                return Self.escaped(whole.dropLast(sequences[place].bytes.count))
            }
        }
        let whole = held + bytes
        let rest = sequences.map(\.matched).max() ?? 0
        held = Array(whole.suffix(rest))
        return Self.escaped(whole.dropLast(rest))
    }

    /// No more will come: what was held back was no sequence.
    mutating func end() -> [UInt8] {
        defer { (held, half) = ([], []) }
        return Self.escaped(held[...]) + half
    }

    /// The same where a sequence that has begun at the end counts as one, when so much of it is there.
    mutating func end(droppingFrom least: Int, of sequence: [UInt8]) -> [UInt8] {
        let begun = sequences.first { $0.bytes == sequence }?.matched ?? 0
        // Brackets alone may close what the text itself has opened.
        let says = held.suffix(begun).contains {
            $0 >= 0x80 || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x30 && $0 <= 0x39
        }
        if !sequence.isEmpty, begun >= least, says { held.removeLast(min(begun, held.count)) }
        return end()
    }

    /// Where `\\ud83d` begins, if the text ends with the first half of such a pair.
    static func startOfHalf(_ text: [UInt8]) -> Int? {
        guard text.count >= 6 else { return nil }
        let start = text.count - 6
        let tail = text[start...].map { $0 | 0x20 }
        guard text[start] == UInt8(ascii: "\\"), tail[1] == UInt8(ascii: "u"), tail[2] == UInt8(ascii: "d"),
            (UInt8(ascii: "8")...UInt8(ascii: "b")).contains(text[start + 3] | 0x20),
            tail[3] <= UInt8(ascii: "9") || tail[3] >= UInt8(ascii: "a")
        else { return nil }
        // A backslash that is escaped itself begins nothing.
        let slashes = text[..<start].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return slashes.isMultiple(of: 2) ? start : nil
    }

    private static func escaped(_ bytes: some Swift.Sequence<UInt8>) -> [UInt8] {
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: Array(bytes), as: UTF8.self), to: &escaped)
        return escaped
    }
}
