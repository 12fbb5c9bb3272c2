import ServiceLifecycle
import Synchronization

/// Runs what looks after the upstreams by itself: the health checks and the lists of models of the present generation.
final class GenerationKeeper: Service {
    private let generations: AsyncStream<Generation>
    private let next: AsyncStream<Generation>.Continuation
    private let current = Mutex<Generation?>(nil)

    /// Nil before the first.
    var present: Generation? { current.withLock { $0 } }

    init() {
        (generations, next) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Looks after these from now on, and after no others.
    func keep(_ generation: Generation) {
        current.withLock { $0 = generation }
        next.yield(generation)
    }

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var generations = self.generations.makeAsyncIterator()
            var present = await generations.next()
            while let generation = present {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await generation.discovery.run() }
                    group.addTask { await generation.monitor.run() }
                    present = await generations.next()
                    group.cancelAll()
                }
            }
        }
    }
}
