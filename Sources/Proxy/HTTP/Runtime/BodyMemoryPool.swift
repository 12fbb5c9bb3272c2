import Dispatch
import Synchronization

/// The memory of large bodies, which is used again for a while: of requests that come in (`BodyArrays`), and of those that go out
/// (`BodyBuffers`).
enum BodyMemoryPool {
    /// What is smaller, the allocator has at hand (`AllocatorPolicy`).
    static let smallest = 256 << 10
    /// Bytes that are kept of each kind.
    static let limit = 32 << 20
    /// For how long.
    private static let patience = Duration.seconds(10)

    private static let isScheduled = Mutex(false)

    static var now: Duration { TimeSource.system.now() }

    /// Sees to it that what lies unused is given back to the system. Called whenever something has been shelved: only the first sets a timer.
    static func watch() {
        let isFirst = isScheduled.withLock { isScheduled in
            defer { isScheduled = true }
            return !isScheduled
        }
        guard isFirst else { return }
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + .seconds(Int(patience.components.seconds))) {
            // First, so that what is shelved from now on sets the next timer.
            isScheduled.withLock { $0 = false }
            let instant = now - patience
            if BodyArrays.expire(before: instant) + BodyBuffers.expire(before: instant) > 0 { watch() }
        }
    }
}
