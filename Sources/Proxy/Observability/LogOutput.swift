package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where log lines go: one file descriptor, one whole line a write.
package final class LogOutput: Sendable {
    package enum Format: Sendable { case text, json }

    private let descriptor: Int32
    private let format: Format
    private let lock = Mutex(())

    /// Standard error.
    package init(format: Format) {
        descriptor = StandardStream.error
        self.format = format
    }

    /// The end of a file, which is made if need be.
    ///
    /// - Throws: `LogFileError` when it cannot be opened.
    package init(file: String, format: Format) throws(LogFileError) {
        let opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw LogFileError(file: file, reason: String(cString: strerror(errno))) }
        descriptor = opened
        self.format = format
    }

    deinit {
        if descriptor != StandardStream.error { close(descriptor) }
    }

    /// A logger that writes here.
    package func logger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "ociai-proxy") { _ in Handler(output: self) }
        logger.logLevel = level
        return logger
    }

    fileprivate func write(level: Logger.Level, message: String, metadata: [(String, String)]) {
        var seconds = time(nil)
        var parts = tm()
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
        lock.withLock { _ in StandardStream.write(line, to: descriptor) }
    }

    private struct Handler: LogHandler {
        let output: LogOutput
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

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

/// The log file cannot be opened.
package struct LogFileError: Error, Sendable {
    package let file: String
    package let reason: String
}
