import Proxy
import ProxyRouting
import ProxyTestSupport

/// The upstreams' side of a run in trouble.
struct TroubleAnswers: HiddenTruth {
    /// One for each throttle.
    private struct Place: Hashable {
        let tenancy: Int
        /// Nil when all models share it.
        let model: String?
    }

    private let world: TroubleWorld
    private var gauges: [Place: Gauge] = [:]
    private var random: SplitMix64

    init(_ world: TroubleWorld, random: SplitMix64) {
        self.world = world
        self.random = random
    }

    mutating func begin(_ request: Request, at index: Int, now: Duration) -> Response {
        guard world.isUp(index, at: now) else {
            return switch world.absence {
            case .refuses: Response(outcome: .unreachable, takes: .milliseconds(2))
            case .unavailable(let seconds):
                Response(outcome: .unavailable(retryAfter: seconds), takes: .milliseconds(20))
            }
        }
        if request.model == TroubleWorld.sickModel, let sickness = world.sickness {
            switch sickness {
            case .fails: return Response(outcome: .failed, takes: .milliseconds(100))
            case .hangs: return Response(outcome: .timedOut, takes: .seconds(20))
            case .throttled(let seconds):
                return Response(outcome: .rateLimited(retryAfter: seconds), takes: .milliseconds(30))
            }
        }
        if let throttle = world.throttle {
            let hasRoom = gauges[place(of: request, at: index), default: Gauge(throttle.ceiling)].take(at: now)
            guard hasRoom else {
                return Response(
                    outcome: .rateLimited(retryAfter: throttle.retryAfter),
                    takes: .milliseconds(Int.random(in: 2...40, using: &random)))
            }
        }
        let takes = Duration.seconds(request.length)
        var answer = Response(
            outcome: .succeeded, takes: takes, begins: request.firstEventAfter.map { takes * $0 }, isTaken: true)
        if answer.begins == nil, let cut = cut(of: now..<now + takes, at: index) { answer = cut }
        return answer
    }

    mutating func end(_ request: Request, at index: Int, now: Duration) {
        if world.throttle != nil { gauges[place(of: request, at: index)]?.giveBack() }
    }

    func isUp(_ index: Int, at now: Duration) -> Bool { world.isUp(index, at: now) }

    private func place(of request: Request, at index: Int) -> Place {
        Place(tenancy: world.upstreams[index].tenancy, model: world.throttle?.isByModel == true ? request.model : nil)
    }

    /// A connection that breaks before its answer.
    private mutating func cut(of time: Range<Duration>, at index: Int) -> Response? {
        // Some upstreams close what nobody reads from.
        if let stop = world.stops.first(where: { $0.overlaps(time) }), Int.random(in: 0..<10, using: &random) == 0 {
            return Response(outcome: .unreachable, takes: stop.upperBound - time.lowerBound, isTaken: true)
        }
        guard world.breaksWhatRuns,
            let absence = world.upstreams[index].absences.first(where: { time.contains($0.lowerBound) })
        else { return nil }
        return Response(outcome: .unreachable, takes: absence.lowerBound - time.lowerBound, isTaken: true)
    }
}
