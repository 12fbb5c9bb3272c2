/// How many answers somebody could give in a run in trouble who knows everything. A fluid, like `Oracle`, in steps of 100 ms.
enum TroubleOracle {
    static let step = Duration.milliseconds(100)

    /// - Parameter requests: in order of arrival; only those that are counted.
    static func answers(to requests: [Request], in world: TroubleWorld) -> Double {
        // With one sick model there is room for all others.
        guard world.sickness == nil, world.uncountedBefore == nil else { return Double(requests.count) }
        let latest = requests.map { $0.arrival + $0.patience - .seconds($0.length * ($0.firstEventAfter ?? 1)) }
        var (next, oldest, answers, now, left) = (0, 0, 0.0, Duration.zero, 0.0)
        while oldest < requests.count {
            while next < requests.count, requests[next].arrival < now + step { next += 1 }
            var room = world.capacity(at: now) * step.inSeconds + left
            while oldest < next, room > 0 || latest[oldest] < now {
                if latest[oldest] >= now {
                    room -= world.size(of: requests[oldest])
                    answers += world.value(of: requests[oldest], from: now)
                }
                oldest += 1
            }
            left = oldest < next ? room : min(room, 0)
            now += step
        }
        return answers
    }
}
