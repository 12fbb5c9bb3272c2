/// Lower-case hexadecimal digits, as trace headers have them.
enum HexDigits {
    /// Adds 16 digits.
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            bytes.append(digit(UInt8(truncatingIfNeeded: value >> shift)))
        }
    }

    /// Adds 2 digits.
    static func append(_ value: UInt8, to bytes: inout [UInt8]) {
        bytes.append(digit(value >> 4))
        bytes.append(digit(value))
    }

    /// What at most 16 digits say; nil when one of them is none, and capitals are none.
    static func value(of digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    /// Of the lower four bits.
    private static func digit(_ value: UInt8) -> UInt8 {
        let value = value & 0xF
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
