/// The hidden truth about the upstreams of a run: what the proxy can only find out by asking.
struct World: Sendable {
    /// Accounts of one tenancy share its ceiling.
    struct Tenancy: Sendable {
        let accounts: Range<Int>
        let ceiling: Ceiling
        /// An answer takes so many times a request's length.
        let pace: Double
        /// Seconds that a 429 of this tenancy asks for; nil when it does not say.
        let retryAfter: Int?
    }

    struct Account: Sendable {
        let tenancy: Int
        /// What the operator has configured, knowing as little as the proxy.
        let maxConcurrency: Int
        let outages: [Outage]

        func outage(inSecond second: Int) -> Outage.Kind? {
            outages.first { $0.seconds.contains(second) }?.kind
        }
    }

    /// Seconds in which requests arrive.
    let duration: Int
    let tenancies: [Tenancy]
    let accounts: [Account]

    /// Requests a second that could be answered, if each went to the right place at the right moment.
    ///
    /// - Parameter ignoringOutages: as if all accounts were up.
    func capacity(inSecond second: Int, ignoringOutages: Bool = false) -> Double {
        tenancies.reduce(0) { sum, tenancy in
            let permits = tenancy.accounts.reduce(0) { permits, index in
                let account = accounts[index]
                return ignoringOutages || account.outage(inSecond: second) == nil
                    ? permits + account.maxConcurrency : permits
            }
            let length = Request.meanLength * tenancy.pace
            let ceiling = tenancy.ceiling.value(inSecond: second)
            return switch tenancy.ceiling.measure {
            case .inFlight: sum + min(ceiling, Double(permits)) / length
            case .perSecond: sum + min(ceiling, Double(permits) / length)
            }
        }
    }

    /// Whether any account is out.
    func hasOutage(inSecond second: Int) -> Bool {
        accounts.contains { $0.outage(inSecond: second) != nil }
    }
}
