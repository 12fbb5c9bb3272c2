import Dispatch
import Synchronization

/// A write that does not return until it is told to.
final class Ice: Sendable {
    let isFrozen: Atomic<Bool>
    let entered = DispatchSemaphore(value: 0)
    private let thaw = DispatchSemaphore(value: 0)

    init(isFrozen: Bool = true) { self.isFrozen = Atomic(isFrozen) }

    func write() {
        guard isFrozen.load(ordering: .acquiring) else { return }
        entered.signal()
        thaw.wait()
    }
    func freeze() { isFrozen.store(true, ordering: .releasing) }
    func melt() {
        isFrozen.store(false, ordering: .releasing)
        thaw.signal()
    }
    /// Until the writer stands still.
    func reached() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                self.entered.wait()
                continuation.resume()
            }
        }
    }
}
