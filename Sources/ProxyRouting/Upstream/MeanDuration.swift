/// How long something takes on the average. The last 32 count most, so that a slow one is not taken for a slow upstream.
package struct MeanDuration: Sendable {
    private static let memory = 32.0

    /// In seconds; nil when nothing is known.
    package private(set) var seconds: Double?
    private var count = 0.0

    package init() {}

    package mutating func add(_ duration: Duration) {
        count = min(count + 1, Self.memory)
        let known = seconds ?? 0
        seconds = known + (duration.seconds - known) / count
    }
}
