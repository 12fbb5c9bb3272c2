/// The configuration of the proxy, before it is text.
struct ConfigurationPlan: Sendable, Equatable {
    /// `api_key` at the root; nil lets the proxy make one.
    var clientKeys: Entry?
    var accounts: [Section] = []
    var providers: [Section] = []
    /// `[MODELS]`, `[FALLBACKS]`, `[PRICES]`, `[GLOBAL]`, `[CIRCUIT_BREAKER]`.
    var models: [Entry] = []
    var fallbacks: [Entry] = []
    var prices: [Entry] = []
    var globals: [Entry] = []
    var breaker: [Entry] = []
    /// What stands above all of it, in lines without the sign of a comment.
    var preface: [String] = []

    struct Entry: Sendable, Equatable {
        let key: String
        var value: String
        var comment: String?

        init(_ key: String, _ value: String, _ comment: String? = nil) {
            self.key = key
            self.value = value
            self.comment = comment
        }
    }

    struct Section: Sendable, Equatable {
        var entries: [Entry]
        var comment: String?
    }

    var hasUpstreams: Bool { !accounts.isEmpty || !providers.isEmpty }

    /// Sets a key that stands once.
    mutating func setGlobal(_ key: String, _ value: String, _ comment: String? = nil) {
        Self.set(key, value, comment, in: &globals)
    }

    mutating func setBreaker(_ key: String, _ value: String, _ comment: String? = nil) {
        Self.set(key, value, comment, in: &breaker)
    }

    private static func set(_ key: String, _ value: String, _ comment: String?, in entries: inout [Entry]) {
        entries.removeAll { $0.key == key }
        entries.append(Entry(key, value, comment))
    }
}
