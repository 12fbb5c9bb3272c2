/// Finds the end of a string of JSON and checks what stands in it, 64 bytes at a time, escapes and UTF-8 included.
///
/// Most of a large request is the content of strings, and of that every tenth byte may be an escape: taken one by one, as
/// `JSONParser` does it to say where a text breaks, they cost four times as much. The way to know in one step which of 64
/// bytes are escaped is simdjson's (Langdale and Lemire, "Parsing gigabytes of JSON per second", 2019, 3.1.1).
enum JSONStringScan {
    private typealias Vector = SIMD16<UInt8>

    /// - Parameter start: the byte behind the opening quote.
    /// - Returns: where the closing quote stands, and whether there are escapes before it; nil when the string is not valid or
    ///   does not end.
    static func end(_ text: Span<UInt8>, from start: Int) -> (end: Int, isEscaped: Bool)? {
        precondition(start >= 0)
        var index = start
        var isEscaped = false
        // Whether the block before ends in a backslash that escapes the first byte of this one: 1, else 0.
        var carry: UInt64 = 0
        // Behind the last multi-byte character that was checked.
        var checked = start
        while index <= text.count &- 64 {
            if index > 1, carry == 1 || text[index - 1] != 0x5C, let escapes = plainBlock(text, at: index) {
                isEscaped = isEscaped || escapes
                carry = text[index + 63] == 0x5C ? 1 : 0
                // A character that reaches into the next block, in case that is looked at more closely.
                let begin = text[index + 63] >= 0xC0 ? index + 63 : index + 62
                if text[begin] >= (begin == index + 63 ? 0xC0 : 0xE0) {
                    guard let length = characterLength(text, at: begin) else { return nil }
                    checked = begin + length
                }
            } else {
                let block = Block(text, at: index)
                let backslashes = block.mask { equal($0, 0x5C) }
                let escaped = backslashes | carry == 0 ? 0 : escaped(by: backslashes, &carry)
                let ends = block.mask { equal($0, 0x22) } & ~escaped
                // The bytes before the closing quote; all when it is not here.
                let inside = ends == 0 ? UInt64.max : (ends & (0 &- ends)) &- 1
                if escaped & inside != 0 {
                    isEscaped = true
                    let others = escaped & inside & ~block.mask { isEscape($0) }
                    guard others == 0 || areUnicodeEscapes(others, text, at: index) else { return nil }
                }
                guard block.mask({ isBelow($0, 0x20) }) & inside == 0,
                    areCharacters(block.mask { ~isBelow($0, 0x80) } & inside, text, at: index, checked: &checked)
                else { return nil }
                if ends != 0 { return (index + ends.trailingZeroBitCount, isEscaped) }
            }
            index += 64
        }
        return tail(text, from: index - Int(carry), checked: checked, isEscaped: isEscaped)
    }

