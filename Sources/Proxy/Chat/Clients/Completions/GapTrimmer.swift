/// Takes what belongs into a gap out of what a chat model says: it may put the text into a code fence, repeat the line in front of the gap, or go on into the
/// text behind it.
struct GapTrimmer {
    /// The line in front of the gap, which an answer may begin with. In UTF-8.
    private let lineBefore: [UInt8]
    /// The beginning of the text behind the gap, into which an answer may run.
    private let after: [UInt8]
    /// So much of it at the end of an answer is no chance.
    private let leastAfter: Int
    /// The beginning of the text, as long as it is open what it is; nil behind it. Escaped.
    private var beginning: [UInt8]? = []
    private var cutter: StopCutter

    /// A line that is shorter may stand anywhere.
    private static let shortestLine = 4
    /// Of a longer one nobody knows where it would be repeated from.
    private static let longestLine = 1024
    /// An answer that has gone so far into the text behind the gap goes on in it.
    private static let longestAfter = 256
    private static let fence = Array("```".utf8)
    /// A fence's first line is no longer.
    private static let longestFence = 64

    init(_ gap: CompletionsRequest.Gap) {
        let before = Array(JSONString.decode(gap.before).utf8)
        let after = Array(JSONString.decode(gap.after).utf8)
        let line = before.suffix { $0 != UInt8(ascii: "\n") }
        let isTelling = line.drop { $0 == 0x20 || $0 == 0x09 }.count >= Self.shortestLine
        lineBefore = isTelling && line.count <= Self.longestLine ? Array(line) : []
        let first = after.prefix { $0 != UInt8(ascii: "\n") }.count
        let beginning = Array(after.prefix(Self.longestAfter))
        // A short text behind the gap may stand in the answer as well. Only at the end is it too much: no text has the byte behind it here.
        self.after = beginning.isEmpty || after.count >= Self.longestAfter ? beginning : beginning + [0xFF]
        leastAfter = max(Self.shortestLine, min(first, beginning.count))
        cutter = StopCutter(self.after.isEmpty ? [] : [self.after])
    }

    /// - Parameter escaped: the next piece.
    /// - Returns: what may go on, escaped.
    mutating func take(_ escaped: ArraySlice<UInt8>) -> [UInt8] {
        guard var text = beginning else { return cutter.take(escaped) }
        text += escaped
        guard let rest = withoutBeginning(text, isAll: false) else {
            beginning = text
            return []
        }
        beginning = nil
        return cutter.take(rest[...])
    }

    /// No more will come.
    mutating func end() -> [UInt8] {
        guard let text = beginning else { return cutter.end(droppingFrom: leastAfter, of: after) }
        beginning = nil
        let rest = withoutBeginning(text, isAll: true) ?? text
        return cutter.take(rest[...]) + cutter.end(droppingFrom: leastAfter, of: after)
    }

    /// - Returns: nil as long as more has to come to know.
    private mutating func withoutBeginning(_ escaped: [UInt8], isAll: Bool) -> [UInt8]? {
        // Half a character, or half an escape, would be decoded to something else.
        guard isAll || escaped.last != UInt8(ascii: "\\") && StopCutter.startOfHalf(escaped) == nil else { return nil }
        let text = Array(JSONString.decode(escaped[...]).utf8)
        if text.starts(with: Self.fence) {
            guard let end = text.firstIndex(of: UInt8(ascii: "\n")) else {
                return isAll || text.count > Self.longestFence ? escaped : nil
            }
            // The line in front of the gap may be repeated there.
            let inside = text[(end + 1)...]
            if !isAll, inside.count < lineBefore.count, lineBefore.starts(with: inside) { return nil }
            let close = Array("\n```".utf8)
            let behind = after.filter { $0 != 0xFF }.reversed().drop { $0 == 0x0A }.reversed()
            // The longest first: all end with the fence, and empty lines may stand in front of it.
            let ends = (0...2).reversed().map { Array(behind) + Array(repeating: 0x0A, count: $0) + close }
            cutter = StopCutter(after.isEmpty ? [close] : ends + [close, after])
            return Self.escaped(withoutLine(text[(end + 1)...]))
        }
        if !isAll, text.count < Self.fence.count, Self.fence.starts(with: text) { return nil }
        guard !lineBefore.isEmpty else { return escaped }
        if !isAll, text.count < lineBefore.count, lineBefore.starts(with: text) { return nil }
        return text.starts(with: lineBefore) ? Self.escaped(withoutLine(text[...])) : escaped
    }

    private func withoutLine(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        !lineBefore.isEmpty && text.starts(with: lineBefore) ? text.dropFirst(lineBefore.count) : text
    }

    private static func escaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var escaped: [UInt8] = []
        JSONString.append(String(decoding: text, as: UTF8.self), to: &escaped)
        return escaped
    }
}

extension [UInt8] {
    /// The longest end of which each byte is such.
    fileprivate func suffix(while isPart: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let end = lastIndex { !isPart($0) }
        return self[(end.map { $0 + 1 } ?? startIndex)...]
    }
}
