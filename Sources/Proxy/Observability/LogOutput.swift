package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where log lines go: one file descriptor, one whole line a write. The operator may move it while the process runs.
package final class LogOutput: Sendable {
    private struct State {
        var descriptor: LogDescriptor
        var format: LoggingSettings.Format
    }

    private let state: Mutex<State>
    /// Its place in `Logger.Level.allCases`. Read by every call of a logger, so apart from what a slow write may hold.
    private let level: Atomic<Int>

    /// - Throws: `LogFileError` when the file cannot be opened.
    package init(_ settings: LoggingSettings) throws(LogFileError) {
        state = Mutex(State(descriptor: try LogDescriptor(settings.file), format: settings.format))
        level = Atomic(Self.index(of: settings.level))
    }

    /// A place for lines, opened before anything else of a new configuration is taken over.
    struct Destination: Sendable {
        fileprivate let descriptor: LogDescriptor
        fileprivate let settings: LoggingSettings
    }

    /// Opens what `settings` name, also when it is the file that is open already: it may have been moved away (logrotate).
    ///
    /// - Throws: `LogFileError` when it cannot be opened.
    static func open(_ settings: LoggingSettings) throws(LogFileError) -> Destination {
        Destination(descriptor: try LogDescriptor(settings.file), settings: settings)
    }

    /// Lines from now on go there.
    func move(to destination: Destination) {
        level.store(Self.index(of: destination.settings.level), ordering: .relaxed)
        state.withLock { $0 = State(descriptor: destination.descriptor, format: destination.settings.format) }
    }

    private static func index(of level: LoggingSettings.Level) -> Int {
        Logger.Level.allCases.firstIndex { $0.rawValue == level.rawValue } ?? 0
    }

    /// A logger that writes here what the level of the moment lets through.
    package func logger() -> Logger {
        Logger(label: "ociai-proxy") { _ in Handler(output: self) }
    }

    fileprivate var currentLevel: Logger.Level { Logger.Level.allCases[level.load(ordering: .relaxed)] }

    fileprivate func write(level: Logger.Level, message: String, metadata: [(String, String)]) {
        var seconds = time(nil)
        var parts = tm()
        let format = state.withLock { $0.format }
        switch format {
        case .text: localtime_r(&seconds, &parts)
        case .json: gmtime_r(&seconds, &parts)
        }
        let time = LogLine.Time(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
        let line =
            switch format {
            case .text: LogLine.text(at: time, level: level, message: message, metadata: metadata)
            case .json: LogLine.json(at: time, level: level, message: message, metadata: metadata)
            }
        state.withLock { StandardStream.write(line, to: $0.descriptor.number) }
    }

    private struct Handler: LogHandler {
        let output: LogOutput
        var metadata: Logger.Metadata = [:]
        /// What a copy of the logger has set for itself, such as the one for libraries; the output's own level holds beside it.
        private var ownLevel = Logger.Level.trace

        init(output: LogOutput) { self.output = output }

        var logLevel: Logger.Level {
            get { max(ownLevel, output.currentLevel) }
            set { ownLevel = newValue }
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
            let pairs = all.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
            output.write(level: event.level, message: "\(event.message)", metadata: pairs)
        }
    }
}

/// An open file, or standard error; closed with its last user.
private final class LogDescriptor: Sendable {
    let number: Int32

    /// - Parameter file: made if need be; nil for standard error.
    init(_ file: String?) throws(LogFileError) {
        guard let file else {
            number = StandardStream.error
            return
        }
        number = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard number >= 0 else { throw LogFileError(file: file, reason: String(cString: strerror(errno))) }
    }

    deinit {
        if number >= 0, number != StandardStream.error { close(number) }
    }
}

/// The log file cannot be opened.
package struct LogFileError: Error, Sendable {
    package let file: String
    package let reason: String

    var message: String { "log_file = \(file) cannot be opened (\(reason))" }
    static let mend = "name a file that this user may write"
}
