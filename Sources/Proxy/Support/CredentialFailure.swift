/// Why an account has no credentials at the moment: what is wrong, and how to mend it. Never a byte of a token or key.
struct CredentialFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Without a full stop.
    let message: String
    /// As an imperative without a full stop.
    let fix: String

    init(_ message: String, fix: String) {
        self.message = message
        self.fix = fix
    }

    var description: String { "\(message); \(fix)" }
}
