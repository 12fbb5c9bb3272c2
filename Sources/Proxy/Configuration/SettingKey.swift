/// A value with the line that set it.
struct Located<Value> {
    var value: Value
    var line: Int
    /// The file; nil for the configuration itself.
    var file: String?

    var place: SettingPlace { SettingPlace(file: file, line: line) }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}

/// One row of the configuration table: a key, its default, and where its value goes in `Target`.
struct SettingKey<Target>: Sendable {
    /// In lower case, as it is compared.
    let name: String
    /// The default as a file would write it; nil when there is none.
    let standard: String?
    /// The value never appears in a message.
    let isSecret: Bool
    /// What a value must be: "a number from 0 to 65535".
    let expectation: String
    /// Puts the value, set in a line, into the target; false when it is not valid.
    let apply: @Sendable (_ value: String, _ line: Int, _ target: inout Target) -> Bool

    init<Value>(
        _ name: String, _ kind: ValueKind<Value>, standard: String? = nil, secret: Bool = false,
        _ path: any WritableKeyPath<Target, Value> & Sendable
    ) {
        self.name = name
        self.standard = standard
        isSecret = secret
        expectation = kind.expectation
        apply = { text, _, target in
            guard let value = kind.parse(text) else { return false }
            target[keyPath: path] = value
            return true
        }
    }

    /// For a value that may be absent.
    init<Value>(
        _ name: String, _ kind: ValueKind<Value>, standard: String? = nil, secret: Bool = false,
        _ path: any WritableKeyPath<Target, Value?> & Sendable
    ) {
        self.name = name
        self.standard = standard
        isSecret = secret
        expectation = kind.expectation
        apply = { text, _, target in
            guard let value = kind.parse(text) else { return false }
            target[keyPath: path] = value
            return true
        }
    }

    /// For a value whose line is wanted later.
    init<Value>(
        _ name: String, _ kind: ValueKind<Value>, standard: String? = nil, secret: Bool = false,
        _ path: any WritableKeyPath<Target, Located<Value>?> & Sendable
    ) {
        self.name = name
        self.standard = standard
        isSecret = secret
        expectation = kind.expectation
        apply = { text, line, target in
            guard let value = kind.parse(text) else { return false }
            target[keyPath: path] = Located(value: value, line: line)
            return true
        }
    }
}
