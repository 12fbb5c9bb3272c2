/// Whether a request may be sent to an upstream, or to one model there.
package enum Availability: Equatable, Sendable {
    case available
    /// All that it takes at once is under way; the next one that ends will do. `until`: when time alone may give room; nil when it cannot.
    case full(until: Duration?)
    /// Out of use. `until` is nil when nobody knows for how long.
    case unavailable(until: Duration?, isThrottled: Bool)

    /// When time alone may change it.
    package var recheckAt: Duration? {
        switch self {
        case .available: nil
        case .full(let until), .unavailable(let until, _): until
        }
    }
}

/// How long waiting for what will come back by itself makes sense (section 4.1d of the contract).
package enum Patience {
    package static let limit = Duration.seconds(5)
}
