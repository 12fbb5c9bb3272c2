/// `key1=value1,key2=value2` with percent signs for what is special, as the W3C's `baggage` has it: headers and resource
/// attributes.
enum PairList {
    enum Fault: Error, Equatable {
        /// - `position`: of the faulty pair, from 1.
        case noEqualsSign(position: Int)
        case noKey(position: Int)
        /// A `%` without two digits, or bytes that are not UTF-8.
        case encoding(position: Int)

        var position: Int {
            switch self {
            case .noEqualsSign(let position), .noKey(let position), .encoding(let position): position
            }
        }

        /// For people; without what stands there, which may be secret.
        var text: String {
            switch self {
            case .noEqualsSign(let position): "entry \(position) has no '='"
            case .noKey(let position): "entry \(position) has no name before its '='"
            case .encoding(let position): "entry \(position) has a '%' that is no code of UTF-8; write %25 for it"
            }
        }
    }

    /// The pairs in their order. Empty entries are passed over, blanks around keys and values left away. In a `+` is
    /// nothing special.
    static func pairs(_ text: String) throws(Fault) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        for (index, entry) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let entry = trimmed(entry)
            if entry.isEmpty { continue }
            guard let equals = entry.firstIndex(of: "=") else { throw .noEqualsSign(position: index + 1) }
            let key = trimmed(entry[..<equals])
            guard !key.isEmpty else { throw .noKey(position: index + 1) }
            guard let key = decoded(key), let value = decoded(trimmed(entry[entry.index(after: equals)...])) else {
                throw .encoding(position: index + 1)
            }
            pairs.append((key, value))
        }
        return pairs
    }

    /// Without blanks around it.
    static func trimmed(_ text: some StringProtocol) -> Substring {
        var text = Substring(text)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }

    private static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap({ digit($0) }),
                    let low = rest.popFirst().flatMap({ digit($0) })
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
