import NIOConcurrencyHelpers
import Synchronization
import Testing

@testable import Proxy

@Suite struct LargeWorkTests {
    private struct Refusal: Error {}

    @Test func `Only what is much goes there`() async throws {
        #expect(try await LargeWork.run(on: LargeWork.threshold) { LargeWork.isCurrent } == false)
        #expect(try await LargeWork.run(on: LargeWork.threshold + 1) { LargeWork.isCurrent } == true)
        #expect(LargeWork.isCurrent == false)
        await #expect(throws: Refusal.self) { try await LargeWork.run(on: .max) { throw Refusal() } }
    }

    @Test func `Who is there stays`() async throws {
        let isThere = try await withTaskExecutorPreference(LargeWork.shared) {
            try await LargeWork.run(on: .max) { LargeWork.isCurrent }
        }
        #expect(isThere)
    }

    @Test func `Who has left is not worked for`() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await LargeWork.run(on: .max) { true }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    /// A large body is read and signed there, a large answer is read there, and what is small never comes there.
    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func `A chat that is large`(asksMuch: Bool, isToldMuch: Bool) async throws {
        let hasBeenThere = Flag()
        let time = TimeSource(
            now: { .zero }, sleep: { _ in try await Task.sleep(for: .seconds(3600)) },
            wallClock: {
                if LargeWork.isCurrent { hasBeenThere.set() }
                return 1_700_000_000
            })
        let much = String(repeating: "x", count: LargeWork.threshold)
        let answer =
            #"{"chatResponse":{"timeCreated":"2025-01-01T00:00:00Z","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(isToldMuch ? much : "x")"}]},"finishReason":"stop"}]}}"#
        let door = try FrontDoor.fixture(FakeTransport(status: 200, body: answer), time: time)
        let (status, body) = try await door.answer(
            toChat: #"{"model":"llama-3.3-70b","messages":[{"role":"user","content":"\#(asksMuch ? much : "x")"}]}"#)
        #expect(status == 200 && body.utf8.count > (isToldMuch ? LargeWork.threshold : 0), "\(body.prefix(300))")
        #expect(hasBeenThere.isSet == asksMuch)
    }

    /// Whoever is small is served while all of its threads are busy.
    @Test func `What is small does not wait for what is large`() async throws {
        let isBlocked = Flag()
        let gate = ConditionLock(value: false)
        func wait() {
            isBlocked.set()
            gate.lock(whenValue: true)
            gate.unlock()
        }
        // More steps than there are threads, each of which gives way to nobody.
        let large = (0..<64).map { _ in Task(executorPreference: LargeWork.shared) { wait() } }
        while !isBlocked.isSet { await Task.yield() }
        let door = try FrontDoor.fixture(FakeTransport(status: 400, body: "{}"))
        func body(_ text: String) -> String {
            #"{"model":"llama-3.3-70b","messages":[{"role":"user","content":"\#(text)"}]}"#
        }
        // It waits for its turn, and nobody waits behind it.
        let isLarge = Task { try await door.answer(toChat: body(String(repeating: "x", count: LargeWork.threshold))) }
        let answer = try? await door.answer(toChat: body("x"))
        gate.lock()
        gate.unlock(withValue: true)
        for task in large { await task.value }
        #expect(answer?.status == 400)
        #expect(try await isLarge.value.status == 400)
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }
}
