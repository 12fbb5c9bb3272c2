import Synchronization

/// What requests have laid claim to, from their heads to the ends of their answers: memory for bodies, and the concurrency of their keys. It
/// outlives reloads; the limits are those of the door by which a request comes in.
final class RequestClaims: Sendable {
    /// What one request has.
    struct Claim: Equatable, Sendable {
        /// Of all bodies and what becomes of them.
        var bytes = 0
        /// The key whose requests it counts among.
        var key: String?
        /// The key whose bytes they are, where there are others to be kept from harm.
        var owner: String?

        static let none = Claim()
    }

    private struct State {
        var bytes = 0
        var requests: [String: Int] = [:]
        /// By key.
        var owned: [String: Int] = [:]
        var refusals = Refusals()
    }

    /// Requests that were refused for want of room, since the start.
    struct Refusals: Equatable, Sendable {
        /// Since their bodies would have taken more memory than there is for them.
        var ofBodies = 0
        /// Since their key had as many as it may have, by key.
        var ofKeys: [String: Int] = [:]
    }
    private let state = Mutex(State())

    /// The most that a body and what becomes of it take: the body, the list of its values, what is made of them, and the document that is
    /// sent.
    static let share = 4

    /// Claims of so many bytes may take the last eighth of the limit too, so that a few large bodies do not keep the usual ones out: those have some
    /// kilobytes.
    static let small = 1 << 20

    /// Bytes that are claimed at present.
    var bytes: Int { state.withLock { $0.bytes } }

    var refusals: Refusals { state.withLock { $0.refusals } }

    /// Requests of a key.
    func requests(of key: String) -> Int { state.withLock { $0.requests[key] ?? 0 } }

    /// Claims memory for `length` more bytes of a body.
    ///
    /// - Parameter owner: the key, when there are others: then it gets half of the limit at most. It may announce what it never sends.
    /// - Returns: false when the limit does not allow it. A body that is alone is let in whatever its length, or it could never be.
    func take(bodyBytes length: Int, limit: Int, owner: String? = nil, for claim: inout Claim) -> Bool {
        let wanted = length.multipliedReportingOverflow(by: Self.share)
        let isTaken = state.withLock { state in
            guard !wanted.overflow else { return false }
            let isSmall = claim.bytes + wanted.partialValue <= Self.small
            let isAlone = state.bytes == claim.bytes
            guard isAlone || state.bytes + wanted.partialValue <= (isSmall ? limit : limit - limit / 8) else {
                return false
            }
            if let owner {
                let owned = state.owned[owner, default: 0] + wanted.partialValue
                guard isAlone || owned <= limit / 2 else { return false }
                state.owned[owner] = owned
            }
            state.bytes += wanted.partialValue
            return true
        }
        if isTaken {
            claim.bytes += wanted.partialValue
            claim.owner = owner
        } else {
            state.withLock { $0.refusals.ofBodies += 1 }
        }
        return isTaken
    }

    /// Counts a request among those of its key.
    ///
    /// - Parameter limit: of one key; 0 is none, and then nothing is counted.
    /// - Returns: false when the key has as many as it may have.
    func take(_ key: String, limit: Int, for claim: inout Claim) -> Bool {
        guard limit > 0 else { return true }
        let isTaken = state.withLock { state in
            guard state.requests[key, default: 0] < limit else {
                state.refusals.ofKeys[key, default: 0] += 1
                return false
            }
            state.requests[key, default: 0] += 1
            return true
        }
        if isTaken { claim.key = key }
        return isTaken
    }

    /// The request is over.
    func giveBack(_ claim: inout Claim) {
        guard claim != .none else { return }
        let over = claim
        claim = .none
        state.withLock { state in
            state.bytes -= over.bytes
            if let owner = over.owner, let owned = state.owned[owner] {
                state.owned[owner] = owned > over.bytes ? owned - over.bytes : nil
            }
            guard let key = over.key, let count = state.requests[key] else { return }
            state.requests[key] = count > 1 ? count - 1 : nil
        }
    }
}