    /// The same, byte by byte, for the last bytes of a text.
    ///
    /// - Parameter start: a byte that is not escaped.
    private static func tail(_ text: Span<UInt8>, from start: Int, checked: Int, isEscaped: Bool) -> (
        end: Int, isEscaped: Bool
    )? {
        var (index, checked, isEscaped) = (start, checked, isEscaped)
        while let byte = text.byte(at: index) {
            switch byte {
            case UInt8(ascii: "\""): return (index, isEscaped)
            case UInt8(ascii: "\\"):
                guard let escape = text.byte(at: index + 1) else { return nil }
                isEscaped = true
                switch escape {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "n"),
                    UInt8(ascii: "r"), UInt8(ascii: "t"):
                    break
                default:
                    guard isUnicodeEscape(text, at: index + 1) else { return nil }
                }
                index += 2
            case 0..<0x20: return nil
            case 0x80...:
                if index >= checked {
                    guard let length = characterLength(text, at: index) else { return nil }
                    checked = index + length
                }
                index += 1
            default: index = endOfASCII(text, from: index + 1)
            }
        }
        return nil
    }

    /// The first byte that ends or interrupts a string or is above ASCII, or one of the last seven of the text.
    @inline(__always)
    private static func endOfASCII(_ text: Span<UInt8>, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = start
        while let word = text.word(at: index) {
            let (quote, backslash) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
            let marks =
                (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
                    | word) & (ones &* 0x80)
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        return index
    }

    // MARK: Blocks

    /// Sixty-four bytes.
    private struct Block {
        let a, b, c, d: Vector

        /// As many bytes must be there.
        @inline(__always)
        init(_ text: Span<UInt8>, at start: Int) {
            a = JSONStringScan.vector(text, at: start)
            b = JSONStringScan.vector(text, at: start &+ 16)
            c = JSONStringScan.vector(text, at: start &+ 32)
            d = JSONStringScan.vector(text, at: start &+ 48)
        }

        /// One bit for each byte for which `condition` gives 0xFF and not 0, the first byte's lowest.
        @inline(__always)
        func mask(_ condition: (Vector) -> Vector) -> UInt64 {
            JSONStringScan.mask(condition(a)) | JSONStringScan.mask(condition(b)) << 16 | JSONStringScan.mask(
                condition(c)) << 32
                | JSONStringScan.mask(condition(d)) << 48
        }
    }

    /// Looks at a block as most are, without asking where in it something stands: no closing quote, escapes of the common kinds only and no
    /// two backslashes in a row, of UTF-8 what most languages are written in.
    ///
    /// - Parameter start: at least two bytes must precede it, and 64 be there. If there is a backslash right before it, that is no escaped one.
    /// - Returns: whether there are escapes; nil when the block needs a closer look. A character may begin in its last bytes.
    @inline(__always)
    private static func plainBlock(_ text: Span<UInt8>, at start: Int) -> Bool? {
        var (odd, escapes, above) = (Vector.zero, Vector.zero, Vector.zero)
        for offset in stride(from: 0, to: 64, by: 16) {
            let bytes = vector(text, at: start &+ offset)
            let isEscaped = equal(vector(text, at: start &+ offset &- 1), 0x5C)
            let quotes = equal(bytes, 0x22)
            let common = quotes | equal(bytes, 0x6E) | equal(bytes, 0x74) | equal(bytes, 0x72) | equal(bytes, 0x2F)
            // Of the escaped bytes those that are not common, a second backslash among them; of the others the quotes.
            odd |= isEscaped & ~common | quotes & ~isEscaped | isBelow(bytes, 0x20)
            escapes |= isEscaped
            above |= bytes
        }
        if hasAny(odd) { return nil }
        if hasAny(above & Vector(repeating: 0x80)), !areCommonCharacters(text, at: start) { return nil }
        return hasAny(escapes)
    }

    /// Whether what is above ASCII in a block is right, as far as this can be told without asking where something stands: continuations are
    /// where they belong, and none of the first bytes after which not every continuation will do. A character may begin in its last bytes.
    private static func areCommonCharacters(_ text: Span<UInt8>, at start: Int) -> Bool {
        var odd = Vector.zero
        for offset in stride(from: 0, to: 64, by: 16) {
            let bytes = vector(text, at: start &+ offset)
            let before = vector(text, at: start &+ offset &- 1)
            let twoBefore = vector(text, at: start &+ offset &- 2)
            let continues = equal(bytes & Vector(repeating: 0xC0), 0x80)
            let mustContinue = ~isBelow(before, 0xC0) | ~isBelow(twoBefore, 0xE0)
            odd |=
                continues ^ mustContinue | equal(bytes & Vector(repeating: 0xFE), 0xC0) | equal(bytes, 0xE0)
                | equal(bytes, 0xED) | ~isBelow(bytes, 0xF0)
        }
        return !hasAny(odd)
    }

    // MARK: Escapes

    /// Which bytes are escaped by the backslash before them: of a row of backslashes, every second one, and what follows an odd row.
    private static func escaped(by backslashes: UInt64, _ carry: inout UInt64) -> UInt64 {
        let odd: UInt64 = 0xAAAA_AAAA_AAAA_AAAA
        let mayEscape = backslashes & ~carry
        // A subtraction runs through each row of backslashes, and ends on an odd place or an even one by the length of the row.
        let rows = ((mayEscape << 1) | odd) &- mayEscape
        let escapesOrEnds = rows ^ odd
        let escaped = escapesOrEnds ^ (backslashes | carry)
        carry = (escapesOrEnds & backslashes) >> 63
        return escaped
    }

    /// The bytes that may follow a backslash, but for `u`.
    @inline(__always)
    private static func isEscape(_ bytes: Vector) -> Vector {
        equal(bytes, 0x22) | equal(bytes, 0x5C) | equal(bytes, 0x2F) | equal(bytes, 0x62) | equal(bytes, 0x66)
            | equal(bytes, 0x6E) | equal(bytes, 0x72)
            | equal(bytes, 0x74)
    }

    /// Whether at each of these places of a block there is a `u` with four hex digits behind it.
    private static func areUnicodeEscapes(_ places: UInt64, _ text: Span<UInt8>, at block: Int) -> Bool {
        var rest = places
        while rest != 0 {
            guard isUnicodeEscape(text, at: block + rest.trailingZeroBitCount) else { return false }
            rest &= rest &- 1
        }
        return true
    }

    private static func isUnicodeEscape(_ text: Span<UInt8>, at index: Int) -> Bool {
        guard text.byte(at: index) == UInt8(ascii: "u") else { return false }
        for digit in index + 1...index + 4 where text.byte(at: digit)?.hexDigitValue == nil { return false }
        return true
    }

    // MARK: UTF-8

    /// Whether the bytes above ASCII at these places of a block are those of whole characters.
    ///
    /// - Parameter checked: what lies before it belongs to a character that has been looked at.
    private static func areCharacters(
        _ places: UInt64, _ text: Span<UInt8>, at block: Int, checked: inout Int
    ) -> Bool {
        var rest = places
        if checked > block { rest &= ~0 << UInt64(checked - block) }
        while rest != 0 {
            let index = block + rest.trailingZeroBitCount
            guard let length = characterLength(text, at: index) else { return false }
            checked = index + length
            rest &= ~0 << UInt64(checked - block)
        }
        return true
    }

    /// The bytes of the character above ASCII that begins at `index`; nil when none does (Unicode 15, table 3-7).
    private static func characterLength(_ text: Span<UInt8>, at index: Int) -> Int? {
        guard let first = text.byte(at: index), let second = text.byte(at: index + 1), isContinuation(second) else {
            return nil
        }
        switch first {
        case 0xC2...0xDF: return 2
        case 0xE0...0xEF:
            guard let third = text.byte(at: index + 2), isContinuation(third) else { return nil }
            // Neither what two bytes could say, nor half of a surrogate pair.
            if first == 0xE0 && second < 0xA0 || first == 0xED && second > 0x9F { return nil }
            return 3
        case 0xF0...0xF4:
            guard let third = text.byte(at: index + 2), isContinuation(third), let fourth = text.byte(at: index + 3),
                isContinuation(fourth)
            else { return nil }
            if first == 0xF0 && second < 0x90 || first == 0xF4 && second > 0x8F { return nil }
            return 4
        default: return nil
        }
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    // MARK: Vectors

    // Comparisons are made between vectors, and their results joined as bytes: with a number, or as masks, this compiler takes many more steps.

    /// Sixteen bytes. A block has been found to be there before it is looked at, the two bytes before it included where they matter: to ask
    /// once more for each sixteen bytes takes as long as to look at them.
    @inline(__always)
    private static func vector(_ text: Span<UInt8>, at index: Int) -> Vector {
        assert(index >= 0 && index <= text.count - 16)
        return unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: Vector.self)
    }

    /// 0xFF where a byte is `value`, else 0.
    @inline(__always)
    private static func equal(_ bytes: Vector, _ value: UInt8) -> Vector {
        unsafe unsafeBitCast(bytes .== Vector(repeating: value), to: Vector.self)
    }

    /// 0xFF where a byte is less than `value`, else 0.
    @inline(__always)
    private static func isBelow(_ bytes: Vector, _ value: UInt8) -> Vector {
        unsafe unsafeBitCast(bytes .< Vector(repeating: value), to: Vector.self)
    }

    @inline(__always)
    private static func hasAny(_ bytes: Vector) -> Bool {
        let halves = unsafe unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
        return halves[0] | halves[1] != 0
    }

    /// One bit for each byte, which is 0xFF or 0; the first byte's is the lowest.
    @inline(__always)
    private static func mask(_ bytes: Vector) -> UInt64 {
        // Each byte keeps the bit of its place; a multiplication adds up the eight bytes of a half in its highest.
        let places = Vector(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128)
        let halves = unsafe unsafeBitCast(bytes & places, to: SIMD2<UInt64>.self)
        let ones: UInt64 = 0x0101_0101_0101_0101
        return (halves[0] &* ones) >> 56 | ((halves[1] &* ones) >> 56) << 8
    }
}
