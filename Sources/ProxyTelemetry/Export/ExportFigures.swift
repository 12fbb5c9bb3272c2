/// What has become of the spans so far, for metrics.
package struct ExportFigures: Hashable, Sendable {
    /// Why a span was dropped, as a metric's label has it.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The queue was full.
        case queueFull = "queue_full"
        /// The collector said that it is no use to try again.
        case refused
        /// It did not answer, or said that it has no time, until there were no tries left.
        case unavailable
        /// The collector took the request, but not these.
        case rejected
        /// The process ended before they were sent.
        case shutdown
    }

    /// Spans that a collector took.
    package var exported = 0
    /// Spans, by the reason; each that happened.
    package var dropped: [Reason: Int] = [:]
    /// Spans that wait, without those of a request under way.
    package var queued = 0
    /// Spans of the request under way.
    package var underWay = 0

    package init() {}

    mutating func drop(_ count: Int, _ reason: Reason) {
        if count > 0 { dropped[reason, default: 0] += count }
    }
}
