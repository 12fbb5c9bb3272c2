/// Which upstreams can take a request for a model now: kept up to date by what happens to each, so that a decision is a few words of bits,
/// however many upstreams there are.
///
/// What rests or is full by itself stands here for all models; what concerns one model stands in a lane of its own, and only while there is
/// something to say.
package struct Readiness: Sendable {
    fileprivate struct Marks {
        var resting = UpstreamSet()
        var full = UpstreamSet()
        /// When time alone may change one of them.
        var recheckAt: Duration?

        var isEmpty: Bool { resting.isEmpty && full.isEmpty }

        mutating func mark(_ index: Int, _ availability: Availability) {
            switch availability {
            case .available:
                resting.remove(index)
                full.remove(index)
            case .full:
                resting.remove(index)
                full.insert(index)
            case .unavailable:
                resting.insert(index)
                full.remove(index)
            }
            if let instant = availability.recheckAt { recheckAt = min(recheckAt ?? instant, instant) }
        }

        mutating func recheck(at now: Duration, _ look: (Int) -> Availability) {
            guard let instant = recheckAt, instant <= now else { return }
            recheckAt = nil
            for index in resting { mark(index, look(index)) }
            for index in full { mark(index, look(index)) }
        }
    }

    fileprivate struct Lane {
        var marks = Marks()
        /// Until when a throttle that several upstreams share is in force for the model.
        var throttles: [(throttle: Int, until: Duration)] = []
    }

    private var own = Marks()
    private var lanes: [String: Lane] = [:]
    /// How many lanes lead to a look at which of them are still needed: no more than models that are known to the upstreams.
    private var laneLimit = 256
    /// By upstream: the same number for the same throttle.
    private var throttles: [Int] = []

    package init() {}

    /// What is left of those that a request accepts.
    package struct Candidates: Sendable {
        /// With a free permit.
        package var open: UpstreamSet
        /// Those that would do if they had a permit free, and the open ones.
        package var inService: UpstreamSet
    }

    /// - Parameter throttles: by upstream, the same number for those that share a throttle.
    package mutating func configure(throttles: [Int]) { self.throttles = throttles }

    /// Takes note of an upstream that may have changed.
    package mutating func update(_ index: Int, _ view: UpstreamView, model: String) {
        own.mark(index, view.own)
        if lanes[model] == nil {
            guard view.model != .available else { return }
        }
        var lane = lanes.removeValue(forKey: model) ?? Lane()
        lane.marks.mark(index, view.model)
        switch view.model {
        case .unavailable(.coolingDown(let until, isThrottle: true)): lane.note(throttles[index], until: until)
        // The newest word of the tenancy.
        case .available: lane.throttles.removeAll { $0.throttle == throttles[index] }
        case .full, .unavailable: break
        }
        if !lane.marks.isEmpty || !lane.throttles.isEmpty { lanes[model] = lane }
    }

    /// Takes note of an upstream of which anything may have changed.
    package mutating func update(_ index: Int, at now: Duration, _ upstreams: some UpstreamTable) {
        own.mark(index, upstreams.view(of: index, model: "", at: now).own)
        for model in Array(lanes.keys) { update(index, upstreams.view(of: index, model: model, at: now), model: model) }
    }

    /// - Parameter accepted: the upstreams that may serve the request.
    package mutating func candidates(
        among accepted: UpstreamSet, for model: String, at now: Duration, _ upstreams: some UpstreamTable
    ) -> Candidates {
        own.recheck(at: now) { upstreams.view(of: $0, model: model, at: now).own }
        var inService = accepted.subtracting(own.resting)
        var open = inService.subtracting(own.full)
        guard !lanes.isEmpty, let index = lanes.index(forKey: model) else {
            return Candidates(open: open, inService: inService)
        }
        lanes.values[index].marks.recheck(at: now) { upstreams.view(of: $0, model: model, at: now).model }
        lanes.values[index].throttles.removeAll { $0.until <= now }
        let lane = lanes.values[index]
        if lane.marks.isEmpty && lane.throttles.isEmpty {
            lanes.remove(at: index)
            return Candidates(open: open, inService: inService)
        }
        inService.subtract(lane.marks.resting)
        open.subtract(lane.marks.resting)
        open.subtract(lane.marks.full)
        if !lane.throttles.isEmpty {
            // Where the tenancy is throttled, the next answer would be the same.
            let others = UpstreamSet(
                open.filter { index in !lane.throttles.contains { $0.throttle == throttles[index] } })
            if !others.isEmpty { open = others }
        }
        return Candidates(open: open, inService: inService)
    }

    /// None of them could take a request for a model, not even with a permit free.
    package func areAllResting(among accepted: UpstreamSet, for model: String) -> Bool {
        var inService = accepted.subtracting(own.resting)
        if let lane = lanes[model] { inService.subtract(lane.marks.resting) }
        return inService.isEmpty
    }

    /// Forgets lanes in which there is nothing to say any more, when there are many. Only a look at the upstreams can tell: who asked last for a
    /// model may have been long ago.
    package mutating func tidy(at now: Duration, _ upstreams: some UpstreamTable) {
        guard lanes.count > laneLimit else { return }
        for model in Array(lanes.keys) {
            guard let lane = lanes[model] else { continue }
            for marked in [lane.marks.resting, lane.marks.full] {
                for index in marked { update(index, upstreams.view(of: index, model: model, at: now), model: model) }
            }
            lanes[model]?.throttles.removeAll { $0.until <= now }
            if let lane = lanes[model], lane.marks.isEmpty, lane.throttles.isEmpty { lanes[model] = nil }
        }
        laneLimit = max(256, 2 * lanes.count)
    }

    /// When time alone may change something for a model.
    package func recheckAt(_ model: String) -> Duration? {
        guard let instant = lanes[model]?.marks.recheckAt else { return own.recheckAt }
        return min(own.recheckAt ?? instant, instant)
    }

}

extension Readiness.Lane {
    fileprivate mutating func note(_ throttle: Int, until: Duration) {
        if let index = throttles.firstIndex(where: { $0.throttle == throttle }) {
            throttles[index].until = max(throttles[index].until, until)
        } else {
            throttles.append((throttle, until))
        }
    }
}
