/// Base64 into bytes, in both alphabets, and back (RFC 4648).
enum Base64 {
    /// Decodes `+/` and `-_` alike, with or without padding at the end; ASCII white space between does not matter, as services
    /// wrap lines.
    ///
    /// - Returns: nil when anything else is in the text, or bits are left over that cannot be a byte.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text {
            if character == 0x20 || (0x09...0x0D).contains(character) { continue }
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 != 1 {
                let left = UInt32(6 - 2 * ((count - 1) % 4))
                bytes.append(UInt8(truncatingIfNeeded: bits >> left))
            }
        }
        // One character alone has six bits; padding, where there is some, fills up the last four.
        guard count % 4 != 1, padding == 0 || (count + padding) % 4 == 0 && padding <= 2 else { return nil }
        return bytes
    }

    /// In the standard alphabet, padded.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        return [UInt8](capacity: (bytes.count + 2) / 3 * 4) { text in
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let left = bytes.count - start
                let bits =
                    UInt32(bytes[start]) << 16 | (left > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
                    | (left > 2 ? UInt32(bytes[start + 2]) : 0)
                for place in 0..<4 {
                    text.append(
                        place <= left ? alphabet.utf8[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
                }
            }
        }
    }

    /// In the alphabet for addresses and names of files, without padding.
    static func encodeForURL(_ bytes: [UInt8]) -> [UInt8] {
        encode(bytes).compactMap { character in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: character
            }
        }
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
