import Logging
package import ProxyAccounting

/// What a ledger is opened with. Who builds the program brings the ledger along, or does not (`Sources/Main`).
package struct LedgerOptions: Sendable {
    /// Absolute.
    package let directory: String
    package let retention: Duration
    /// Bytes that its file may have.
    package let maxSize: Int
    package let calendar: BudgetCalendar
    /// The path of the configuration whose ledger it is.
    package let owner: String
    /// For a process that still has it: one that drains, or a command.
    package let patience: Duration
    /// A command opens it for a moment: a damaged file is left as it is, and whose ledger it is stays as the proxy has written it.
    package var isForCommand = false
    package let log: @Sendable (LedgerNotice, String) -> Void
}

/// Why there is no ledger.
package struct LedgerUnavailable: Error {
    /// Another process has it, or it is not ours to write: who has asked for it must not go on without. Else a disk is full or broken, which costs
    /// rows and no requests.
    package let isRefused: Bool
    /// Another process has it.
    package let isInUse: Bool
    /// That process, where it is known.
    package let holder: Int?
    /// A sentence for the operator.
    package let reason: String

    package init(isRefused: Bool, isInUse: Bool = false, holder: Int? = nil, reason: String) {
        self.isInUse = isInUse
        self.holder = holder
        self.isRefused = isRefused
        self.reason = reason
    }
}

/// Cancellation ends the waiting with `LedgerUnavailable`.
package typealias LedgerOpener = @Sendable (LedgerOptions) async throws(LedgerUnavailable) -> any Ledger

extension LedgerSettings {
    /// Where the ledger is, and whether somebody has said so; nil when there is to be none.
    func place(stateDirectory: String?, configuration: String) -> (directory: String, isNamed: Bool)? {
        switch directory {
        case .off: return nil
        case .named(let path): return (path, true)
        case .standard:
            // systemd's variable may name several, or be empty.
            guard let first = stateDirectory?.split(separator: ":").first else { return (configuration, false) }
            return (String(first), true)
        }
    }

    /// How long another process that has the ledger is waited for, at the start and by commands. A service manager ends one process before it starts the next,
    /// and commands are short.
    private static let patience = Duration.seconds(3)

    /// What the ledger of a configuration is opened with, by the process that serves and by commands.
    ///
    /// - Parameters:
    ///   - place: its directory.
    ///   - file: the configuration.
    /// - Throws: `ExitError` when the machine does not know the time zone.
    func options(
        in place: String, of file: String, log: @escaping @Sendable (LedgerNotice, String) -> Void
    ) throws(ExitError) -> LedgerOptions {
        guard let calendar = BudgetCalendar(timeZone: timeZone) else {
            throw ExitError(.badConfiguration, "the time zone \(timeZone) is not known; install tzdata, or use UTC")
        }
        return LedgerOptions(
            directory: place, retention: retention, maxSize: maxSize, calendar: calendar, owner: file,
            patience: Self.patience, log: log)
    }

    /// Opens the ledger where the file says.
    ///
    /// - Parameters:
    ///   - stateDirectory: systemd's.
    ///   - file: the configuration file.
    /// - Returns: nil when there is to be none, or none could be had where nobody has asked for one.
    /// - Throws: `ExitError` when the one that was asked for cannot be had.
    func open(
        _ opener: LedgerOpener?, stateDirectory: String?, of file: String, logger: Logger
    ) async throws(ExitError) -> (any Ledger)? {
        let directory = KeyFileLookup.directory(of: file)
        guard let (place, isWanted) = place(stateDirectory: stateDirectory, configuration: directory) else {
            return nil
        }
        guard let opener else {
            if case .named = self.directory {
                logger.warning("state_dir has no effect: this program was built without the ledger")
            }
            return nil
        }
        let options = try options(in: place, of: file) { level, text in
            switch level {
            case .notice: logger.notice("\(text)")
            case .warning: logger.warning("\(text)")
            case .error: logger.error("\(text)")
            }
        }
        do throws(LedgerUnavailable) {
            return try await opener(options)
        } catch {
            guard !(isWanted && error.isRefused) else { throw ExitError(.cannotBind, error.reason) }
            let line: Logger.Message =
                "Requests are not recorded, keys cannot be managed, and budgets begin anew with each start; set state_dir to a directory, or to off. The reason: \(error.reason)"
            logger.log(level: isWanted ? .error : .warning, line)
            return nil
        }
    }
}
