import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// One sleeper for all deadlines.
@Suite struct DeadlineWatchTests {
    @Test func `Each of many passes at its moment`() async throws {
        let time = ManualTime()
        let source = time.source
        let passed = Passed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in [3, 1, 2] {
                group.addTask {
                    let deadline = MovingDeadline(at: .seconds(number * 10), for: .request, on: source)
                    await #expect(throws: MovingDeadline.Exceeded(cause: .request)) {
                        try await withDeadline(deadline) { try await time.source.sleep(.seconds(1_000_000)) }
                    }
                    passed.note(number)
                }
            }
            // The three operations, and the one who watches.
            await time.waitForSleepers(4)
            #expect(time.sleepers == 4)
            for number in 1...3 {
                while time.now < .seconds(number * 10) {
                    // The watcher is back in bed before time goes on.
                    await time.waitForSleepers(4 - number + 1)
                    time.advance(by: .seconds(1))
                }
                _ = try await group.next()
                #expect(passed.numbers == Array(1...number))
            }
        }
        #expect(time.sleepers == 0)
    }

    @Test func `A deadline that is due already cancels the operation before it begins`() async throws {
        let time = ManualTime()
        time.advance(by: .seconds(5))
        let deadline = MovingDeadline(at: .seconds(5), for: .tail, on: time.source)
        await #expect(throws: MovingDeadline.Exceeded(cause: .tail)) {
            try await withDeadline(deadline) { try Task.checkCancellation() }
        }
    }

    /// Whoever it is that is late: the bytes that would have moved the deadline are read first.
    @Test func `What passed while the process stood still is judged anew`() async throws {
        let time = ManualTime()
        let source = time.source(noticingGaps: true)
        let gaps = Mutex<[Duration]>([])
        source.deadlines.onGap { length in gaps.withLock { $0.append(length) } }
        let (moved, silent, far) = (
            MovingDeadline(at: .seconds(2), for: .idleTimeout, on: source),
            MovingDeadline(at: .seconds(2), for: .idleTimeout, on: source),
            MovingDeadline(at: .seconds(60), for: .request, on: source)
        )
        for deadline in [moved, silent, far] { deadline.arm() }
        await time.waitForSleepers()
        #expect(source.gaps == 0)
        // The watch had meant to look at 1 s.
        time.advance(by: .seconds(10))
        #expect(source.gaps == 1, "it counts before it is noticed")
        await time.waitForSleepers()
        #expect(source.gaps == 1 && gaps.withLock { $0 } == [.seconds(9)])
        #expect(moved.passed == nil && silent.passed == nil && far.passed == nil)
        moved.move(to: time.now + .seconds(2), for: .idleTimeout)
        time.advance(by: .seconds(1))
        await time.waitForSleepers()
        #expect(moved.passed == nil && silent.passed == .idleTimeout, "2 s and 9 of the gap are over")
        while time.now < .seconds(69) {
            #expect(far.passed == nil)
            time.advance(by: .seconds(1))
            if time.now < .seconds(69) { await time.waitForSleepers() }
        }
        while far.passed == nil { await Task.yield() }
        #expect(source.gaps == 1)
        for deadline in [moved, silent, far] { deadline.disarm() }
    }

    @Test func `A clock that may leap has no gaps`() async throws {
        let time = ManualTime()
        let deadline = MovingDeadline(at: .seconds(2), for: .idleTimeout, on: time.source)
        deadline.arm()
        await time.waitForSleepers()
        time.advance(by: .seconds(10))
        while deadline.passed == nil { await Task.yield() }
        deadline.disarm()
    }

    /// Random moments, random lengths: who is late is told so, who is in time is not.
    @Test(arguments: [1, 2, 3] as [UInt64]) func `They do not disturb each other`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let time = ManualTime()
        let source = time.source
        let calls = (0..<60).map { _ in
            (limit: Int.random(in: 1...40, using: &random), length: Int.random(in: 1...40, using: &random))
        }
        let ended = Passed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (limit, length) in calls where limit != length {
                group.addTask {
                    let deadline = MovingDeadline(at: .seconds(limit), for: .request, on: source)
                    do {
                        try await withDeadline(deadline) { try await source.sleep(.seconds(length)) }
                        #expect(length < limit)
                    } catch let error as MovingDeadline.Exceeded {
                        #expect(limit < length && error.cause == .request)
                    }
                    ended.note(limit)
                }
            }
            let left = calls.count { $0.limit == $0.length }
            // Everybody is asleep before the first second passes.
            await time.waitForSleepers(calls.count - left + 1)
            for second in 1...41 {
                time.advance(by: .seconds(1))
                // Those that are due by now end.
                let due = calls.count { $0.limit != $0.length && min($0.limit, $0.length) <= second }
                while ended.numbers.count < due { await Task.yield() }
            }
            try await group.waitForAll()
        }
    }
}

/// Who has come to an end, in that order.
private final class Passed: Sendable {
    private let list = Mutex<[Int]>([])

    var numbers: [Int] { list.withLock { $0 } }

    func note(_ number: Int) { list.withLock { $0.append(number) } }
}
