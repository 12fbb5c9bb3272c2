import Proxy
import ProxyRouting
import ProxyTestSupport

extension TroubleWorld {
    /// Makes up a world. The same seed makes the same one.
    init(_ trouble: Trouble, random: inout SplitMix64) {
        switch trouble {
        case .overload: self = Self.overload(lengths: 0.4...1.2, isStreaming: false, patience: 60...60, random: &random)
        case .impatient: self = Self.overload(lengths: 0.25...0.4, isStreaming: false, patience: 2...3, random: &random)
        case .streams: self = Self.overload(lengths: 2...5, isStreaming: true, patience: 5...60, random: &random)
        case .oneBadModel: self = Self.oneBadModel(random: &random)
        case .throttle: self = Self.throttle([1], random: &random)
        case .throttleRises: self = Self.throttle([1, 4], random: &random)
        case .throttleFalls: self = Self.throttle([4, 1], random: &random)
        case .restarts: self = Self.restarts(random: &random)
        case .stops: self = Self.stops(random: &random)
        }
    }

    private init(upstreams: [Upstream], models: [String: UpstreamSet]) {
        self.upstreams = upstreams
        self.models = models
        concurrency = upstreams.reduce(0) { $0 + $1.maxConcurrency }
    }

    // MARK: Worlds

    private static func overload(
        lengths: ClosedRange<Double>, isStreaming: Bool, patience: ClosedRange<Double>, random: inout SplitMix64
    ) -> TroubleWorld {
        var world = alike(1...3, permits: 4...12, models: 1...3, random: &random)
        let loads: [Double] = [1, 1.5, 2, 5, 10, 20]
        let kind = Kind(lengths: lengths, isStreaming: isStreaming, patience: patience, random: &random)
        let load = loads.randomElement(using: &random) ?? 1
        world.fill(from: 0, to: 25, load: load, kind, random: &random)
        world.troubles = [.zero..<world.end]
        world.counted = .zero..<world.end
        world.fill(from: 25, to: 35, load: 0.3, kind, random: &random)
        return world
    }

    private static func oneBadModel(random: inout SplitMix64) -> TroubleWorld {
        let upstreams = (0..<Int.random(in: 3...5, using: &random)).map {
            Upstream(maxConcurrency: .random(in: 10...40, using: &random), tenancy: $0)
        }
        var models: [String: UpstreamSet] = [:]
        for number in 0..<40 {
            let places = upstreams.indices.shuffled(using: &random).prefix(
                .random(in: 2...upstreams.count, using: &random))
            models[number == 0 ? sickModel : "well-\(number)"] = UpstreamSet(places)
        }
        var world = TroubleWorld(upstreams: upstreams, models: models)
        world.concurrency = min(world.concurrency, 200)
        world.sickness = [.fails, .hangs, .throttled(retryAfter: 3600)].randomElement(using: &random)
        let kind = Kind(
            lengths: 0.3...1.5, isStreaming: Bool.random(using: &random), patience: 10...60, random: &random)
        world.fill(from: 0, to: 15, load: .random(in: 0.2...0.4, using: &random), kind, random: &random)
        for number in 0..<Int.random(in: 3...20, using: &random) {
            world.requests.append(
                Request(
                    arrival: .seconds(Double.random(in: 0..<3, using: &random)), length: 1, model: sickModel,
                    client: "loop-\(number % 3)",
                    patience: .seconds(60), isRepeated: true))
        }
        return world
    }

    private static func throttle(_ multiples: [Double], random: inout SplitMix64) -> TroubleWorld {
        let permits = Int.random(in: 50...150, using: &random)
        let upstreams = (0..<Int.random(in: 1...2, using: &random)).flatMap { tenancy in
            (0..<Int.random(in: 1...2, using: &random)).map { _ in Upstream(maxConcurrency: permits, tenancy: tenancy) }
        }
        let names = (1...Int.random(in: 1...2, using: &random)).map { "model-\($0)" }
        var world = TroubleWorld(
            upstreams: upstreams,
            models: Dictionary(uniqueKeysWithValues: names.map { ($0, UpstreamSet(first: upstreams.count)) }))
        let kind = Kind(lengths: 0.3...1.2, isStreaming: false, patience: 10...60, random: &random)
        let change = 20
        world.throttle = Throttle(
            ceiling: ceiling(multiples, change: change, random: &random), isByModel: Bool.random(using: &random),
            retryAfter: [1, 5, nil].randomElement(using: &random) ?? nil)
        world.meanLength = kind.length
        // Ten times the least; the risen limit is passed, too.
        let rate =
            10
            * (multiples.count > 1 && multiples[0] > 1
                ? world.capacity(at: .seconds(change)) : world.capacity(at: .zero))
        let end = multiples.count == 1 ? 30.0 : multiples[0] < 1.5 ? Double(change) + 70 : Double(change) + 30
        world.fill(from: 0, to: end, rate: rate, kind, random: &random)
        // Found within a minute.
        world.counted = (multiples.count > 1 && multiples[0] < 1.5 ? .seconds(change + 60) : .zero)..<world.end
        world.troubles = [.zero..<world.end]
        return world
    }

    private static func ceiling(_ multiples: [Double], change: Int, random: inout SplitMix64) -> Ceiling {
        let isInFlight = Bool.random(using: &random)
        let base =
            isInFlight ? Double(Int.random(in: 6...12, using: &random)) : Double.random(in: 5...20, using: &random)
        return Ceiling(
            measure: isInFlight ? .inFlight : .perSecond,
            steps: multiples.enumerated().map { Ceiling.Step(from: $0 * change, value: base * $1) })
    }

