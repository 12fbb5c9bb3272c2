/// How many requests could be completed by somebody who knows everything: what a strategy is measured against.
///
/// A fluid, second by second: what has arrived is served in order, at the capacity that the hidden ceilings, the accounts that are
/// up and the configured limits leave. The oracle never meets a 429 or a dead account, has no bound on its queue and loses a
/// request only when its deadline has passed. So this is an upper bound for any strategy, but for chance: lengths are reckoned
/// at their mean, and a run whose requests happen to be short may pass it by a per cent or two.
enum Oracle {
    /// - Parameter patience: from a request's arrival until it no longer waits.
    static func completions(of requests: [Request], in world: World, patience: Duration) -> Double {
        // Whoever is served at the last moment is still answered.
        let latest = Int(patience.components.seconds) + Int(Request.meanLength.rounded(.up))
        var arrivals = [Double](repeating: 0, count: world.duration)
        for request in requests { arrivals[Int(request.arrival.components.seconds)] += 1 }
        var served = 0.0
        var oldest = 0
        for second in 0..<world.duration + latest {
            var capacity = world.capacity(inSecond: second)
            oldest = max(oldest, second - latest)
            while capacity > 0, oldest <= second, oldest < world.duration {
                let part = min(capacity, arrivals[oldest])
                arrivals[oldest] -= part
                capacity -= part
                served += part
                if arrivals[oldest] > 0 { break }
                if oldest == second { break }
                oldest += 1
            }
        }
        return served
    }
}
