import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import ProxyLedger

@Suite struct EntryBatchTests {
    @Test(arguments: 0..<5 as Range<UInt64>)
    func `Split batches have every entry once, each in the order of time`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var batch = EntryBatch()
        var expected: [String] = []
        for piece in 0..<Int.random(in: 0..<20, using: &random) {
            let entries = (0..<Int.random(in: 1..<40, using: &random)).map { number in
                LedgerEntry.sample("\(piece) \(number)", at: Int64.random(in: 0..<50, using: &random))
            }
            expected += entries.map(\.id)
            batch.append(EntryPage(of: entries))
        }
        #expect(batch.count == expected.count)
        let most = Int.random(in: 1..<100, using: &random)
        var found: [String] = []
        while !batch.isEmpty {
            let left = batch.count
            let part = batch.removeFirst(most)
            #expect(part.count == min(most, left) && batch.count == left - part.count)
            var inOrder: [LedgerEntry] = []
            part.visitInOrder { inOrder.append($0.entry) }
            #expect(inOrder.map(\.at) == inOrder.map(\.at).sorted())
            var ids: [String] = []
            part.visit { ids.append($0.entry.id) }
            #expect(Set(inOrder.map(\.id)) == Set(ids) && inOrder.count == ids.count)
            found += ids
        }
        #expect(found == expected)
    }
}

@Suite struct EntryRingTests {
    private func ring(capacity: Int, wakeAt: Int) -> EntryRing {
        EntryRing(capacity: capacity, wakeAt: wakeAt, periodStart: { periodStart($0, $1) })
    }

    @Test func `The writer is woken when so many wait, and seldom more than once for a handful`() {
        let ring = ring(capacity: 10_000, wakeAt: 512)
        let wakes = (1...2000).filter { _ in ring.record(.sample()) }
        #expect(wakes.first.map { $0 > 512 - 32 && $0 <= 512 } == true)
        #expect(wakes.count < 2000 / 32)
    }

    @Test func `Threads that fill it share its room, and nothing is lost before it is nearly full`() async {
        let ring = ring(capacity: 2000, wakeAt: .max)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<400 { _ = ring.record(.sample()) } } }
        }
        let figures = ring.figures
        #expect(figures.pending + figures.dropped == 3200)
        #expect(figures.pending <= 2000 && figures.pending > 2000 - 16 * 32)
        var batch = EntryBatch()
        var charges = CounterBook()
        ring.drain(into: &batch, &charges)
        #expect(batch.count == figures.pending)
        #expect(
            charges.folded { periodStart($0, $1) }.filter { $0.key.window == .total }.values.map(\.requests) == [
                Int64(figures.dropped)
            ])
        ring.settle(written: batch.count)
        for _ in 0..<1000 { _ = ring.record(.sample()) }
        #expect(ring.figures.pending == 1000 && ring.figures.dropped == figures.dropped)
    }
}
