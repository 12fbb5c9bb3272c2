/// JSON as people paste it: with comments (`//`, `/* */`, and `#` at the start of a line) and trailing commas.
///
/// They are replaced by blanks of the same length, so that every offset, and with it every line, stays what it was.
/// What stands in strings is left alone, `"https://..."` among it.
struct JSONWithComments: Sendable, Equatable {
    /// The text without its comments and trailing commas. It is JSON if it was nothing but JSON with these.
    private(set) var plain: [UInt8]
    /// Where a `/*` without its `*/` stands.
    private(set) var unclosedComment: Int?

    private var position = 0

    init(_ bytes: [UInt8]) {
        plain = bytes
        blank()
    }

    /// Where the first byte stands that is neither blank nor in a comment; the length of the text when there is none.
    static func start(of bytes: [UInt8]) -> Int {
        var text = JSONWithComments(unread: bytes)
        text.skipBlanksAndComments()
        return text.position
    }

    private init(unread bytes: [UInt8]) {
        plain = bytes
        position = bytes.starts(with: INIDocument.byteOrderMark) ? INIDocument.byteOrderMark.count : 0
    }

    private mutating func blank() {
        // The last comma, while nothing but blanks and comments has followed it.
        var comma: Int?
        var previous: UInt8 = 0
        if plain.starts(with: INIDocument.byteOrderMark) { position = INIDocument.byteOrderMark.count }
        while true {
            skipBlanksAndComments()
            guard position < plain.count else { return }
            let byte = plain[position]
            switch byte {
            case UInt8(ascii: "\""):
                skipString()
                comma = nil
            case UInt8(ascii: ","):
                // A comma without a value before it stays, and is an error.
                comma = "[{,:".utf8.contains(previous) ? nil : position
                position += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if let comma { plain[comma] = UInt8(ascii: " ") }
                comma = nil
                position += 1
            default:
                comma = nil
                position += 1
            }
            previous = byte
        }
    }

    private mutating func skipBlanksAndComments() {
        while position < plain.count {
            switch plain[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case UInt8(ascii: "#") where isAtLineStart: blankLine()
            case UInt8(ascii: "/") where next == UInt8(ascii: "/"): blankLine()
            case UInt8(ascii: "/") where next == UInt8(ascii: "*"): blankBlock()
            default: return
            }
        }
    }

    private var next: UInt8? { position + 1 < plain.count ? plain[position + 1] : nil }

    /// Only blanks stand before the position in its line (comments are blanks by now).
    private var isAtLineStart: Bool {
        var index = position
        while index > 0, plain[index - 1] == 0x20 || plain[index - 1] == 0x09 { index -= 1 }
        if index == INIDocument.byteOrderMark.count, plain.starts(with: INIDocument.byteOrderMark) { return true }
        return index == 0 || plain[index - 1] == 0x0A || plain[index - 1] == 0x0D
    }

    private mutating func blankLine() {
        while position < plain.count, plain[position] != 0x0A, plain[position] != 0x0D {
            plain[position] = UInt8(ascii: " ")
            position += 1
        }
    }

    /// Line ends stay, since lines are counted.
    private mutating func blankBlock() {
        let start = position
        position += 2
        while position < plain.count, !(plain[position] == UInt8(ascii: "*") && next == UInt8(ascii: "/")) {
            position += 1
        }
        if position >= plain.count {
            unclosedComment = start
        } else {
            position += 2
        }
        for index in start..<position where plain[index] != 0x0A && plain[index] != 0x0D {
            plain[index] = UInt8(ascii: " ")
        }
    }

    /// A string ends with its line: one that is not closed must not swallow the rest of the file.
    private mutating func skipString() {
        position += 1
        while position < plain.count {
            switch plain[position] {
            case UInt8(ascii: "\\"): position = min(position + 2, plain.count)
            case UInt8(ascii: "\""), 0x0A:
                position += 1
                return
            default: position += 1
            }
        }
    }
}
