/// Walks forward over a JSON text and remembers nothing: what a `JSONDocument` would list, this passes over.
///
/// For texts that only travel through: it checks no more than it must to tell where a value ends (quotes, brackets, and the
/// colons of the objects that are entered). Numbers, words and UTF-8 go unchecked, missing commas unnoticed. It takes memory
/// for nothing, however deep a text is nested.
///
/// A cursor must not outlive the closure that lent it the text.
struct JSONCursor {
    private let text: UnsafeBufferPointer<UInt8>
    private(set) var position: Int
    /// The text is not what it should be here; the cursor stands at its end and finds nothing more.
    private(set) var isBroken = false

    init(_ text: UnsafeBufferPointer<UInt8>, at position: Int = 0) {
        self.text = text
        self.position = position
    }

    /// The name of a member, as it is written between its quotes.
    struct Key {
        let range: Range<Int>
        fileprivate let isEscaped: Bool
    }

    // MARK: Steps

    /// Steps into the object that begins here; stays where it is when there is none.
    mutating func enterObject() -> Bool { enter(UInt8(ascii: "{")) }

    /// Steps into the array that begins here; stays where it is when there is none.
    mutating func enterArray() -> Bool { enter(UInt8(ascii: "[")) }

    /// Inside an object: steps over the next name and its colon, to the value. Nil behind the closing bracket, and where the
    /// text breaks.
    mutating func nextKey() -> Key? {
        guard stepToItem(closing: UInt8(ascii: "}")) else { return nil }
        let start = position + 1
        guard text[position] == UInt8(ascii: "\""), let isEscaped = skipString() else { return breakOff() }
        let key = Key(range: start..<position - 1, isEscaped: isEscaped)
        skipBlanks()
        guard position < text.count, text[position] == UInt8(ascii: ":") else { return breakOff() }
        position += 1
        skipBlanks()
        return key
    }

    /// Inside an array: whether an element begins here. False behind the closing bracket, and where the text breaks.
    mutating func nextElement() -> Bool { stepToItem(closing: UInt8(ascii: "]")) }

    /// Steps over the value that begins here, and says where it stood. Nil where the text breaks.
    mutating func skipValue() -> Range<Int>? {
        let start = position
        guard position < text.count else { return breakOff() }
        switch text[position] {
        case UInt8(ascii: "\""):
            guard skipString() != nil else { return breakOff() }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard skipContainer() else { return breakOff() }
        default:
            while position < text.count, !Self.endsWord(text[position]) { position += 1 }
            guard position > start else { return breakOff() }
        }
        return start..<position
    }

    /// Steps over the value that begins here. Nil when it is no whole number of at most 18 digits.
    mutating func int() -> Int? {
        guard let range = skipValue(), range.count <= 18 else { return nil }
        var number = 0
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    /// Whether nothing but blanks is left.
    mutating func isAtEnd() -> Bool {
        skipBlanks()
        return !isBroken && position == text.count
    }

    // MARK: Comparisons

    /// Whether a name is `name`, however it is escaped.
    func key(_ key: Key, is name: StaticString) -> Bool {
        if key.isEscaped { return JSONString.decode(ArraySlice(text[key.range])).utf8.elementsEqual(name.utf8) }
        return matches(name, in: key.range)
    }

    /// Whether exactly these bytes stand at `range`.
    func matches(_ literal: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        let wanted = literal.utf8Start
        var index = 0
        while index < range.count {
            if text[range.lowerBound + index] != wanted[index] { return false }
            index += 1
        }
        return true
    }

    /// The first byte of the value that begins here; 0 at the end of the text.
    var byte: UInt8 { position < text.count ? text[position] : 0 }

    // MARK: Within

    private mutating func enter(_ bracket: UInt8) -> Bool {
        skipBlanks()
        guard byte == bracket else { return false }
        position += 1
        return true
    }

    private mutating func stepToItem(closing bracket: UInt8) -> Bool {
        skipBlanks()
        if byte == UInt8(ascii: ",") {
            position += 1
            skipBlanks()
        }
        guard position < text.count else {
            isBroken = true
            return false
        }
        guard text[position] == bracket else { return true }
        position += 1
        return false
    }

    /// From an opening quote to behind the closing one.
    ///
    /// - Returns: whether there are escapes in it; nil when it does not end, or has a control character.
    private mutating func skipString() -> Bool? {
        var isEscaped = false
        var index = position + 1
        while true {
            index = JSONParser.endOfPlainRun(text, from: index)
            guard index < text.count else { return nil }
            switch text[index] {
            case UInt8(ascii: "\""):
                position = index + 1
                return isEscaped
            case UInt8(ascii: "\\"):
                isEscaped = true
                index += 2
            default: return nil
            }
        }
    }

    /// From an opening bracket to behind the one that closes it.
    private mutating func skipContainer() -> Bool {
        var depth = 0
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                guard skipString() != nil else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
                if depth == 0 { return true }
            default: skipPlain()
            }
        }
        return false
    }

    /// Over bytes that neither open nor close anything; at least one.
    private mutating func skipPlain() {
        position += 1
        // A comma or a colon is mostly followed by something else: only numbers are worth eight bytes at a time.
        guard position < text.count, text[position] &- UInt8(ascii: "0") <= 9, let base = text.baseAddress else { return }
        let ones: UInt64 = 0x0101_0101_0101_0101
        while position + 8 <= text.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            // Square and curly brackets differ in this bit, and no other byte becomes one by it.
            let opening = (word | ones &* 0x20) ^ (ones &* 0x7B)
            let closing = (word | ones &* 0x20) ^ (ones &* 0x7D)
            let hits = ((quote &- ones) & ~quote) | ((opening &- ones) & ~opening) | ((closing &- ones) & ~closing)
            let marks = hits & (ones &* 0x80)
            guard marks == 0 else {
                position += marks.trailingZeroBitCount / 8
                return
            }
            position += 8
        }
    }

    private mutating func skipBlanks() {
        while position < text.count, Self.isBlank(text[position]) { position += 1 }
    }

    private mutating func breakOff<T>() -> T? {
        isBroken = true
        position = text.count
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private static func endsWord(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte == UInt8(ascii: ",") || byte | 0x20 == UInt8(ascii: "}") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: ":")
    }
}
