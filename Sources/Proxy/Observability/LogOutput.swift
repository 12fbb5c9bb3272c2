import Dispatch
package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where log lines go: one file descriptor, whole lines. The operator may move it while the process runs.
///
/// Who logs never waits: lines are queued, and written by a thread of their own (`LineQueue`).
package final class LogOutput: Sendable {
    private struct State {
        var descriptor: LogDescriptor
        var format: LoggingSettings.Format
        var queue = LineQueue<LogDescriptor>(capacity: LogOutput.capacity)
        /// The writer is at work or about to be.
        var isWriting = false
    }

    /// Bytes that may wait to be written: some ten thousand lines.
    private static let capacity = 4 << 20
    /// Bytes that are written at once.
    private static let piece = 64 << 10
    /// From a line to its writing, so that under load many lines share one waking of a thread, which costs more than they do.
    private static let patience = DispatchTimeInterval.milliseconds(5)

    private let state: Mutex<State>
    /// Its place in `Logger.Level.allCases`. Read by every call of a logger, so apart from the lines.
    private let level: Atomic<Int>
    private let writer = DispatchQueue(label: "log")
    /// Lines that their place did not take.
    private let unwritten = Atomic(0)
    /// Standard error leads to systemd's journal.
    private let isJournal: Bool

    /// - Throws: `LogFileError` when the file cannot be opened.
    ///
    /// - Parameter isJournal: standard error leads to systemd's journal, which adds the time by itself.
    package init(_ settings: LoggingSettings, isJournal: Bool = false) throws(LogFileError) {
        self.isJournal = isJournal
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
        state.withLock { state in
            state.descriptor = destination.descriptor
            state.format = destination.settings.format
        }
    }

    private static func index(of level: LoggingSettings.Level) -> Int {
        Logger.Level.allCases.firstIndex { $0.rawValue == level.rawValue } ?? 0
    }

    /// A logger that writes here what the level of the moment lets through.
    package func logger() -> Logger {
        Logger(label: "ociai-proxy") { _ in Handler(output: self) }
    }

    fileprivate var currentLevel: Logger.Level { Logger.Level.allCases[level.load(ordering: .relaxed)] }

    /// Lines that have been lost: they came faster than they could be written, or could not be written at all (a full disk).
    var dropped: Int { state.withLock { $0.queue.droppedTotal } + unwritten.load(ordering: .relaxed) }

    fileprivate func write(level: Logger.Level, message: String, metadata: [(String, String)]) {
        let (format, isStandardError) = state.withLock { ($0.format, $0.descriptor.isStandardError) }
        let line = line(
            format, toJournal: isJournal && isStandardError, level: level, message: message, metadata: metadata)
        let wakesWriter = state.withLock { state in
            state.queue.add(line, to: state.descriptor)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if wakesWriter { writer.asyncAfter(deadline: .now() + Self.patience) { self.writeWaiting() } }
    }

    /// Writes what waits. On the writer's queue only, which keeps the lines in their order.
    private func writeWaiting() {
        while let batch = nextBatch() {
            // Runs of lines for one place in one write each.
            var rest = batch.lines[...]
            while let place = rest.first?.place {
                let run = rest.prefix { $0.place === place }
                rest = rest.dropFirst(run.count)
                if !place.write(run.map(\.text).joined()) { unwritten.add(run.count, ordering: .relaxed) }
            }
            if batch.dropped > 0 { tell(ofDropped: batch.dropped) }
        }
    }

    private func nextBatch() -> LineQueue<LogDescriptor>.Batch? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.isWriting = false
                return nil
            }
            return state.queue.take(upTo: Self.piece)
        }
    }

    private func tell(ofDropped count: Int) {
        let (format, place) = state.withLock { ($0.format, $0.descriptor) }
        let text = line(
            format, toJournal: isJournal && place.isStandardError, level: .warning,
            message: "Log lines were dropped: the log output is too slow",
            metadata: [("dropped", "\(count)")])
        _ = place.write(text)
    }

    /// Waits until all that has been logged is written, but no longer than `limit`: a sink that takes nothing must not keep the process
    /// from ending.
    package func flush(within limit: Duration) {
        let isWritten = DispatchSemaphore(value: 0)
        writer.async {
            self.writeWaiting()
            isWritten.signal()
        }
        _ = isWritten.wait(timeout: .now() + .milliseconds(Int(limit.milliseconds)))
    }

    private func line(
        _ format: LoggingSettings.Format, toJournal: Bool, level: Logger.Level, message: String,
        metadata: [(String, String)]
    ) -> String {
        switch format {
        case .text where toJournal: LogLine.journal(level: level, message: message, metadata: metadata)
        case .text: unsafe LogLine.text(at: Self.now(localtime_r), level: level, message: message, metadata: metadata)
        case .json:
            unsafe LogLine.json(
                toJournal: toJournal, at: Self.now(gmtime_r), level: level, message: message, metadata: metadata)
        }
    }

    private static func now(_ breakDown: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?)
        -> LogLine.Time
    {
        var seconds = time(nil)
        // The call fills `parts`, whose name of the time zone nobody reads.
        var parts = unsafe tm()
        _ = unsafe breakDown(&seconds, &parts)
        return unsafe LogLine.Time(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
    }

    fileprivate struct Handler: LogHandler {
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

extension Logger {
    /// Logs what has its pairs in their order already. Towards the log of this process they stay as they are: the way through a dictionary
    /// and back into an order takes more than the line itself.
    ///
    /// - Parameter pairs: by key, in ascending order, each key once.
    func log(_ level: Logger.Level, _ message: String, sorted pairs: [(String, String)]) {
        guard logLevel <= level else { return }
        if let handler = handler as? LogOutput.Handler, handler.metadata.isEmpty {
            handler.output.write(level: level, message: message, metadata: pairs)
        } else {
            log(
                level: level, "\(message)",
                metadata: Metadata(uniqueKeysWithValues: pairs.map { ($0.0, .string($0.1)) }))
        }
    }
}

/// An open file, or standard error; closed with its last user.
private final class LogDescriptor: Sendable {
    private let number: Int32
    var isStandardError: Bool { number == StandardStream.error }

    /// - Parameter file: made if need be; nil for standard error.
    init(_ file: String?) throws(LogFileError) {
        guard let file else {
            number = StandardStream.error
            return
        }
        number = unsafe open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard number >= 0 else { throw LogFileError(file: file, reason: SystemCall.message(errno)) }
    }

    /// The file stays open at least until this has been done, also when nobody else has a use for it.
    ///
    /// - Returns: whether all of it has been written.
    func write(_ text: String) -> Bool {
        withExtendedLifetime(self) { StandardStream.write(text, to: number) }
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
    static let fix = "use a file that the proxy's user can write"
}
