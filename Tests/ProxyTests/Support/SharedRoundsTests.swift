import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

@Suite(.timeLimit(.minutes(5))) struct SharedRoundsTests {
    private let time = ManualTime()

    /// Rounds that return how many have begun.
    private func rounds(gate: AsyncStream<Void>? = nil) -> SharedRounds<Int> {
        let begun = Counter()
        return SharedRounds(every: .seconds(5), time: time.source) {
            let number = begun.next()
            if let gate { for await _ in gate { break } }
            return number
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock {
                $0 += 1
                return $0
            }
        }
    }

    @Test func `All who ask meanwhile get the same round`() async {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let rounds = rounds(gate: gate)
        let answers = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<400 { group.addTask { await rounds.recent() } }
            open.yield()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 400 && Set(answers) == [1])
    }

    @Test func `Who asks soon after gets what the last has found`() async {
        let rounds = rounds()
        #expect(await rounds.recent() == 1)
        time.advance(by: .seconds(4))
        #expect(await rounds.recent() == 1)
        time.advance(by: .seconds(1))
        #expect(await rounds.recent() == 2)
    }

    @Test func `A fresh round begins after the question and not too soon after the last`() async {
        let rounds = rounds()
        #expect(await rounds.fresh() == 1)
        async let second = rounds.fresh()
        async let third = rounds.fresh()
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        #expect(await second == 2)
        // It was in time for the same round, or came when that was over and waits for the next.
        time.advance(by: .seconds(5))
        #expect([2, 3].contains(await third))
    }

    @Test func `A fresh round is not the one that is under way`() async {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let rounds = rounds(gate: gate)
        async let first = rounds.fresh()
        async let second = rounds.fresh()
        open.yield()
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        open.yield()
        let answers = await [first, second].sorted()
        #expect(answers == [1, 2])
    }
}
