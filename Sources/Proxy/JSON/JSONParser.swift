/// Fills the node list of a `JSONDocument`, and says what is wrong with a text that is not JSON, and where. Recursive descent over the
/// bytes, with a bound on the depth. What is well goes through `JSONLister`, which is faster.
struct JSONParser {
    private(set) var nodes: [JSONDocument.Node] = []
    private var position = 0
    private var depth = 0

    init(expectedNodes: Int) {
        nodes.reserveCapacity(expectedNodes)
    }

    mutating func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) {
        try parseDocument(bytes.span)
    }

    private mutating func parseDocument(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        guard text.count < Int32.max else { throw JSONSyntaxError("the text is too large", at: 0, in: text) }
        if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { position = 3 }
        do throws(JSONSyntaxError) {
            skipBlanks(text)
            try parseValue(text)
            skipBlanks(text)
            guard position == text.count else {
                throw JSONSyntaxError("unexpected text after the value", at: position, in: text)
            }
        } catch {
            // A text of another encoding is wrong before its first bracket is.
            try Self.validate(text)
            throw error
        }
    }

    /// - Throws: the first place at which the text is not UTF-8. Of a text that parses, the strings have been checked as they were scanned,
    ///   and elsewhere there is nothing but ASCII.
    private static func validate(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        do {
            _ = try UTF8Span(validating: text)
        } catch {
            throw JSONSyntaxError(JSONSyntaxError.notUTF8, at: error.byteOffsets.lowerBound, in: text)
        }
    }

    private mutating func parseValue(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        guard position < text.count else {
            throw JSONSyntaxError("the text ends where a value is expected", at: position, in: text)
        }
        switch text[position] {
        case UInt8(ascii: "\""): try parseString(text)
        case UInt8(ascii: "{"): try parseObject(text)
        case UInt8(ascii: "["): try parseArray(text)
        case UInt8(ascii: "t"): try parseWord("true", .true, text)
        case UInt8(ascii: "f"): try parseWord("false", .false, text)
        case UInt8(ascii: "n"): try parseWord("null", .null, text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try parseNumber(text)
        default: throw JSONSyntaxError("unexpected character where a value is expected", at: position, in: text)
        }
    }

    private mutating func parseObject(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        let container = try open(.object, text)
        if !closes(UInt8(ascii: "}"), text) {
            while true {
                guard position < text.count, text[position] == UInt8(ascii: "\"") else {
                    throw JSONSyntaxError("a member name in quotes is missing", at: position, in: text)
                }
                try parseString(text)
                skipBlanks(text)
                guard position < text.count, text[position] == UInt8(ascii: ":") else {
                    throw JSONSyntaxError("a colon is missing after the member name", at: position, in: text)
                }
                position += 1
                skipBlanks(text)
                try parseValue(text)
                if try closes(UInt8(ascii: "}"), orContinues: text) { break }
            }
        }
        close(container)
    }

    private mutating func parseArray(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        let container = try open(.array, text)
        if !closes(UInt8(ascii: "]"), text) {
            repeat { try parseValue(text) } while try !closes(UInt8(ascii: "]"), orContinues: text)
        }
        close(container)
    }

    private mutating func open(
        _ kind: JSONValue.Kind, _ text: Span<UInt8>
    ) throws(JSONSyntaxError) -> Int {
        depth += 1
        guard depth <= JSONDocument.maximumDepth else {
            throw JSONSyntaxError(
                "values are nested deeper than \(JSONDocument.maximumDepth) levels", at: position, in: text)
        }
        nodes.append(.init(kind: kind, start: Int32(position), end: 0, next: 0))
        position += 1
        skipBlanks(text)
        return nodes.count - 1
    }

    private mutating func close(_ container: Int) {
        depth -= 1
        nodes[container].end = Int32(position)
        nodes[container].next = Int32(nodes.count)
    }

    /// Takes the closing bracket of an empty container.
    private mutating func closes(_ bracket: UInt8, _ text: Span<UInt8>) -> Bool {
        guard position < text.count, text[position] == bracket else { return false }
        position += 1
        return true
    }

    /// After an element: takes the closing bracket (true), or the comma and what blanks follow (false).
    private mutating func closes(
        _ bracket: UInt8, orContinues text: Span<UInt8>
    ) throws(JSONSyntaxError) -> Bool {
        skipBlanks(text)
        guard position < text.count else {
            throw JSONSyntaxError("the text ends inside a value", at: position, in: text)
        }
        if text[position] == bracket {
            position += 1
            return true
        }
        guard text[position] == UInt8(ascii: ",") else {
            throw JSONSyntaxError(JSONSyntaxError.missingComma, at: position, in: text)
        }
        position += 1
        skipBlanks(text)
        return false
    }

    private mutating func parseString(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        let start = position
        var isEscaped = false
        position += 1
        if let string = JSONStringScan.end(text, from: position) {
            position = string.end + 1
            return appendScalar(.string, from: start, isEscaped: string.isEscaped)
        }
        // Something is wrong with it; what and where, its bytes say one by one.
        try Self.validate(text)
        while true {
            position = JSONParser.endOfPlainRun(text, from: position)
            guard position < text.count else {
                throw JSONSyntaxError("the text ends inside a string", at: position, in: text)
            }
            let byte = text[position]
            if byte == UInt8(ascii: "\"") { break }
            guard byte == UInt8(ascii: "\\") else {
                throw JSONSyntaxError("unescaped control character in a string", at: position, in: text)
            }
            isEscaped = true
            try skipEscape(text)
        }
        position += 1
        appendScalar(.string, from: start, isEscaped: isEscaped)
    }

    private mutating func skipEscape(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        guard position + 1 < text.count else {
            throw JSONSyntaxError("the text ends inside a string", at: position, in: text)
        }
        switch text[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            guard (position + 2..<position + 6).allSatisfy({ text.byte(at: $0)?.hexDigitValue != nil }) else {
                throw JSONSyntaxError("\\u is not followed by four hex digits", at: position, in: text)
            }
            position += 6
        default:
            throw JSONSyntaxError("invalid escape in a string", at: position, in: text)
        }
    }

    /// The first byte from `index` on that ends or interrupts a string: a quote, a backslash or a control character.
    ///
    /// Eight bytes at a time.
    static func endOfPlainRun(_ text: Span<UInt8>, from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while let word = text.word(at: index) {
            // Per byte, the high bit of (x - 1) & ~x marks a zero; of (x - 0x20) & ~x marks a byte below 0x20.
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let hits =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
            // A borrow may mark bytes behind a hit, never one before it: the lowest mark is the place.
            if hits & highs != 0 { return index + (hits & highs).trailingZeroBitCount / 8 }
            index += 8
        }
        while let byte = text.byte(at: index) {
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { return index }
            index += 1
        }
        return index
    }

    private mutating func parseNumber(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        let start = position
        if text[position] == UInt8(ascii: "-") { position += 1 }
        let integerStart = position
        let integerDigits = skipDigits(text)
        guard integerDigits > 0, integerDigits == 1 || text[integerStart] != UInt8(ascii: "0") else {
            throw JSONSyntaxError("this is not a JSON number", at: start, in: text)
        }
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            guard skipDigits(text) > 0 else { throw JSONSyntaxError("this is not a JSON number", at: start, in: text) }
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard skipDigits(text) > 0 else { throw JSONSyntaxError("this is not a JSON number", at: start, in: text) }
        }
        appendScalar(.number, from: start)
    }

    private mutating func skipDigits(_ text: Span<UInt8>) -> Int {
        let start = position
        while position < text.count, text[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
        return position - start
    }

    private mutating func parseWord(
        _ word: StaticString, _ kind: JSONValue.Kind, _ text: Span<UInt8>
    ) throws(JSONSyntaxError) {
        let count = word.utf8CodeUnitCount
        guard text.stands(word, at: position) else {
            throw JSONSyntaxError("invalid value", at: position, in: text)
        }
        position += count
        appendScalar(kind, from: position - count)
    }

    private mutating func appendScalar(_ kind: JSONValue.Kind, from start: Int, isEscaped: Bool = false) {
        nodes.append(
            .init(
                kind: kind, isEscaped: isEscaped, start: Int32(start), end: Int32(position),
                next: Int32(nodes.count + 1)))
    }

    private mutating func skipBlanks(_ text: Span<UInt8>) {
        while let byte = text.byte(at: position), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }
}

extension UInt8 {
    /// The value of an ASCII hex digit.
    var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
