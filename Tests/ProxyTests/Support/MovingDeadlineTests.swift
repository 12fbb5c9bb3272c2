import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct MovingDeadlineTests {
    private let time = ManualTime()

    private func never() async throws {
        try await time.source.sleep(.seconds(1_000_000))
    }

    @Test func `An operation that is in time keeps its result`() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        #expect(try await withDeadline(deadline) { 7 } == 7)
    }

    @Test func `An operation that is late is cancelled and says why`() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .firstToken, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        time.advance(by: .seconds(1))
        await #expect(throws: MovingDeadline.Exceeded(cause: .firstToken)) { try await outcome.value }
    }

    @Test func `A deadline that was put off does not fire`() async throws {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        deadline.move(to: .seconds(3), for: .idleTimeout)
        time.advance(by: .seconds(1))
        await time.waitForSleepers(2)
        time.advance(by: .seconds(2))
        await #expect(throws: MovingDeadline.Exceeded(cause: .idleTimeout)) { try await outcome.value }
    }

    @Test func `A deadline moved forward is noticed within its grain`() async throws {
        let deadline = MovingDeadline(at: .seconds(300), for: .request, on: time.source)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        deadline.move(to: .milliseconds(10), for: .tail)
        time.advance(by: MovingDeadline.grain)
        await #expect(throws: MovingDeadline.Exceeded(cause: .tail)) { try await outcome.value }
    }

    @Test func `What the operation throws comes out`() async {
        struct Oops: Error {}
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        await #expect(throws: Oops.self) { try await withDeadline(deadline) { throw Oops() } }
    }

    @Test func `Cancellation reaches the operation`() async {
        let deadline = MovingDeadline(at: .seconds(1), for: .request, on: time.source)
        let task = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    /// What a deadline has ended.
    private final class Ended: Sendable {
        private let seen = Mutex<[DeadlineCause]>([])
        var causes: [DeadlineCause] { seen.withLock { $0 } }
        var operation: MovingDeadline.Operation { .call { error in self.seen.withLock { $0.append(error.cause) } } }
    }

    @Test func `What is bound is ended once`() async {
        let (deadline, ended, other) = (
            MovingDeadline(at: .seconds(1), for: .request, on: time.source), Ended(), Ended()
        )
        deadline.arm()
        deadline.bind(other.operation)
        deadline.bind(ended.operation)
        await time.waitForSleepers()
        time.advance(by: .seconds(1))
        while ended.causes.isEmpty { await Task.yield() }
        #expect(deadline.check(at: .seconds(9)) == nil)
        deadline.disarm()
        #expect(ended.causes == [.request] && other.causes.isEmpty && deadline.passed == .request)
    }

    @Test func `What was bound before a step is bound again behind it`() async throws {
        let (deadline, outer, inner) = (
            MovingDeadline(at: .seconds(1), for: .request, on: time.source), Ended(), Ended()
        )
        deadline.bind(outer.operation)
        try await deadline.binding(inner.operation) {}
        await #expect(throws: CancellationError.self) {
            try await deadline.binding(inner.operation) { throw CancellationError() }
        }
        #expect(deadline.check(at: .seconds(1)) == nil)
        #expect(outer.causes == [.request] && inner.causes.isEmpty)
    }

    @Test func `What is bound for a step is ended within it`() async throws {
        let (deadline, outer, inner) = (
            MovingDeadline(at: .seconds(1), for: .request, on: time.source), Ended(), Ended()
        )
        deadline.bind(outer.operation)
        try await deadline.binding(inner.operation) { #expect(deadline.check(at: .seconds(1)) == nil) }
        #expect(inner.causes == [.request])
    }

    @Test func `What is bound too late is ended at once`() {
        let (deadline, ended) = (MovingDeadline(at: .zero, for: .idleTimeout, on: time.source), Ended())
        deadline.arm()
        deadline.bind(ended.operation)
        #expect(ended.causes == [.idleTimeout])
        deadline.disarm()
    }

    @Test func `Nothing is ended after its end`() {
        let (deadline, ended) = (MovingDeadline(at: .seconds(1), for: .request, on: time.source), Ended())
        deadline.arm()
        deadline.bind(ended.operation)
        deadline.disarm()
        #expect(deadline.check(at: .seconds(2)) == nil)
        #expect(ended.causes.isEmpty)
    }

    @Test func `What moves the deadline may be ended by it`() {
        let deadline = MovingDeadline(at: .zero, for: .request, on: time.source)
        deadline.bind(.call { _ in deadline.move(to: .seconds(5), for: .tail) })
        #expect(deadline.check(at: .zero) == nil)
        #expect(deadline.passed == .request)
    }

    @Test func `A task within a bound operation is ended in its place`() async throws {
        let (deadline, ended) = (MovingDeadline(at: .seconds(1), for: .request, on: time.source), Ended())
        deadline.arm()
        deadline.bind(ended.operation)
        let outcome = Task { try await withDeadline(deadline) { try await never() } }
        await time.waitForSleepers(2)
        time.advance(by: .seconds(1))
        await #expect(throws: MovingDeadline.Exceeded(cause: .request)) { try await outcome.value }
        #expect(ended.causes == [.request], "what was bound before is bound again, and ended as it is late")
        deadline.disarm()
    }
}
