import Testing

@testable import Proxy

@Suite struct LineQueueTests {
    private func texts(_ batch: LineQueue<Int>.Batch) -> [String] { batch.lines.map(\.text) }

    @Test func `Lines come out in their order with their places`() {
        var queue = LineQueue<Int>(capacity: 10_000)
        #expect(queue.isEmpty)
        for number in 1...3 { queue.add("line \(number)", to: number) }
        let batch = queue.take(upTo: 10_000)
        #expect(
            texts(batch) == ["line 1", "line 2", "line 3"] && batch.lines.map(\.place) == [1, 2, 3]
                && batch.dropped == 0)
        #expect(queue.isEmpty)
    }

    @Test func `What does not fit is dropped and told`() {
        // Each line takes its bytes and 64 more.
        var queue = LineQueue<Int>(capacity: 150)
        for number in 1...5 { queue.add("line \(number)", to: 0) }
        let batch = queue.take(upTo: 1000)
        #expect(texts(batch) == ["line 1", "line 2"] && batch.dropped == 3)
        #expect(queue.isEmpty && queue.droppedTotal == 3)
        queue.add("line 6", to: 0)
        let next = queue.take(upTo: 1000)
        #expect(texts(next) == ["line 6"] && next.dropped == 0, "told once")
    }

    @Test func `The loss is told where it happened`() {
        var queue = LineQueue<Int>(capacity: 150)
        for number in 1...4 { queue.add("line \(number)", to: 0) }
        // Room for one more behind the gap.
        let first = queue.take(upTo: 1)
        #expect(texts(first) == ["line 1"] && first.dropped == 0)
        queue.add("line 5", to: 0)
        let second = queue.take(upTo: 1000)
        #expect(texts(second) == ["line 2"] && second.dropped == 2, "\(second)")
        #expect(texts(queue.take(upTo: 1000)) == ["line 5"])
        #expect(queue.isEmpty)
    }

    @Test func `A line that never fits is told without another`() {
        var queue = LineQueue<Int>(capacity: 100)
        queue.add(String(repeating: "x", count: 1000), to: 0)
        #expect(!queue.isEmpty)
        #expect(queue.take(upTo: 1000).dropped == 1)
        #expect(queue.isEmpty)
    }

    /// Against a plain list that forgets nothing.
    @Test func `Many batches give every line once and keep the bound`() {
        var queue = LineQueue<Int>(capacity: 1 << 20)
        var next = 0
        var expected = 0
        for round in 0..<400 {
            for _ in 0..<(round % 37) {
                queue.add("\(next)", to: 0)
                next += 1
            }
            for line in queue.take(upTo: 64 * (round % 31)).lines {
                #expect(line.text == "\(expected)")
                expected += 1
            }
        }
        while !queue.isEmpty {
            for line in queue.take(upTo: 500).lines {
                #expect(line.text == "\(expected)")
                expected += 1
            }
        }
        #expect(expected == next && queue.droppedTotal == 0)
        // All room is free again.
        for _ in 0..<16_384 { queue.add("", to: 0) }
        #expect(queue.droppedTotal == 0)
    }
}
