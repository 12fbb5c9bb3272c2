/// The two directions between a text and what stands between the quotes of a JSON string.
enum JSONString {
    /// Undoes the escapes of a checked string. A surrogate without its partner becomes U+FFFD.
    static func decode(_ content: ArraySlice<UInt8>) -> String { decode(content.span) }

    static func decode(_ content: Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var index = 0
        while let byte = content.byte(at: index) {
            guard byte == UInt8(ascii: "\\"), let escape = content.byte(at: index + 1) else {
                text.append(byte)
                index += 1
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                let (scalar, length) = decodeUnicodeEscape(content, at: index)
                text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                index += length
                continue
            case let plain: text.append(plain)
            }
            index += 2
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The scalar of `\uXXXX` or of a surrogate pair at `index`, and the number of bytes that it takes.
    private static func decodeUnicodeEscape(_ content: Span<UInt8>, at index: Int) -> (Unicode.Scalar, Int) {
        guard let first = codeUnit(content, at: index) else { return ("\u{FFFD}", 2) }
        if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
        guard first < 0xDC00, let second = codeUnit(content, at: index + 6), (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { return ("\u{FFFD}", 6) }
        return (scalar, 12)
    }

    private static func codeUnit(_ content: Span<UInt8>, at index: Int) -> UInt16? {
        guard content.stands("\\u", at: index) else { return nil }
        var unit: UInt16 = 0
        for place in index + 2..<index + 6 {
            guard let value = content.byte(at: place)?.hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(value)
        }
        return unit
    }

    /// Appends `text` as a string of JSON. Everything above ASCII stays as it is.
    static func append(quoted text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        append(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The same without the quotes.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        let view = text.utf8
        let utf8 = view.span
        var index = 0
        while index < utf8.count {
            let end = JSONParser.endOfPlainRun(utf8, from: index)
            bytes.append(contentsOf: utf8.extracting(index..<end))
            guard end < utf8.count else { break }
            appendEscaped(utf8[end], to: &bytes)
            index = end + 1
        }
    }

    private static func appendEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            let digits: StaticString = "0123456789abcdef"
            bytes.append(contentsOf: [
                UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"),
                digits.utf8[Int(byte >> 4)], digits.utf8[Int(byte & 0xF)],
            ])
        }
    }
}
