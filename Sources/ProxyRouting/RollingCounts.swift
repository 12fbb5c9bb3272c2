/// How often two things happened in the last seconds, in steps of one or more seconds: attempts and failures, requests and retries.
///
/// Costs a fixed array, made with the first count, and no clock: whoever counts says when. Time that goes backwards is counted as the
/// latest step.
package struct RollingCounts: Sendable {
    private struct Bucket {
        var step: Int32 = -1
        var events: UInt32 = 0
        var marked: UInt32 = 0
    }

    private let length: Int32
    private let stepSeconds: Int64
    private var buckets: [Bucket] = []
    private var latest: Int32 = 0
    /// When the latest step is over.
    private var latestEnds = Duration.zero

    /// - Parameters:
    ///   - seconds: the length of the window, the current step included; at least 1.
    ///   - step: seconds that are counted together.
    package init(seconds: Int, step: Int = 1) {
        precondition(seconds > 0 && step > 0)
        length = Int32((seconds + step - 1) / step)
        stepSeconds = Int64(step)
    }

    package mutating func add(events: Int = 0, marked: Int = 0, at now: Duration) {
        if buckets.isEmpty { buckets = Array(repeating: Bucket(), count: Int(length)) }
        if now >= latestEnds { begin(at: now) }
        let index = Int(latest % length)
        if buckets[index].step != latest { buckets[index] = Bucket(step: latest) }
        buckets[index].events += UInt32(events)
        buckets[index].marked += UInt32(marked)
    }

    /// The sums over the whole window.
    package func totals(at now: Duration) -> (events: Int, marked: Int) { totals(of: length, at: now) }

    /// The sums over the current step.
    package func current(at now: Duration) -> (events: Int, marked: Int) { totals(of: 1, at: now) }

    package mutating func removeAll() {
        for index in buckets.indices { buckets[index] = Bucket() }
    }

    /// A division by a step is the dearest part of counting.
    private mutating func begin(at now: Duration) {
        latest = max(latest, step(at: now))
        latestEnds = .seconds((Int64(latest) + 1) * stepSeconds)
    }

    private func step(at now: Duration) -> Int32 { Int32(clamping: now.components.seconds / stepSeconds) }

    private func totals(of steps: Int32, at now: Duration) -> (events: Int, marked: Int) {
        let last = max(latest, step(at: now))
        var sums = (events: 0, marked: 0)
        for bucket in buckets where bucket.step > last - steps {
            sums.events += Int(bucket.events)
            sums.marked += Int(bucket.marked)
        }
        return sums
    }
}
