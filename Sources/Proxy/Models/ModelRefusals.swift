import ProxyRouting
import Synchronization

/// Which upstreams have refused which models as retired or unknown since they last listed them.
///
/// Apart from the catalogue, which every request asks and which takes long to make: noting one costs the same whatever the catalogue holds.
final class ModelRefusals: Sendable {
    /// Ids that are remembered. Only listed and configured ones come here; beyond these all are forgotten, and refused once more.
    static let most = 1000

    /// Most of the time there are none, and then no request takes the lock.
    private let isEmpty: Atomic<Bool>
    private let refused: Mutex<[String: UpstreamSet]>

    init() {
        isEmpty = Atomic(true)
        refused = Mutex([:])
    }

    /// Those of another configuration, for the upstreams that stay.
    init(of before: ModelRefusals, keeping isKept: (Int) -> Bool) {
        let kept = before.refused.withLock { $0 }.mapValues { UpstreamSet($0.filter(isKept)) }.filter {
            !$0.value.isEmpty
        }
        isEmpty = Atomic(kept.isEmpty)
        refused = Mutex(kept)
    }

    /// Those of `offered` that have not refused the model; all of them when none is left, since there is nobody else to ask.
    func willing(_ offered: UpstreamSet, for id: String) -> UpstreamSet {
        guard let refusing = refusing(id) else { return offered }
        let willing = offered.subtracting(refusing)
        return willing.isEmpty ? offered : willing
    }

    /// Whether all that could be asked have refused it.
    func isRefused(_ id: String, byAllOf offered: UpstreamSet) -> Bool {
        refusing(id).map { offered.subtracting($0).isEmpty } ?? false
    }

    /// Whether nobody has refused anything.
    var areNone: Bool { isEmpty.load(ordering: .relaxed) }

    func note(_ id: String, at upstream: Int) {
        refused.withLock { refused in
            if refused.count >= Self.most, refused[id] == nil { refused.removeAll() }
            refused[id, default: UpstreamSet()].insert(upstream)
            isEmpty.store(false, ordering: .relaxed)
        }
    }

    /// Upstreams have listed their models anew, and may be asked for all of them again.
    func forget(_ upstreams: some Sequence<Int>) {
        let listed = UpstreamSet(upstreams)
        refused.withLock { refused in
            refused = refused.mapValues { $0.subtracting(listed) }.filter { !$0.value.isEmpty }
            isEmpty.store(refused.isEmpty, ordering: .relaxed)
        }
    }

    private func refusing(_ id: String) -> UpstreamSet? {
        areNone ? nil : refused.withLock { $0[id] }
    }
}
