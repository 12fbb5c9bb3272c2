import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Proxy

@Suite("A task on an event loop", .timeLimit(.minutes(1)))
struct EventLoopExecutorTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    @Test func `All steps run on the loop, wherever they come from`() async {
        let loop = loop
        let seen = await Task(executorPreference: EventLoopExecutor(loop)) {
            var seen = [loop.inEventLoop]
            await Task.yield()
            seen.append(loop.inEventLoop)
            async let child = loop.inEventLoop
            seen.append(await child)
            _ = await Task.detached { loop.inEventLoop }.value
            seen.append(loop.inEventLoop)
            return seen
        }.value
        #expect(seen == [true, true, true, true])
    }

    @Test func `A task that never rests lets others have their turn`() async throws {
        let loop = loop
        let isTold = Atomic(false)
        let restless = Task(executorPreference: EventLoopExecutor(loop)) {
            while !isTold.load(ordering: .relaxed) { await Task.yield() }
        }
        try await loop.submit { isTold.store(true, ordering: .relaxed) }.get()
        await restless.value
    }

    @Test(arguments: [true, false])
    func `Run stays on the loop, or goes there`(_ isThere: Bool) async throws {
        let loop = loop
        let executor = EventLoopExecutor(loop)
        let body: @Sendable () async throws -> Bool = { try await executor.run { loop.inEventLoop } }
        let task = isThere ? Task(executorPreference: executor, operation: body) : Task(operation: body)
        #expect(try await task.value)
    }
}
