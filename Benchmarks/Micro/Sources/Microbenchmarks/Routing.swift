@testable import Proxy

extension Benchmark {
    /// A permit taken and given back, with half of each account's permits out, by each strategy over 20 accounts and by the usual one
    /// over more and fewer.
    static func routing() throws -> [Benchmark] {
        let usual = RoutingSettings.Strategy.roundRobin
        return try [1, 3, 20, 100].map { try permit($0, usual) }
            + RoutingSettings.Strategy.allCases.filter { $0 != usual }.map { try permit(20, $0) }
    }

    private static func permit(_ accounts: Int, _ strategy: RoutingSettings.Strategy) throws -> Benchmark {
        var table = Accounts(states: Array(repeating: UpstreamState(maxConcurrency: 50, breaker: .init()), count: accounts))
        var core = RoutingCore(limits: .init(concurrency: 10_000, queue: 100), strategy: strategy.make())
        let terms = RouteRequest.Terms(accepts: UpstreamSet(first: accounts))
        var number: UInt64 = 0
        func take() throws -> RoutingCore.Permit {
            number += 1
            let now = Duration.microseconds(number)
            guard case .admitted(let permit) = core.arrive(.init(ticket: .init(rawValue: number), terms: terms, deadline: now + .seconds(60)), at: now, &table)
            else { throw Unexpected(what: "a request that was not admitted") }
            return permit
        }
        for _ in 0..<accounts * 25 { _ = try take() }
        return Benchmark("permit, \(accounts) \(accounts == 1 ? "account" : "accounts"), \(strategy.rawValue)") {
            for _ in 0..<$0 { keep(core.end(try take(), AttemptEnding(.succeeded), at: .microseconds(number), jitter: 0, &table)) }
        }
    }

    /// Upstreams as plain values.
    private struct Accounts: UpstreamTable {
        var states: [UpstreamState]

        func view(of index: Int, at now: Duration) -> UpstreamView {
            let state = states[index]
            return UpstreamView(
                standing: state.standing(at: now), inFlight: state.permits.inUse, weight: 1 + index % 3, isFailing: state.breaker.consecutiveFailures > 0,
                throttle: index)
        }

        mutating func admit(_ index: Int, at now: Duration) -> UpstreamState.Pass { states[index].admit(at: now) }

        mutating func end(_ index: Int, _ pass: UpstreamState.Pass, _ ending: AttemptEnding, at now: Duration, jitter: Double) {
            states[index].end(pass, ending, at: now, jitter: jitter)
        }
    }
}
