/// How many requests an upstream, or one of its models, gets at once when it comes back: one, then two, then four, as its answers come, so
/// that those who have waited do not rush in together. What refuses does so soon, so answers that take long need not be waited for: each
/// second without a refusal doubles it, too.
package struct SlowStart: Sendable {
    /// Proof of an admission.
    package struct Pass: Equatable, Sendable { fileprivate let epoch: UInt32 }

    package static let interval = Duration.seconds(1)

    /// Nil when it has come to its end.
    private var limit: Int?
    /// When the first request was sent.
    private var start: Duration?
    private var epoch: UInt32 = 0
    /// Those that were admitted on the way up and have not ended. What was under way before does not count: it has been taken already.
    private var inFlight = 0

    package init() {}

    package var pass: Pass { Pass(epoch: epoch) }
    package var isClimbing: Bool { limit != nil }

    package func hasCapacity(at now: Duration) -> Bool { limit.map { inFlight < max($0, allowed(at: now)) } ?? true }

    /// When time alone gives room for more.
    package func recheckAt(_ now: Duration) -> Duration? {
        guard limit != nil, let start else { return nil }
        return start + Self.interval * (intervals(from: start, to: now) + 1)
    }

    /// It comes back, or will.
    package mutating func begin() {
        (limit, start, inFlight) = (1, nil, 0)
        epoch &+= 1
    }

    /// A request is sent.
    package mutating func admit(at now: Duration) -> Pass {
        guard limit != nil else { return pass }
        if start == nil { start = now }
        inFlight += 1
        return pass
    }

    /// It has ended, however.
    package mutating func end(_ pass: Pass) {
        if limit != nil, pass.epoch == epoch { inFlight -= 1 }
    }

    /// A request was answered: each that was admitted on the way up makes room for one more.
    ///
    /// - Parameter top: at which there is nothing left to climb.
    package mutating func answered(_ pass: Pass, top: Int, at now: Duration) {
        guard let limit, pass.epoch == epoch else { return }
        self.limit = max(limit + 1, allowed(at: now)) >= top ? nil : limit + 1
    }

    package mutating func reset() {
        limit = nil
        epoch &+= 1
    }

    private func allowed(at now: Duration) -> Int { start.map { 1 << min(intervals(from: $0, to: now), 16) } ?? 1 }

    private func intervals(from start: Duration, to now: Duration) -> Int {
        Int(clamping: (now - start).components.seconds)
    }
}
