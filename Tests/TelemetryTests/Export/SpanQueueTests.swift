import Testing

@testable import ProxyTelemetry

@Suite struct SpanQueueTests {
    private static func queue(capacity: Int = 2048, batch: Int = 512, delay: Duration = .seconds(5)) -> SpanQueue {
        var batching = SpanBatching()
        batching.capacity = capacity
        batching.batch = batch
        batching.delay = delay
        return SpanQueue(batching)
    }

    @Test func `A batch is due when the oldest has waited for the delay`() {
        var queue = Self.queue()
        #expect(queue.due == nil && queue.take(at: .seconds(100)) == nil)
        #expect(queue.append(Samples.spans(1...2), at: .seconds(10)) == true)
        #expect(queue.append(Samples.spans(3...3), at: .seconds(14)) == false)
        #expect(queue.due == .seconds(15))
        #expect(queue.take(at: .seconds(14)) == nil)
        #expect(queue.take(at: .seconds(15)) == Samples.spans(1...3))
        #expect(queue.due == nil && queue.count == 0)
    }

    @Test func `A batch is due at once when it is full`() {
        var queue = Self.queue(capacity: 10, batch: 4)
        #expect(queue.append(Samples.spans(1...3), at: .seconds(1)) == true)
        #expect(queue.append(Samples.spans(4...5), at: .seconds(2)) == true)
        #expect(queue.append(Samples.spans(6...7), at: .seconds(3)) == false)
        #expect(queue.take(at: .seconds(3)) == Samples.spans(1...4))
        // The fifth came at 2.
        #expect(queue.due == .seconds(7) && queue.count == 3)
        #expect(queue.take(at: .seconds(7)) == Samples.spans(5...7))
    }

    @Test func `What does not fit is dropped as a whole, and counted`() {
        var queue = Self.queue(capacity: 5, batch: 5)
        _ = queue.append(Samples.spans(1...4), at: .zero)
        #expect(queue.append(Samples.spans(5...6), at: .zero) == false)
        #expect(queue.dropped == 2 && queue.count == 4)
        #expect(queue.append(Samples.spans(7...7), at: .zero) == true)
        #expect(queue.dropped == 2 && queue.takeAny() == Samples.spans(1...4) + Samples.spans(7...7))
    }

    @Test func `What could not be sent comes first again`() {
        var queue = Self.queue(capacity: 4, batch: 2)
        _ = queue.append(Samples.spans(1...4), at: .seconds(1))
        let batch = queue.takeAny() ?? []
        _ = queue.append(Samples.spans(5...6), at: .seconds(2))
        queue.putBack(batch, at: .seconds(3))
        #expect(queue.count == 6 && queue.dropped == 0)
        #expect(queue.append(Samples.spans(7...7), at: .seconds(3)) == false)
        #expect(queue.takeAny() == Samples.spans(1...2) && queue.takeAny() == Samples.spans(3...4))
        #expect(queue.takeAny() == Samples.spans(5...6) && queue.takeAny() == nil)
        queue.putBack(Samples.spans(8...8), at: .seconds(4))
        #expect(queue.due == .seconds(9))
    }

    @Test func `It never holds more than it may, loses nothing and keeps the order`() {
        var dice = Dice(41)
        for _ in 0..<100 {
            let capacity = Int.random(in: 1...40, using: &dice)
            var queue = Self.queue(
                capacity: capacity, batch: Int.random(in: 1...capacity, using: &dice), delay: .seconds(2))
            var now = Duration.zero
            var next: UInt64 = 1
            var (taken, kept): ([TraceSpan], [TraceSpan]) = ([], [])
            var dropped = 0
            for _ in 0..<200 {
                now += .milliseconds(Int.random(in: 0...1_500, using: &dice))
                if Bool.random(using: &dice) {
                    let spans = Samples.spans(next...(next + UInt64.random(in: 0...5, using: &dice)))
                    next += UInt64(spans.count)
                    let before = (queue.count, queue.due)
                    let changed = queue.append(spans, at: now)
                    if queue.count == before.0 { dropped += spans.count } else { kept += spans }
                    // Whoever sleeps until it is due hears of another moment, but not of one that is over as well.
                    #expect(changed || queue.due == before.1)
                } else {
                    taken += queue.take(at: now) ?? []
                }
                #expect(queue.count <= capacity && queue.dropped == dropped)
                #expect((queue.due == nil) == (queue.count == 0))
            }
            while let batch = queue.takeAny() { taken += batch }
            #expect(taken == kept)
        }
    }
}
