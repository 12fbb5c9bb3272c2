/// How many requests an upstream, or one of its models, gets at once when it comes back: one, then two, then four, as its answers come, so
/// that those who have waited do not rush in together.
package struct Ramp: Sendable {
    /// Proof of an admission.
    package struct Pass: Equatable, Sendable { fileprivate let epoch: UInt32 }

    /// Nil when it has come to its end.
    private var limit: Int?
    private var epoch: UInt32 = 0

    package init() {}

    package var pass: Pass { Pass(epoch: epoch) }
    package var isClimbing: Bool { limit != nil }

    package func hasCapacity(besides inFlight: Int) -> Bool { limit.map { inFlight < $0 } ?? true }

    /// It comes back, or will.
    package mutating func begin() {
        limit = 1
        epoch &+= 1
    }

    /// A request was answered: each that was admitted on the way up makes room for one more.
    ///
    /// - Parameter top: at which there is nothing left to climb.
    package mutating func answered(_ pass: Pass, top: Int) {
        guard let current = limit, pass.epoch == epoch else { return }
        limit = current + 1 >= top ? nil : current + 1
    }

    package mutating func reset() {
        limit = nil
        epoch &+= 1
    }
}
