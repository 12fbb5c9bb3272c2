/// What people are told of an export, and how often: a failure once and again when it is over, and what a collector or a
/// full queue drops at most once an hour. A value with time passed in.
struct ExportNews: Sendable {
    private static let pause = Duration.seconds(3600)

    /// As it may be shown.
    private let endpoint: String
    /// Spans that were dropped since it was told that it does not work.
    private var lost: Int?
    private var overflow = Hourly()
    private var rejection = Hourly()

    init(endpoint: String) { self.endpoint = endpoint }

    /// A batch was dropped.
    ///
    /// - Parameter cause: in words, such as `it answered 503`.
    mutating func failed(_ spans: Int, cause: String) -> String? {
        if let lost {
            self.lost = lost + spans
            return nil
        }
        lost = spans
        return "Spans cannot be sent to \(endpoint): \(cause). They are dropped until it works again"
    }

    /// A batch was taken.
    mutating func succeeded() -> String? {
        guard let lost else { return nil }
        self.lost = nil
        return "Spans are sent to \(endpoint) again; \(lost) were dropped meanwhile"
    }

    /// A batch was taken but for some.
    mutating func partial(_ partial: PartialSuccess, at now: Duration) -> String? {
        let words = partial.message.isEmpty ? "" : ": \(BoundedText.printable(partial.message, toBytes: 200))"
        // With none rejected it is a warning of the collector's, and as rare.
        guard let count = rejection.count(partial.rejected, at: now) else { return nil }
        return count == 0
            ? "\(endpoint) warns of the spans that it takes\(words)"
            : "\(endpoint) has not taken \(count) spans since it was last told of\(words)"
    }

    /// The queue was looked at.
    ///
    /// - Parameter total: spans that found no room in it, in all.
    mutating func overflowed(total: Int, at now: Duration) -> String? {
        let new = total - overflow.total
        guard new > 0, let count = overflow.count(new, at: now) else { return nil }
        return "More spans come than are sent to \(endpoint): \(count) were dropped since it was last told of; "
            + "sample fewer (OTEL_TRACES_SAMPLER), or let more wait (OTEL_BSP_MAX_QUEUE_SIZE)"
    }

    /// Counts, and says at most once an hour how many there were.
    private struct Hourly: Sendable {
        private(set) var total = 0
        private var untold = 0
        private var told: Duration?

        mutating func count(_ more: Int, at now: Duration) -> Int? {
            total += more
            untold += more
            if let told, now - told < ExportNews.pause { return nil }
            told = now
            defer { untold = 0 }
            return untold
        }
    }
}
