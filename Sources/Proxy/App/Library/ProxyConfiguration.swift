/// A configuration file that has been read and checked, with the keys and certificates that it names.
public struct ProxyConfiguration: Sendable {
    let source: ConfigurationSource
    let proxies: ProxyRules
    let loaded: LoadedConfiguration

    /// What is odd about the file and does not keep the proxy from serving: warnings, and errors of accounts that others can stand in for.
    public var issues: [Issue] { loaded.issues.map(Issue.init) }

    /// Reads a file in either of the forms that the program reads, INI or JSON. It blocks while it reads.
    ///
    /// The file's `log_level`, `log_file` and `log_format` are checked and mean nothing here: the logger is the service's.
    ///
    /// - Parameters:
    ///   - path: of the file; relative to the working directory. Reloads read it again.
    ///   - host: the address to listen on, in place of the file's.
    ///   - port: the port to listen on, 0 for any free one, in place of the file's.
    ///   - environment: the variables that the file's accounts and the way to them depend on (`HOME`, `HTTPS_PROXY`, `OCI_...`); by default the
    ///     process's own.
    /// - Throws: `Invalid`, with all that is wrong.
    public init(
        contentsOf path: String, host: String? = nil, port: Int? = nil, environment: [String: String]? = nil
    ) throws(Invalid) {
        let environment = environment ?? ProcessEnvironment.ofConfiguration
        source = ConfigurationSource(
            file: path, overrides: ConfigurationLoader.Overrides(host: host, port: port), environment: environment,
            workingDirectory: ProcessEnvironment.workingDirectory)
        do {
            loaded = try source.read()
        } catch {
            throw Invalid(error)
        }
        do {
            proxies = try ProxyRules(environment: environment)
        } catch {
            throw Invalid(
                issues: [
                    Issue(
                        isWarning: false, file: "environment", line: nil, message: "\(error.name): \(error.reason)",
                        fix: "set it to http://host:port or http://user:password@host:port")
                ])
        }
    }

    /// One thing that is wrong, or odd.
    public struct Issue: Sendable, Equatable, CustomStringConvertible {
        /// It alone keeps nothing from working.
        public let isWarning: Bool
        /// The file as it was named.
        public let file: String
        /// From 1; nil when the whole file is meant.
        public let line: Int?
        /// What is wrong. Never a secret's value.
        public let message: String
        /// What to do about it.
        public let fix: String

        /// One line: `config.conf:17: port = 70000 is not valid; use a number from 0 to 65535`.
        public var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(message); \(fix)" }
    }

    /// Why a configuration cannot be used: all that was found, errors and warnings.
    public struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        /// Errors first, each kind in the order of the file.
        public let issues: [Issue]

        /// Each issue on a line of its own.
        public var description: String { issues.map(\.description).joined(separator: "\n") }
    }
}

extension ProxyConfiguration.Issue {
    init(_ issue: ConfigurationIssue) {
        self.init(
            isWarning: issue.severity == .warning, file: issue.file, line: issue.line, message: issue.message,
            fix: issue.fix)
    }
}

extension ProxyConfiguration.Invalid {
    init(_ error: ConfigurationError) {
        self.init(issues: (error.errors + error.warnings).map(ProxyConfiguration.Issue.init))
    }
}
