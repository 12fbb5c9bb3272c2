import Dispatch
import Synchronization

/// A write that does not return until it is told to.
final class Ice: Sendable {
    let isFrozen = Atomic(true)
    let entered = DispatchSemaphore(value: 0)
    private let thaw = DispatchSemaphore(value: 0)
    func write() {
        guard isFrozen.load(ordering: .acquiring) else { return }
        entered.signal()
        thaw.wait()
    }
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
