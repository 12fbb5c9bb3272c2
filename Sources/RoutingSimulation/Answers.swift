import Proxy

/// The upstreams' side of a run: how each attempt is answered, by the hidden truth.
struct Answers {
    struct Answer {
        let outcome: AttemptOutcome
        /// From the attempt's start to its end.
        let takes: Duration
    }

    /// After which the proxy gives up on a silent account (`first_token_timeout`, say).
    static let silenceLimit = Duration.seconds(20)

    private let world: World
    /// What each tenancy is busy with.
    private var inFlight: [Int]
    /// What each tenancy with a rate would take at once: a second's worth at most.
    private var credit: [Double]
    private var creditedAt: [Duration]

    init(_ world: World) {
        self.world = world
        inFlight = world.tenancies.map { _ in 0 }
        credit = world.tenancies.map { $0.ceiling.value(inSecond: 0) }
        creditedAt = world.tenancies.map { _ in .zero }
    }

    /// An attempt begins. Every one that succeeds has to be given back with `end`.
    mutating func begin(_ request: Request, at index: Int, now: Duration) -> Answer {
        let account = world.accounts[index]
        let second = Int(now.components.seconds)
        switch account.outage(inSecond: second) {
        case .refuses: return Answer(outcome: .failed, takes: .milliseconds(3))
        case .fails: return Answer(outcome: .failed, takes: .milliseconds(80))
        case .hangs: return Answer(outcome: .timedOut, takes: Self.silenceLimit)
        case nil: break
        }
        let tenancy = world.tenancies[account.tenancy]
        guard hasRoom(account.tenancy, now: now) else {
            return Answer(outcome: .rateLimited(retryAfter: tenancy.retryAfter), takes: .milliseconds(40))
        }
        inFlight[account.tenancy] += 1
        credit[account.tenancy] -= 1
        return Answer(outcome: .succeeded, takes: .seconds(request.length * tenancy.pace))
    }

    /// An attempt that succeeded is over.
    mutating func end(at index: Int) { inFlight[world.accounts[index].tenancy] -= 1 }

    private mutating func hasRoom(_ tenancy: Int, now: Duration) -> Bool {
        let ceiling = world.tenancies[tenancy].ceiling
        let value = ceiling.value(inSecond: Int(now.components.seconds))
        switch ceiling.measure {
        case .inFlight: return Double(inFlight[tenancy] + 1) <= value
        case .perSecond:
            credit[tenancy] = min(credit[tenancy] + value * (now - creditedAt[tenancy]).inSeconds, max(value, 1))
            creditedAt[tenancy] = now
            return credit[tenancy] >= 1
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
