import Synchronization

/// What this instance has found out of upstreams, until it is told to the others. The router puts it here, and never waits.
final class RoutingFinds: Sendable {
    /// An upstream, or a model of it, asks to be left alone.
    struct Cooldown: Equatable, Sendable {
        /// Of the upstream, among the router's.
        var place: Int
        /// Nil: the upstream as a whole.
        var model: String?
        var until: Duration
        var isThrottle: Bool
    }

    private let cooldowns = Mutex<[Cooldown]>([])
    /// More than that in a second say nothing new.
    private static let most = 1_000

    func add(_ cooldown: Cooldown) {
        cooldowns.withLock { if $0.count < Self.most { $0.append(cooldown) } }
    }

    func take() -> [Cooldown] {
        cooldowns.withLock { cooldowns in
            defer { cooldowns = [] }
            return cooldowns
        }
    }
}
