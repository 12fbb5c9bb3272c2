import ProxyCluster
import Synchronization

/// How this instance stands with the others, for whoever shows it.
final class ClusterStatus: Sendable {
    struct Facts: Equatable, Sendable {
        var mode = ClusterMember.Mode.pending
        /// Instances that share limits, as the engine has said last, or as many as are reckoned with.
        var instances = 1
        /// Why the engine does not help; nil while it does.
        var problem: String?
        /// Exchanges that were answered, and that were not.
        var exchanges = 0
        var failures = 0
    }

    private let facts = Mutex(Facts())

    var present: Facts { facts.withLock { $0 } }

    func update(_ change: (inout Facts) -> Void) { facts.withLock { change(&$0) } }
}
