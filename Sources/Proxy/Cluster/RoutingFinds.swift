import Synchronization

/// What this instance has found out of upstreams, until it is told to the others. The router puts it here, and never waits.
final class RoutingFinds: Sendable {
    /// Of an upstream, or of a model of it.
    struct Find: Equatable, Sendable {
        enum Kind: Equatable, Sendable {
            /// It asks to be left alone.
            case cooldown(until: Duration, isThrottle: Bool)
            /// The breaker has opened, and stays so until then.
            case opened(until: Duration)
            /// So many requests of the model are taken at once, from all instances.
            case limit(Int)
            /// The model is retired or unknown.
            case refusal
        }

        /// Of the upstream, among the router's.
        var place: Int
        /// Nil: the upstream as a whole.
        var model: String?
        var kind: Kind
    }

    private let finds = Mutex<[Find]>([])
    private let bell: ExchangeBell
    /// More than that in a second say nothing new.
    private static let most = 1_000

    init(_ bell: ExchangeBell) { self.bell = bell }

    func add(_ find: Find) {
        finds.withLock { if $0.count < Self.most { $0.append(find) } }
        bell.ring()
    }

    /// Something new is to be shared, and has nothing until it is.
    func hurry() { bell.ring() }

    func take() -> [Find] {
        finds.withLock { finds in
            defer { finds = [] }
            return finds
        }
    }
}
