import Synchronization

/// How far the end of the process has come. Every part of the front end may look at any time.
final class Drain: Sendable {
    private enum Phase: UInt8, AtomicRepresentable { case serving, draining, over }
    private let phase = Atomic(Phase.serving)

    /// No new connections are accepted; running requests have until the end of `shutdown_grace`.
    var isDraining: Bool { phase.load(ordering: .acquiring) != .serving }

    /// `shutdown_grace` has passed: what still runs is cancelled and tells its client so.
    var isOver: Bool { phase.load(ordering: .acquiring) == .over }

    func begin() { phase.store(.draining, ordering: .releasing) }

    func end() { phase.store(.over, ordering: .releasing) }
}
