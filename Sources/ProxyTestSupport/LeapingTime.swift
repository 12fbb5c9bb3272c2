package import Proxy
import Synchronization

/// Time of one who waits alone: each pause is over at once, and was as long as it was meant to be.
package final class LeapingTime: Sendable {
    private let moment = Mutex(Duration.zero)

    package init() {}

    /// What the code under test is given. Deadlines would be over at once, too.
    package var source: TimeSource {
        TimeSource(
            now: { self.now },
            sleep: { instant in
                try Task.checkCancellation()
                self.moment.withLock { $0 = max($0, instant) }
            }, wallClock: { 2_020_109_500 + self.now.components.seconds })
    }

    package var now: Duration { moment.withLock { $0 } }
}
