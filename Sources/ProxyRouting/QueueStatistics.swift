/// What has happened in the waiting line since the process began.
package struct QueueStatistics: Sendable {
    package var peak = 0
    package var enqueued = 0
    package var rejected = 0
    package var timedOut = 0
    package var cancelled = 0
    /// Of those that waited and got a permit.
    package var wait = LatencyHistogram()

    package init() {}
}
