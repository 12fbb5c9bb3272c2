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
    /// Upstreams whose refusals a process before has met. Their first list is as old as the start, and says nothing of what came before it.
    private let restored = Mutex(UpstreamSet())

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
        let waiting = UpstreamSet(before.restored.withLock { $0 }.filter(isKept))
        restored.withLock { $0 = waiting }
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

    // MARK: Memory

    /// Which upstreams have refused which models.
    var all: [String: UpstreamSet] { refused.withLock { $0 } }

    /// Goes on with what a process before has met.
    func restore(_ id: String, at upstreams: UpstreamSet) {
        for upstream in upstreams { note(id, at: upstream) }
        restored.withLock { for upstream in upstreams { $0.insert(upstream) } }
    }

    /// Upstreams have listed their models anew, and may be asked for all of them again.
    func forget(_ upstreams: some Sequence<Int>) {
        let all = UpstreamSet(upstreams)
        // Of what was met before the start, the second list decides.
        let listed = restored.withLock { restored in
            defer { restored = restored.subtracting(all) }
            return all.subtracting(restored)
        }
        refused.withLock { refused in
            refused = refused.mapValues { $0.subtracting(listed) }.filter { !$0.value.isEmpty }
            isEmpty.store(refused.isEmpty, ordering: .relaxed)
        }
    }

    private func refusing(_ id: String) -> UpstreamSet? {
        areNone ? nil : refused.withLock { $0[id] }
    }
}
