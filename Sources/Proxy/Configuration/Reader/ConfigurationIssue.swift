/// One thing that is wrong, or odd, in the configuration: what, where, and how to mend it.
package struct ConfigurationIssue: Sendable, Hashable {
    package enum Severity: String, Sendable { case error, warning }

    package var severity: Severity
    /// The file as the user named it.
    package var file: String
    /// From 1; nil when the whole file is meant.
    package var line: Int?
    /// What is wrong, without a full stop. Never a secret's value.
    package var message: String
    /// What to do about it, as an imperative without a full stop.
    package var fix: String
    /// The account that this concerns, when only that one is lost by it.
    package var account: String?

    package init(
        _ severity: Severity, file: String, line: Int?, message: String, fix: String, account: String? = nil
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.message = message
        self.fix = fix
        self.account = account
    }
}

extension ConfigurationIssue: CustomStringConvertible {
    /// `multi_config.conf:17`, or the file alone.
    package var location: String { line.map { "\(file):\($0)" } ?? file }

    /// One line: `config.conf:17: port = 70000 is not valid; use a number from 0 to 65535`.
    package var description: String { "\(location): \(message); \(fix)" }
}

/// Why a configuration cannot be used: at least one error.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// In the order of the file; warnings are not among them.
    package let errors: [ConfigurationIssue]
    /// What was odd besides, and may be the cause: a misspelt key.
    package let warnings: [ConfigurationIssue]

    /// Nil when `issues` holds no error.
    package init?(_ issues: [ConfigurationIssue]) {
        errors = issues.filter { $0.severity == .error }
        warnings = issues.filter { $0.severity == .warning }
        if errors.isEmpty { return nil }
    }

    /// An error that stands alone, such as a missing file.
    package init(_ issue: ConfigurationIssue) {
        errors = [issue]
        warnings = []
    }

    /// The line with which the process exits: the first error, and how many there are besides.
    package var description: String {
        guard let first = errors.first else { return "the configuration is not valid" }
        return switch errors.count {
        case 1: first.description
        case 2: "\(first) (and 1 more error: -check lists all)"
        case let count: "\(first) (and \(count - 1) more errors: -check lists all)"
        }
    }
}
