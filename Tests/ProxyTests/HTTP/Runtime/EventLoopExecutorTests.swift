import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite("A task on an event loop", .timeLimit(.minutes(5)))
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

    /// Those that come together go on together: none is a step ahead of the others.
    @Test func `Tasks take their steps in turns`() async throws {
        let executor = EventLoopExecutor(loop)
        let steps = Steps()
        // All are there before the first begins.
        let tasks = try await loop.submit {
            ["a", "b", "c"].map { name in
                Task(executorPreference: executor) {
                    for step in 1...20 {
                        steps.taken.withLock { $0.append("\(name)\(step)") }
                        await Task.yield()
                    }
                }
            }
        }.get()
        for task in tasks { await task.value }
        #expect(steps.taken.withLock { $0 } == (1...20).flatMap { step in ["a", "b", "c"].map { "\($0)\(step)" } })
    }

    private final class Steps: Sendable {
        let taken = Mutex<[String]>([])
    }

    @Test func `Each loop of a group has one executor`() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        defer { group.shutdownGracefully { _ in } }
        let executors = EventLoopExecutors(of: group)
        let loops = Array(group.makeIterator())
        for loop in loops {
            #expect(executors.executor(on: loop) === executors.executor(on: loop))
            #expect(executors.executor(on: loop).eventLoop === loop)
        }
        #expect(executors.executor(on: loops[0]) !== executors.executor(on: loops[1]))
        #expect(executors.executor(on: loop).eventLoop === loop, "of another group")
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
