/// A time in which an account answers no request. What is in flight when it begins ends as if nothing had happened.
struct Outage: Sendable {
    enum Kind: CaseIterable, Sendable {
        /// No connection.
        case refuses
        /// 5xx.
        case fails
        /// Silence, until the proxy gives up.
        case hangs
    }

    let kind: Kind
    /// Whole seconds from the start of the run.
    let seconds: Range<Int>
}
