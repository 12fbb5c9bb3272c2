/// What befalls the upstreams and the load in a run.
package enum Scenario: String, CaseIterable, Sendable {
    /// Nothing changes.
    case steady
    /// Every tenancy takes now more, now less, all the time.
    case ceilings
    /// One account refuses connections or answers 5xx at once, for a minute.
    case oneFails = "one-fails"
    /// One account does not answer at all, for a minute.
    case oneHangs = "one-hangs"
    /// Half of the accounts are out for a minute, each in its own way.
    case halfDown = "half-down"
    /// All are out for a minute, each in its own way.
    case allDown = "all-down"
    /// Three times as many arrivals for ten seconds of each minute, and fewer in between: the same number in all.
    case bursts
    /// Ceilings change, arrivals come in bursts, and now and then an account is out for 20 to 60 s.
    case mixed

    var changesCeilings: Bool { self == .ceilings || self == .mixed }
    var hasBursts: Bool { self == .bursts || self == .mixed }
}
