import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct MovingDeadlineTests {
    private let time = ManualTime()

    private func never() async throws {
        try await time.source.sleep(.seconds(1_000_000))
    }

    @Test func anOperationThatIsInTimeKeepsItsResult() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        #expect(try await withDeadline(deadline) { 7 } == 7)
    }

    @Test func anOperationThatIsLateIsCancelledAndSaysWhy() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .firstToken, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        time.advance(by: .seconds(1))
        await #expect(throws: MovingDeadline.Exceeded(cause: .firstToken)) { try await outcome.value }
    }

    @Test func aDeadlineThatWasPutOffDoesNotFire() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        deadline.move(to: .seconds(3), for: .silence)
        time.advance(by: .seconds(1))
        await time.waitForSleepers(2)
        time.advance(by: .seconds(2))
        await #expect(throws: MovingDeadline.Exceeded(cause: .silence)) { try await outcome.value }
    }

    @Test func aDeadlineMovedForwardIsNoticedWithinItsGrain() async throws {
        let deadline = MovingDeadline(at: .seconds(300), for: .request, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        deadline.move(to: .milliseconds(10), for: .tail)
        time.advance(by: MovingDeadline.grain)
        await #expect(throws: MovingDeadline.Exceeded(cause: .tail)) { try await outcome.value }
    }

    @Test func whatTheOperationThrowsComesOut() async {
        struct Oops: Error {}
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        await #expect(throws: Oops.self) { try await withDeadline(deadline) { throw Oops() } }
    }

    @Test func cancellationReachesTheOperation() async {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        let task = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
