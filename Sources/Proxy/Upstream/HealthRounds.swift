import ProxyRouting

/// Health checks for those who ask, where none are made by the clock: one round at a time, at most one in ten seconds.
///
/// What they find is for the one who asks, and not for routing: nobody would ask again in time to find out that an upstream has come
/// back, and a provider without a list of models may serve chats all the same.
actor HealthRounds {
    private static let interval = Duration.seconds(10)

    private let upstreams: [Upstream]
    private let time: TimeSource
    private var last: Duration?
    private var round: Task<[Int: Bool], Never>?
    private var verdicts: [Int: Bool] = [:]

    init(_ upstreams: [Upstream], time: TimeSource) {
        self.upstreams = upstreams
        self.time = time
    }

    /// Who answered well, by place: in the round that is under way, in a new one when that is due, or else in the last. Who leaves
    /// meanwhile does not end it.
    func current() async -> [Int: Bool] {
        if round == nil, last.map({ time.now() - $0 >= Self.interval }) ?? true {
            last = time.now()
            round = Task { [upstreams] in await Self.round(of: upstreams) }
        }
        guard let round else { return verdicts }
        verdicts = await round.value
        self.round = nil
        return verdicts
    }

    private static func round(of upstreams: [Upstream]) async -> [Int: Bool] {
        await withTaskGroup(of: (Int, Bool).self) { group in
            for upstream in upstreams {
                group.addTask { (upstream.index, (try? await upstream.backend.probe(limit: 1))?.probe == .passed) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}
