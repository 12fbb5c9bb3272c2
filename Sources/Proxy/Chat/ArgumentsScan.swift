/// Whether the arguments of a call that have come so far are a whole JSON object. They come as the inside of a JSON string, so each quote of theirs is escaped.
struct ArgumentsScan {
    private var depth = 0
    private var isInString = false
    /// The byte in front was a backslash of the JSON that the string holds.
    private var isEscaped = false
    /// The byte in front was a backslash of the string itself.
    private var isEscapingOuter = false
    /// Digits of a `\uXXXX` that are still to come; such a character is none that counts, or is read as one by nobody.
    private var digits = 0
    private var hasBegun = false

    /// All brackets are closed again.
    private(set) var isWhole = false

    mutating func take(_ escaped: ArraySlice<UInt8>) {
        for byte in escaped {
            if digits > 0 {
                digits -= 1
                if digits == 0 { character(UInt8(ascii: "?")) }
                continue
            }
            guard isEscapingOuter else {
                if byte == UInt8(ascii: "\\") { isEscapingOuter = true } else { character(byte) }
                continue
            }
            isEscapingOuter = false
            switch byte {
            case UInt8(ascii: "u"): digits = 4
            case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
                character(UInt8(ascii: " "))
            default: character(byte)
            }
        }
    }

    /// A byte of the arguments themselves.
    private mutating func character(_ byte: UInt8) {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            hasBegun = true
            depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        isWhole = hasBegun && depth <= 0 && !isInString
    }
}
