/// A piece of a YAML document, with the place where it stands. Anchors are resolved: an alias is what it stands for.
struct YAMLValue: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// - Parameter isPlain: not in quotes, so that it may be nothing, a number or a switch.
        case scalar(String, isPlain: Bool)
        case list([YAMLValue])
        case mapping([YAMLMember])
    }

    let content: Content
    /// From 1.
    let line: Int
}

/// One key of a mapping.
struct YAMLMember: Sendable, Equatable {
    let key: String
    /// Which of the document's keys this is; the same wherever an alias repeats it.
    let id: Int
    let line: Int
    let value: YAMLValue
}

extension YAMLValue {
    var members: [YAMLMember]? { if case .mapping(let members) = content { members } else { nil } }
    var elements: [YAMLValue]? { if case .list(let elements) = content { elements } else { nil } }

    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// A scalar as it is written, without its quotes and the blanks around it; nil for nothing, a list or a mapping.
    var text: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        let scalars = text.unicodeScalars
        let isBlank = { (scalar: Unicode.Scalar) in " \t\r\n".unicodeScalars.contains(scalar) }
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[first...last])
    }

    var number: Double? { text.flatMap { Double($0.filter { $0 != "_" }) }.flatMap { $0.isFinite ? $0 : nil } }

    /// People write 3.0 for 3.
    var integer: Int? { number.flatMap { Int(exactly: $0) } }

    /// As YAML 1.1 has it, which Python's programs read.
    var flag: Bool? {
        switch text?.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// With its article, for messages.
    var kindName: String {
        switch content {
        case .scalar where isNull: "empty"
        case .scalar: "a text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension [YAMLMember] {
    subscript(key: String) -> YAMLMember? { last { $0.key == key } }
}
