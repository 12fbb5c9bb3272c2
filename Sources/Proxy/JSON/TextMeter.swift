/// How much an answer has told: for who is charged for it where the upstream does not count, and for models that are billed by characters.
///
/// It keeps no text and takes no memory of its own.
struct TextMeter: Equatable, Sendable {
    /// Pieces that had text. Models tell about a token with each.
    private(set) var pieces = 0
    /// As the text stands between the quotes of JSON strings.
    private(set) var bytes = 0
    /// Unicode scalars; nil where nobody is billed by them.
    private(set) var characters: Int?

    /// - Parameter countsCharacters: which takes a look at every byte.
    init(countsCharacters: Bool = false) { characters = countsCharacters ? 0 : nil }

    /// Tokens, where nobody has counted them: one for each piece, or for each four bytes where that is more.
    var tokens: Int { max(pieces, (bytes + 3) / 4) }

    /// Takes a piece of text, escaped.
    mutating func take(_ escaped: ArraySlice<UInt8>) {
        guard !escaped.isEmpty else { return }
        take(bytes: escaped.count)
        take(charactersOf: escaped)
    }

    /// The same where only the length is known, and nobody is billed by characters.
    mutating func take(bytes count: Int) {
        guard count > 0 else { return }
        pieces += 1
        bytes += count
    }

    mutating func take(charactersOf escaped: ArraySlice<UInt8>) {
        if let known = characters { characters = known + Self.characters(ofEscaped: escaped.span) }
    }

    /// Unicode scalars of what stands between the quotes of a JSON string. Of a pair of escaped surrogates the first one counts, also when they come in two
    /// pieces.
    static func characters(ofEscaped text: Span<UInt8>) -> Int {
        var count = 0
        var place = 0
        while place < text.count {
            let byte = text[place]
            guard byte == UInt8(ascii: "\\"), place + 1 < text.count else {
                // All bytes but those that go on with a scalar.
                if byte & 0xC0 != 0x80 { count += 1 }
                place += 1
                continue
            }
            guard text[place + 1] == UInt8(ascii: "u"), place + 5 < text.count else {
                count += 1
                place += 2
                continue
            }
            let isLowSurrogate =
                text[place + 2] | 0x20 == UInt8(ascii: "d") && "cdef".utf8.contains(text[place + 3] | 0x20)
            if !isLowSurrogate { count += 1 }
            place += 6
        }
        return count
    }

    /// Unicode scalars of a JSON text as it is written.
    static func characters(ofWritten text: Span<UInt8>) -> Int {
        var count = 0
        for place in text.indices where text[place] & 0xC0 != 0x80 { count += 1 }
        return count
    }
}
