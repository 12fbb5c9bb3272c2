import ProxyCluster
import Synchronization

/// How this instance stands with the others, for whoever shows it.
final class ClusterStatus: Sendable {
    struct Facts: Equatable, Sendable {
        /// Whether there are to be others.
        var isOn = false
        /// This one.
        var instance = ""
        var mode = ClusterMember.Mode.pending
        /// Instances that share limits, as the engine has said last, or as many as are reckoned with.
        var instances = 1
        /// Why the engine does not help; nil while it does.
        var problem: String?
        /// All instances that have said something of late, this one among them.
        var roster: [Present] = []
        /// Exchanges that were answered, and that were not.
        var exchanges = 0
        var failures = 0
    }

    struct Present: Equatable, Sendable {
        var instance: String
        var news: InstanceNews
    }

    private let facts = Mutex(Facts())

    /// Nil where this instance is alone.
    var shown: Facts? { facts.withLock { $0.isOn ? $0 : nil } }

    var present: Facts { facts.withLock { $0 } }

    func update(_ change: (inout Facts) -> Void) { facts.withLock { change(&$0) } }
}

extension ClusterStatus.Facts {
    /// Limits are shared at this moment.
    var isShared: Bool { mode == .leased || mode == .learning }

    /// The state in a word, for people and for documents.
    var word: String {
        switch mode {
        case .pending: "pending"
        case .leased: "shared"
        case .learning: "learning"
        case .degraded: "degraded"
        }
    }
}