    private static func restarts(random: inout SplitMix64) -> TroubleWorld {
        var world = alike(1...4, permits: 6...30, models: 1...2, random: &random)
        let away = Duration.seconds(3)
        let together = [20.0, 60.0].map { Duration.seconds($0 + .random(in: 0...20, using: &random)) }
        for index in world.upstreams.indices {
            var second = Double.random(in: 5...25, using: &random)
            while second < 100 {
                world.upstreams[index].absences.append(.seconds(second)..<Duration.seconds(second) + away)
                second += Double.random(in: 20...60, using: &random)
            }
            world.upstreams[index].absences += together.map { $0..<$0 + away }
        }
        world.absence =
            [.refuses, .unavailable(retryAfter: nil), .unavailable(retryAfter: 1)].randomElement(using: &random)
            ?? .refuses
        world.breaksWhatRuns = Bool.random(using: &random)
        let isStreaming = Bool.random(using: &random)
        let kind = Kind(
            lengths: isStreaming ? 5...20 : 0.5...2, isStreaming: isStreaming, patience: 10...60, random: &random)
        world.fill(from: 0, to: 100, load: .random(in: 0.2...0.4, using: &random), kind, random: &random)
        world.troubles = world.timesWithoutAny
        // Who waits, or runs and breaks, when all go away has nowhere to go for as long as they are away.
        world.uncountedBefore = world.breaksWhatRuns ? .seconds(8) : .seconds(1)
        return world
    }

    private static func stops(random: inout SplitMix64) -> TroubleWorld {
        var world = alike(1...3, permits: 4...16, models: 1...2, random: &random)
        let isStreaming = Bool.random(using: &random)
        let kind = Kind(
            lengths: isStreaming ? 2...8 : 0.25...1, isStreaming: isStreaming,
            patience: Bool.random(using: &random) ? 60...60 : 5...8, random: &random)
        world.fill(from: 0, to: 60, load: .random(in: 0.3...0.6, using: &random), kind, random: &random)
        world.stops = [10, 35].map { .seconds($0)..<Duration.seconds($0 + 3) }
        world.troubles = world.stops
        // Who has waited for an answer since before cannot be helped.
        world.uncountedBefore = .seconds(60)
        return world
    }

    // MARK: Parts

    /// Upstreams that all serve all models.
    private static func alike(
        _ count: ClosedRange<Int>, permits: ClosedRange<Int>, models: ClosedRange<Int>, random: inout SplitMix64
    ) -> TroubleWorld {
        let upstreams = (0..<Int.random(in: count, using: &random)).map {
            Upstream(maxConcurrency: .random(in: permits, using: &random), tenancy: $0)
        }
        let names = (1...Int.random(in: models, using: &random)).map { "model-\($0)" }
        return TroubleWorld(
            upstreams: upstreams,
            models: Dictionary(uniqueKeysWithValues: names.map { ($0, UpstreamSet(first: upstreams.count)) }))
    }

    /// What the requests of a run have in common.
    private struct Kind {
        /// In seconds; lengths scatter around it.
        let length: Double
        let sigma: Double
        let patience: Duration
        let firstEventAfter: Double?
        let clients: Int

        init(lengths: ClosedRange<Double>, isStreaming: Bool, patience: ClosedRange<Double>, random: inout SplitMix64) {
            length = .random(in: lengths, using: &random)
            sigma = [0.05, 0.2, 0.5].randomElement(using: &random) ?? 0.2
            self.patience = .seconds(Double.random(in: patience, using: &random))
            firstEventAfter = isStreaming ? Double.random(in: 0.03...0.2, using: &random) : nil
            clients = .random(in: 1...8, using: &random)
        }
    }

    /// - Parameter load: 1 is all that could be answered.
    private mutating func fill(from start: Double, to end: Double, load: Double, _ kind: Kind, random: inout SplitMix64)
    {
        meanLength = kind.length
        let permits = upstreams.reduce(0) { $0 + $1.maxConcurrency }
        fill(from: start, to: end, rate: load * Double(permits) / kind.length, kind, random: &random)
    }

    /// Adds requests for all models that are well, so many a second.
    private mutating func fill(from start: Double, to end: Double, rate: Double, _ kind: Kind, random: inout SplitMix64)
    {
        let names = models.keys.filter { $0 != Self.sickModel }.sorted()
        var second = start + random.exponential(mean: 1 / rate)
        while second < end {
            // Of a mean of 1, and no longer than four times that.
            let length =
                kind.length * min(random.logNormal(sigma: kind.sigma), 4) * (1 - kind.sigma * kind.sigma * 0.45)
            requests.append(
                Request(
                    arrival: .seconds(second), length: length, model: names.randomElement(using: &random) ?? "",
                    client: "client-\(Int.random(in: 0..<kind.clients, using: &random))", patience: kind.patience,
                    firstEventAfter: kind.firstEventAfter))
            second += random.exponential(mean: 1 / rate)
        }
        self.end = .seconds(end)
        meanLength = requests.isEmpty ? kind.length : requests.reduce(0) { $0 + $1.length } / Double(requests.count)
    }

    /// When all upstreams are away, in order.
    private var timesWithoutAny: [Range<Duration>] {
        let common = upstreams.dropFirst().reduce(upstreams[0].absences) { common, upstream in
            common.flatMap { one in upstream.absences.compactMap { $0.overlaps(one) ? $0.clamped(to: one) : nil } }
        }
        return common.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { merged, next in
            guard let last = merged.last, next.lowerBound <= last.upperBound else { return merged.append(next) }
            merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, next.upperBound)
        }
    }
}
