/// Spans that wait to be sent: bounded, and a value with time passed in.
///
/// A batch is due when it is full, or when its oldest span has waited for the delay. Spans that come together stay
/// together: what does not fit as a whole is dropped as a whole, and the newest is what is dropped.
package struct SpanQueue: Sendable {
    private let batching: SpanBatching
    private var spans: [TraceSpan] = []
    /// When the spans came that wait, as the number of them and the moment: those at the front first.
    private var arrivals: [(count: Int, moment: Duration)] = []
    /// Spans that found no room.
    package private(set) var dropped = 0

    package init(_ batching: SpanBatching) { self.batching = batching }

    package var count: Int { spans.count }

    /// Takes spans in, or drops and counts them.
    ///
    /// - Parameter now: never before an earlier call's.
    /// - Returns: whether the moment of `due` is another one than before.
    package mutating func append(_ new: [TraceSpan], at now: Duration) -> Bool {
        guard !new.isEmpty else { return false }
        guard spans.count + new.count <= batching.capacity else {
            dropped += new.count
            return false
        }
        let wasEmpty = spans.isEmpty
        let wasFull = spans.count >= batching.batch
        spans.append(contentsOf: new)
        arrivals.append((new.count, now))
        return wasEmpty || !wasFull && spans.count >= batching.batch
    }

    /// The moment at which a batch is to be sent, which may be long over; nil when nothing waits.
    package var due: Duration? {
        guard let oldest = arrivals.first?.moment else { return nil }
        return spans.count >= batching.batch ? oldest : oldest + batching.delay
    }

    /// Takes a batch out, if one is due.
    package mutating func take(at now: Duration) -> [TraceSpan]? {
        guard let due, due <= now else { return nil }
        return takeAny()
    }

    /// Takes a batch out, due or not; nil when nothing waits.
    package mutating func takeAny() -> [TraceSpan]? {
        guard !spans.isEmpty else { return nil }
        let batch = Array(spans.prefix(batching.batch))
        spans.removeFirst(batch.count)
        var left = batch.count
        var gone = 0
        while left > 0, left >= arrivals[gone].count {
            left -= arrivals[gone].count
            gone += 1
        }
        arrivals.removeFirst(gone)
        if left > 0 { arrivals[0].count -= left }
        return batch
    }

    /// Puts a batch back to the front that was taken out and not sent. It may be too many for a moment, at most by the
    /// batch.
    package mutating func putBack(_ batch: [TraceSpan], at now: Duration) {
        guard !batch.isEmpty else { return }
        spans.insert(contentsOf: batch, at: 0)
        arrivals.insert((batch.count, arrivals.first?.moment ?? now), at: 0)
    }

    /// Takes all of it out to be forgotten.
    ///
    /// - Returns: how many they were.
    package mutating func removeAll() -> Int {
        defer {
            spans = []
            arrivals = []
        }
        return spans.count
    }
}
