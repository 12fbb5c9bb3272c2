extension JSONString {
    /// The UTF-16 code units of what stands between the quotes of a checked string. Unlike a text, they keep a surrogate whose partner comes in the next piece.
    static func units(_ content: ArraySlice<UInt8>) -> [UInt16] {
        var units: [UInt16] = []
        units.reserveCapacity(content.count)
        var rest = content
        while let start = rest.first {
            guard start == UInt8(ascii: "\\") else {
                let plain = rest.prefix { $0 != UInt8(ascii: "\\") }
                units.append(contentsOf: String(decoding: plain, as: UTF8.self).utf16)
                rest = rest[plain.endIndex...]
                continue
            }
            let hex = rest.dropFirst(2).prefix(4)
            if rest.dropFirst().first == UInt8(ascii: "u"), hex.count == 4, hex.allSatisfy({ $0.hexDigitValue != nil })
            {
                units.append(hex.reduce(0) { $0 << 4 | UInt16($1.hexDigitValue ?? 0) })
                rest = rest.dropFirst(6)
            } else {
                units.append(contentsOf: decode(rest.prefix(2)).utf16)
                rest = rest.dropFirst(2)
            }
        }
        return units
    }

    /// The units as they stand between the quotes of a string. A surrogate without its partner is written as an escape.
    static func escaped(_ units: ArraySlice<UInt16>) -> [UInt8] {
        var bytes: [UInt8] = []
        var plain: [UInt16] = []
        func flush() {
            append(String(decoding: plain, as: UTF16.self), to: &bytes)
            plain.removeAll(keepingCapacity: true)
        }
        var index = units.startIndex
        while index < units.endIndex {
            let unit = units[index]
            let next = index + 1 < units.endIndex ? units[index + 1] : 0
            if UTF16.isLeadSurrogate(unit), UTF16.isTrailSurrogate(next) {
                plain += [unit, next]
                index += 2
                continue
            }
            index += 1
            guard UTF16.isLeadSurrogate(unit) || UTF16.isTrailSurrogate(unit) else {
                plain.append(unit)
                continue
            }
            flush()
            bytes += Array("\\u\(String(unit, radix: 16))".utf8)
        }
        flush()
        return bytes
    }
}
