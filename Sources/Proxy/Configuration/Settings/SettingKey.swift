import ProxyAccounting

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
    /// The value is an address, where a secret may stand by mistake.
    private let isAddress: Bool
    /// What a value of the JSON format may be beside a text.
    private let alsoTakes: SettingEntry.Form?
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
        alsoTakes = Self.form(of: Value.self)
        isAddress = Value.self == BaseURL.self
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
        alsoTakes = Self.form(of: Value.self)
        isAddress = Value.self == BaseURL.self
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
        alsoTakes = Self.form(of: Value.self)
        isAddress = Value.self == BaseURL.self
        apply = { text, line, target in
            guard let value = kind.parse(text) else { return false }
            target[keyPath: path] = Located(value: value, line: line)
            return true
        }
    }

    /// The same key with another default.
    init(_ row: SettingKey, standard: String) {
        name = row.name
        self.standard = standard
        isSecret = row.isSecret
        expectation = row.expectation
        alsoTakes = row.alsoTakes
        isAddress = row.isAddress
        apply = row.apply
    }

    /// Whether a message may show a value that is not valid. People put the key in the place of the URL, or into it.
    func mayShow(_ value: String) -> Bool {
        !isSecret && (!isAddress || (value.contains("://") && !value.contains { "@?#".contains($0) }))
    }

    /// Whether a value of this form can be meant for the key.
    func takes(_ form: SettingEntry.Form) -> Bool { form == .text || form == alsoTakes }

    private static func form(of type: Any.Type) -> SettingEntry.Form? {
        if type == Bool.self { return .boolean }
        return type == [String].self || type == [Budget].self || type == Set<ProviderDialect>.self ? .list : nil
    }
}
