import Proxy
import ProxyRouting

/// The hidden truth about the upstreams of a run in trouble, and what is asked of them.
struct TroubleWorld: Sendable {
    struct Upstream: Sendable {
        let maxConcurrency: Int
        /// Upstreams of one tenancy share their throttle.
        let tenancy: Int
        /// Times in which nothing is answered.
        var absences: [Range<Duration>] = []
    }

    struct Throttle: Sendable {
        let ceiling: Ceiling
        /// Each model of a tenancy has such a ceiling of its own, or all share one.
        let isByModel: Bool
        /// Seconds that a 429 asks for; nil when it does not say.
        let retryAfter: Int?
    }

    enum Sickness: Sendable {
        case fails, hangs
        case throttled(retryAfter: Int)
    }

    /// How an upstream that is away shows it.
    enum Absence: Sendable {
        case refuses
        case unavailable(retryAfter: Int?)
    }

    static let sickModel = "sick"

    var upstreams: [Upstream]
    /// Where each model is served.
    var models: [String: UpstreamSet]
    /// Requests in flight in the whole proxy.
    var concurrency: Int
    var throttle: Throttle?
    var sickness: Sickness?
    var absence = Absence.refuses
    /// Whole answers that are under way break when their upstream goes away.
    var breaksWhatRuns = false
    var stops: [Range<Duration>] = []
    var requests: [Request] = []
    /// When requests cease to arrive.
    var end = Duration.zero
    /// Seconds that an answer takes on the average.
    var meanLength = 1.0
    /// When nobody could serve as ever, or nobody could serve all.
    var troubles: [Range<Duration>] = []
    /// What is answered in this time is counted.
    var counted = Duration.zero..<Duration.seconds(86_400)
    /// Requests that arrive so long before a trouble, or in it, are not counted: what becomes of them is nobody's merit.
    var uncountedBefore: Duration?

    /// Somebody who knows everything would answer it, if there were room.
    func isCounted(_ request: Request) -> Bool {
        guard request.model != Self.sickModel else { return false }
        guard let margin = uncountedBefore else { return true }
        return !troubles.contains { request.arrival >= $0.lowerBound - margin && request.arrival < $0.upperBound }
    }

    /// How much of the capacity an answer needs. Where permits are the limit, long ones need more: whose answers happen to be long has not
    /// done worse.
    func size(of request: Request) -> Double {
        let countsAlike = uncountedBefore != nil || sickness != nil || throttle?.ceiling.measure == .perSecond
        return countsAlike ? 1 : request.length / meanLength
    }

    /// What an answer counts for.
    ///
    /// - Parameter start: when the upstream began with it.
    func value(of request: Request, from start: Duration) -> Double {
        let length = Duration.seconds(request.length)
        let part = min(start + length, counted.upperBound) - max(start, counted.lowerBound)
        return max(part / length, 0) * size(of: request)
    }

    func isUp(_ index: Int, at now: Duration) -> Bool { !upstreams[index].absences.contains { $0.contains(now) } }

    /// Answers a second that the upstreams could give, if each request went to the right place at the right moment.
    func capacity(at now: Duration) -> Double {
        guard let throttle else {
            return upstreams.indices.reduce(0) {
                isUp($1, at: now) ? $0 + Double(upstreams[$1].maxConcurrency) / meanLength : $0
            }
        }
        let value =
            throttle.ceiling.value(inSecond: Int(now.components.seconds))
            * (throttle.isByModel ? Double(models.count) : 1)
        let hidden = throttle.ceiling.measure == .inFlight ? value / meanLength : value
        return Set(upstreams.map(\.tenancy)).reduce(0) { sum, tenancy in
            let permits = upstreams.reduce(0) { $1.tenancy == tenancy ? $0 + $1.maxConcurrency : $0 }
            return sum + min(hidden, Double(permits) / meanLength)
        }
    }
}
