import Proxy
import ProxyTestSupport

/// A request as it comes to the proxy.
struct Request: Sendable {
    var arrival: Duration
    /// Seconds that an answer takes at a pace of 1.
    let length: Double
    var model = ""
    /// Whose it is: the name of a client's key.
    var client = ""
    /// From the arrival, until when its answer, or the first event of it, has to be there.
    var patience: Duration
    /// The first event of a stream comes after this part of its length; nil when the client wants a whole answer.
    var firstEventAfter: Double?
    /// The client sends the next one as soon as it has an answer to this one, whatever that is.
    var isRepeated = false

    /// Seconds. Of the lengths below, cut off as they are.
    static let meanLength = 1.9
    private static let medianLength = 1.5
    private static let longest = 15.0

    /// The requests of a run, in order: Poisson arrivals at a share of what the world could answer if all accounts were up.
    ///
    /// - Parameter load: 1 is all that the world could answer.
    static func arrivals(in world: World, load: Double, bursts: Bool, patience: Duration, random: inout SplitMix64)
        -> [Request]
    {
        let capacity =
            (0..<world.duration).reduce(0) { $0 + world.capacity(inSecond: $1, ignoringOutages: true) }
            / Double(world.duration)
        let height = 3.0
        // Ten seconds of each minute are three times as dense: keeps the sum.
        let rate = capacity * load * (bursts ? 60 / (50 + 10 * height) : 1)
        let peak = bursts ? rate * height : rate
        var requests: [Request] = []
        var second = random.exponential(mean: 1 / peak)
        while second < Double(world.duration) {
            let isBurst = bursts && second.truncatingRemainder(dividingBy: 60) >= 50
            if !bursts || isBurst || Double.random(in: 0..<height, using: &random) < 1 {
                let length = min(medianLength * random.logNormal(sigma: 0.7), longest)
                requests.append(Request(arrival: .seconds(second), length: length, patience: patience))
            }
            second += random.exponential(mean: 1 / peak)
        }
        return requests
    }
}
