/// How often two things happened in the last seconds, in whole-second steps: attempts and failures, requests and retries.
///
/// Costs a fixed array and no clock: whoever counts says when. Time that goes backwards is counted as the latest second.
package struct RollingCounts: Sendable {
    private struct Bucket {
        var second: Int64 = -1
        var events = 0
        var marked = 0
    }

    private var buckets: [Bucket]
    private var latest: Int64 = 0

    /// - Parameter seconds: the length of the window, the current second included; at least 1.
    package init(seconds: Int) {
        precondition(seconds > 0)
        buckets = Array(repeating: Bucket(), count: seconds)
    }

    package mutating func add(events: Int = 0, marked: Int = 0, at now: Duration) {
        latest = max(latest, now.components.seconds)
        let index = Int(latest % Int64(buckets.count))
        if buckets[index].second != latest { buckets[index] = Bucket(second: latest) }
        buckets[index].events += events
        buckets[index].marked += marked
    }

    /// The sums over the whole window.
    package func totals(at now: Duration) -> (events: Int, marked: Int) {
        totals(of: Int64(buckets.count), at: now)
    }

    /// The sums over the current second.
    package func current(at now: Duration) -> (events: Int, marked: Int) { totals(of: 1, at: now) }

    package mutating func removeAll() { self = RollingCounts(seconds: buckets.count) }

    private func totals(of seconds: Int64, at now: Duration) -> (events: Int, marked: Int) {
        let last = max(latest, now.components.seconds)
        var sums = (events: 0, marked: 0)
        for bucket in buckets where bucket.second > last - seconds {
            sums.events += bucket.events
            sums.marked += bucket.marked
        }
        return sums
    }
}
