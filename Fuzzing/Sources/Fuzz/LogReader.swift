/// A strict reader of log lines, written apart from what writes them; it goes by bytes, as such readers do.
struct LogReader {
    private var rest: ArraySlice<UInt8>

    private init(_ line: String) { rest = Array(line.utf8.dropLast())[...] }

    /// How the name of a pair is to be written.
    static func written(_ key: String) -> String {
        String(
            decoding: key.utf8.prefix(64).map {
                (0x21...0x7E).contains($0) && !"\"=\\".utf8.contains($0) ? $0 : UInt8(ascii: "_")
            }, as: UTF8.self)
    }

    /// `key=value` and `key="value"` with blanks between; other words are none of them.
    static func pairs(of line: String) -> [(key: String, value: String)] {
        var reader = LogReader(line)
        return reader.pairs()
    }

    /// One object of JSON, of strings alone and without blanks.
    static func members(of line: String, behindPriority: Bool) -> [(key: String, value: String)] {
        var reader = LogReader(line)
        return reader.members(behindPriority: behindPriority)
    }

    private mutating func pairs() -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        while !rest.isEmpty {
            if rest.first == UInt8(ascii: " ") {
                rest.removeFirst()
                continue
            }
            let key = take { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "=") }
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest.removeFirst()
            if rest.first == UInt8(ascii: "\"") {
                pairs.append((key, string()))
                expect(
                    rest.isEmpty || rest.first == UInt8(ascii: " "),
                    "text behind a closing quote: \(String(decoding: rest, as: UTF8.self))")
            } else {
                pairs.append((key, take { $0 != UInt8(ascii: " ") }))
            }
        }
        return pairs
    }

    private mutating func members(behindPriority: Bool) -> [(key: String, value: String)] {
        if behindPriority {
            expect(
                rest.count > 3 && rest.starts(with: "<".utf8) && rest.dropFirst(2).first == UInt8(ascii: ">"),
                "no priority")
        }
        if behindPriority { rest = rest.dropFirst(3) }
        var members: [(key: String, value: String)] = []
        take("{")
        repeat {
            let key = string()
            take(":")
            members.append((key, string()))
        } while takes(",")
        take("}")
        expect(rest.isEmpty, "text behind the object")
        return members
    }

    private mutating func take(while condition: (UInt8) -> Bool) -> String {
        let word = rest.prefix(while: condition)
        rest = rest.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }

    private mutating func takes(_ sign: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: sign) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func take(_ sign: Unicode.Scalar) {
        expect(takes(sign), "\(sign) is missing before \(String(decoding: rest, as: UTF8.self))")
    }

    private mutating func string() -> String {
        var units: [UInt16] = []
        take("\"")
        while let byte = rest.first, byte != UInt8(ascii: "\"") {
            guard takes("\\") else {
                let plain = rest.prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
                expect(plain.allSatisfy { $0 >= 0x20 }, "a control character in a string")
                units.append(contentsOf: String(decoding: plain, as: UTF8.self).utf16)
                rest = rest.dropFirst(plain.count)
                continue
            }
            let sign = rest.popFirst()
            switch sign {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): units.append(UInt16(sign ?? 0))
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "u"):
                let unit = UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16)
                expect(unit != nil && rest.count >= 4, "no four hexadecimal digits")
                units.append(unit ?? 0)
                rest = rest.dropFirst(4)
            default: expect(false, "no escape of JSON")
            }
        }
        take("\"")
        return String(decoding: units, as: UTF16.self)
    }
}
