/// A message as it is searched for known words: in lower case, one blank between words, no colon behind one, and what stands in quotes
/// left out, for it may be the client's.
///
/// Only the beginning of a message is looked at, and each byte of it once.
struct PlainWords {
    /// Bytes of a message that are looked at.
    static let limit = 4 << 10
    /// Stands for what was in quotes.
    static let quoted = UInt8(ascii: "~")

    private(set) var bytes: [UInt8] = []

    init(_ message: String) {
        let text = Array(message.utf8.prefix(Self.limit))
        bytes.reserveCapacity(text.count)
        // Quotation marks that are known not to be closed any more.
        var open: Set<UInt8> = []
        var index = 0
        while index < text.count {
            var byte = text[index]
            if byte == 0xE2, index + 2 < text.count, text[index + 1] == 0x80, let mark = Self.plain(text[index + 2]) {
                byte = mark
                index += 2
            }
            index += 1
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes.append(byte | 0x20)
            case 0x09, 0x0A, 0x0D, 0x20:
                if bytes.last == UInt8(ascii: ":") { bytes.removeLast() }
                if bytes.last != 0x20 { bytes.append(0x20) }
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                if !Self.isWord(bytes.last), !open.contains(byte) {
                    if let end = Self.end(of: byte, in: text, from: index) {
                        bytes.append(Self.quoted)
                        index = end
                    } else {
                        open.insert(byte)
                    }
                } else if byte == UInt8(ascii: "'") {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
    }

    /// Typographic quotation marks as plain ones, by the last of their three bytes.
    private static func plain(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x98, 0x99: UInt8(ascii: "'")
        case 0x9C, 0x9D: UInt8(ascii: "\"")
        default: nil
        }
    }

    /// Behind the mark that closes a quotation: one that no word follows.
    private static func end(of mark: UInt8, in text: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < text.count {
            var (byte, next) = (text[index], index + 1)
            if byte == 0xE2, index + 2 < text.count, text[index + 1] == 0x80, let plain = plain(text[index + 2]) {
                (byte, next) = (plain, index + 3)
            }
            if byte == mark, next == text.count || !isWord(text[next]) { return next }
            index = next
        }
        return nil
    }

    /// A letter or a digit, of any script.
    private static func isWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
            true
        default: false
        }
    }

    /// Adds what the phrases that stand in the text speak of.
    func matches(of index: PhraseIndex, into found: inout Set<RefusalWords.Subject>) {
        for start in bytes.indices where isBeginning(start) {
            for phrase in index.phrases(from: bytes[start]) where !found.contains(phrase.subject) {
                if matches(phrase.words[...], at: start) { found.insert(phrase.subject) }
            }
        }
    }

    /// Whether one of some words stands anywhere in the text.
    func has(anyOf words: [[UInt8]]) -> Bool {
        bytes.indices.contains { start in words.contains { bytes[start...].starts(with: $0) } }
    }

    /// Where a word begins; scripts without blanks have one at each of their characters.
    private func isBeginning(_ index: Int) -> Bool {
        if bytes[index] >= 0xC0 { return true }
        return bytes[index] < 0x80 && (index == 0 || !Self.isWord(bytes[index - 1]) || bytes[index - 1] >= 0x80)
    }

    private func matches(_ phrase: ArraySlice<UInt8>, at start: Int) -> Bool {
        var position = start
        for (offset, byte) in phrase.enumerated() {
            if byte == UInt8(ascii: "*") {
                let rest = phrase.dropFirst(offset + 1)
                guard let end = name(at: position) else { return false }
                if matches(rest, at: end) { return true }
                // With a version behind it.
                guard end < bytes.count, bytes[end] == 0x20, let second = name(at: end + 1) else { return false }
                return matches(rest, at: second)
            }
            guard position < bytes.count, bytes[position] == byte else { return false }
            position += 1
        }
        return true
    }

    /// Behind the word at `start`, if it is like a model's name: not of letters alone.
    private func name(at start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        let end = bytes[start...].firstIndex(of: 0x20) ?? bytes.count
        guard end - start <= 256 else { return nil }
        var word = bytes[start..<end]
        while let last = word.last, last != Self.quoted, !Self.isWord(last) { word.removeLast() }
        return word.contains { !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } ? end : nil
    }
}

/// Phrases by the byte with which they begin.
struct PhraseIndex {
    typealias Phrase = (words: [UInt8], subject: RefusalWords.Subject)
    private var byFirst: [[Phrase]] = Array(repeating: [], count: 256)

    init(_ phrases: [(String, RefusalWords.Subject)]) {
        for (words, subject) in phrases {
            let words = Array(words.utf8)
            byFirst[Int(words[0])].append((words, subject))
        }
    }

    func phrases(from byte: UInt8) -> [Phrase] { byFirst[Int(byte)] }
}
