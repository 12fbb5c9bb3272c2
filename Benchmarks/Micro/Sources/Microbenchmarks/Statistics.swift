import Logging

@testable import Proxy
@testable import ProxyRouting

extension Benchmark {
    /// One look at everything: the router's snapshot, and the page that is made of it.
    ///
    /// Each goes to the router's executor and back. Where that is another thread, which the scheduler decides, libdispatch allocates its job
    /// anew (64 to 80 bytes); on one core it does not. The thresholds contain that one allocation.
    static func statistics() throws -> [Benchmark] {
        let count = 20
        guard let url = BaseURL("http://127.0.0.1:9") else { throw Unexpected(what: "a URL that is none") }
        let router = Router(
            (0..<count).map { index in
                let account = OCIAccount(
                    id: "account_\(index + 1)", region: "us-chicago-1", compartment: "ocid1.tenancy.oc1..bench",
                    inference: ServiceURL(url),
                    management: ServiceURL(url), credentials: .bearer(Secret("bench")), transport: NoTransport(),
                    time: .system)
                return (account, Upstream.Settings(throttle: index))
            },
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: .system,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        let route = StatisticsRoute(
            mode: "multi", strategy: "round_robin", breaker: .init(),
            accountList: AccountList(entries: (0..<count).map { .serving($0) }), router: router,
            directory: ModelDirectory(
                aliases: [("grok-4", "xai.grok-4")], accounts: router.upstreams.map { .init($0.backend) }, time: .system
            ))
        return [
            Benchmark("snapshot of \(count) accounts", count: 100) {
                for _ in 0..<$0 { keep(await router.snapshot()) }
            },
            Benchmark("page of \(count) accounts' statistics", count: 100) {
                for _ in 0..<$0 { keep(await route.answer(.accounts)) }
            },
        ]
    }

    /// Nothing is ever sent.
    private struct NoTransport: HTTPTransport {
        func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws -> TransportResponse {
            throw TransportError.cannotConnect("a benchmark")
        }
    }
}
