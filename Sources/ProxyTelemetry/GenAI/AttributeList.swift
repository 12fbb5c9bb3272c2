/// Attributes one after the other; what is not known is left away, and texts are cut.
struct AttributeList {
    /// Bytes of a text.
    static let longest = 1024

    private(set) var attributes: [SpanAttribute] = []

    init(capacity: Int) { attributes.reserveCapacity(capacity) }

    mutating func add(_ key: String, _ text: String?) {
        guard let text else { return }
        attributes.append(SpanAttribute(key, .string(BoundedText.cut(text, toBytes: Self.longest))))
    }

    mutating func add(_ key: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        // More than so many choices nobody asks for.
        let texts = texts.prefix(128).map { BoundedText.cut($0, toBytes: Self.longest) }
        attributes.append(SpanAttribute(key, .strings(texts)))
    }

    mutating func add(_ key: String, _ number: Int?) {
        if let number { attributes.append(SpanAttribute(key, .integer(Int64(number)))) }
    }

    /// Also 0 says nothing.
    mutating func addUnlessZero(_ key: String, _ number: Int?) {
        if let number, number != 0 { add(key, number) }
    }

    mutating func add(_ key: String, _ number: Double?) {
        if let number, number.isFinite { attributes.append(SpanAttribute(key, .double(number))) }
    }

    /// In seconds.
    mutating func add(_ key: String, _ duration: Duration?) {
        guard let (seconds, attoseconds) = duration?.components else { return }
        add(key, Double(seconds) + Double(attoseconds) / 1e18)
    }

    mutating func add(_ key: String, _ flag: Bool?) {
        if let flag { attributes.append(SpanAttribute(key, .boolean(flag))) }
    }

    /// Only if it is so.
    mutating func addIfTrue(_ key: String, _ flag: Bool) {
        if flag { add(key, true) }
    }
}
