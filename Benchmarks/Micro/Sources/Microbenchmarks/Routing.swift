@testable import Proxy
@testable import ProxyRouting
@testable import ProxyTestSupport

extension Benchmark {
    /// A permit taken and given back, with half of each account's permits out, by each strategy over 20 accounts and by the usual one
    /// over more and fewer.
    static func routing() throws -> [Benchmark] {
        let usual = RoutingSettings.Strategy.roundRobin
        return try [1, 3, 20, 100].map { try permit($0, usual) }
            + RoutingSettings.Strategy.allCases.filter { $0 != usual }.map { try permit(20, $0) }
    }

    private static func permit(_ accounts: Int, _ strategy: RoutingSettings.Strategy) throws -> Benchmark {
        var table = PlainUpstreams((0..<accounts).map { .init(maxConcurrency: 50, weight: 1 + $0 % 3, throttle: $0) })
        var core = RoutingCore(
            limits: .init(concurrency: 10_000, queue: 100), strategy: strategy.make(), members: table.coreMembers)
        let all = UpstreamSet(first: accounts)
        let terms = (0..<models).map { RouteRequest.Terms(accepts: all, model: "vendor.model-\($0)") }
        var number: UInt64 = 0
        func take() throws -> RoutingCore.Permit {
            number += 1
            let now = Duration.microseconds(number)
            let request = RouteRequest(
                ticket: .init(rawValue: number), terms: terms[Int(number) % models], deadline: now + .seconds(60),
                allowance: .seconds(60))
            guard case .admitted(let permit) = core.arrive(request, at: now, &table).decision else {
                throw Unexpected(what: "a request that was not admitted")
            }
            return permit
        }
        for _ in 0..<accounts * 25 { _ = try take() }
        return Benchmark("permit, \(accounts) \(accounts == 1 ? "account" : "accounts"), \(strategy.rawValue)") {
            for _ in 0..<$0 {
                keep(core.end(try take(), AttemptEnding(.succeeded), at: .microseconds(number), jitter: 0, &table))
            }
        }
    }

    private static let models = 40
}
