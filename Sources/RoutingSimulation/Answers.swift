import Proxy
import ProxyRouting

/// The upstreams' side of a run: how each attempt is answered, by the hidden truth.
struct Answers: HiddenTruth {
    /// After which the proxy gives up on a silent account (`first_token_timeout`, say).
    static let silenceLimit = Duration.seconds(20)

    private let world: World
    /// What each tenancy is busy with.
    private var gauges: [Gauge]

    init(_ world: World) {
        self.world = world
        gauges = world.tenancies.map { Gauge($0.ceiling) }
    }

    mutating func begin(_ request: Request, at index: Int, now: Duration) -> Response {
        let account = world.accounts[index]
        switch account.outage(inSecond: Int(now.components.seconds)) {
        case .refuses: return Response(outcome: .failed, takes: .milliseconds(3))
        case .fails: return Response(outcome: .failed, takes: .milliseconds(80))
        case .hangs: return Response(outcome: .timedOut, takes: Self.silenceLimit)
        case nil: break
        }
        let tenancy = world.tenancies[account.tenancy]
        guard gauges[account.tenancy].take(at: now) else {
            return Response(outcome: .rateLimited(retryAfter: tenancy.retryAfter), takes: .milliseconds(40))
        }
        return Response(outcome: .succeeded, takes: .seconds(request.length * tenancy.pace), isTaken: true)
    }

    mutating func end(_ request: Request, at index: Int, now: Duration) {
        gauges[world.accounts[index].tenancy].giveBack()
    }

    func isUp(_ index: Int, at now: Duration) -> Bool {
        world.accounts[index].outage(inSecond: Int(now.components.seconds)) == nil
    }
}
