/// How long something has taken lately: the last few, and nothing that is older than some minutes. Adding one costs a store.
package struct RecentDurations: Sendable {
    /// So many are remembered.
    package static let capacity = 32
    /// After which without a new one all are forgotten.
    package static let memory = Duration.seconds(300)
    /// Fewer say nothing.
    package static let fewest = 3

    /// Milliseconds: seven weeks.
    private static let longest = Double(UInt32.max)

    /// Milliseconds, in a ring.
    private var values: [UInt32] = []
    private var next = 0
    private var last = Duration.zero

    package init() {}

    package mutating func add(_ duration: Duration, at now: Duration) {
        if now - last > Self.memory { values.removeAll(keepingCapacity: true) }
        last = now
        let value = UInt32(min(max(duration.floatingMilliseconds.rounded(.up), 0), Self.longest))
        if values.count < Self.capacity {
            if values.isEmpty { values.reserveCapacity(Self.capacity) }
            values.append(value)
            next = values.count % Self.capacity
        } else {
            values[next] = value
            next = (next + 1) % Self.capacity
        }
    }

    /// Nine of ten took no longer; nil when too little is known.
    package func percentile90(at now: Duration) -> Duration? { percentile(90, at: now) }

    /// Hardly any took longer: more than nineteen of twenty, and where they differ much, some more than that. A single one that took for ever
    /// says nothing.
    package func nearlyAll(at now: Duration) -> Duration? {
        guard let most = percentile(95, at: now) else { return nil }
        let mean = Duration.milliseconds(values.reduce(0) { $0 + Int64($1) } / Int64(values.count))
        return most + max(most - mean, .zero) / 2
    }

    private func percentile(_ percent: Int, at now: Duration) -> Duration? {
        guard values.count >= Self.fewest, now - last <= Self.memory else { return nil }
        // The nearest rank from above: the fourth largest of 32 at most.
        let rank = values.count - (values.count * percent + 99) / 100
        var largest = SIMD4<UInt32>()
        for value in values {
            var value = value
            for place in 0..<4 where value > largest[place] { swap(&value, &largest[place]) }
        }
        return .milliseconds(Int64(largest[rank]))
    }
}
