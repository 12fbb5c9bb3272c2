/// What instances over the same upstreams tell each other. Nobody is told that something is well.
extension UpstreamState {
    /// Another instance was asked to leave the upstream, or a model of it, alone: that is meant for all.
    ///
    /// - Parameter model: nil: the upstream as a whole.
    /// - Returns: whether it is news here; so do those below.
    package mutating func hear(_ rest: UpstreamMemory.Rest, of model: String?, at now: Duration) -> Bool {
        guard let model else {
            guard cooldown.until(at: now) ?? .zero < now + rest.left else { return false }
            cooldown.restore(rest, at: now)
            noteHistory(at: now)
            return true
        }
        let slot = models.slot(for: model, at: now)
        guard models[slot: slot].cooldown.until(at: now) ?? .zero < now + rest.left else { return false }
        models[slot: slot].restore(UpstreamMemory.Model(rest: rest, limit: nil), top: permits.limit, at: now)
        return true
    }

    /// The breaker of another instance has opened. That may be of its own making: who has just been answered does not mind, and for whom else
    /// one request finds out.
    ///
    /// - Parameter model: nil: the upstream as a whole.
    package mutating func hearOfFailure(of model: String?, at now: Duration) -> Bool {
        guard let model else {
            guard !success.vouches(at: now), breaker.doubt(at: now) else { return false }
            noteHistory(at: now)
            return true
        }
        // Nothing is known of it: its first request finds out anyway.
        guard let slot = models.slot(of: model) else { return false }
        return models[slot: slot].doubt(at: now)
    }

    /// How many requests of a model the upstream takes at once from all instances, as far as this one knows: as its share of the upstream is
    /// to the whole, so is its part of the model. Nil when nothing was learnt here.
    package func limitOfAll(of model: String, at now: Duration) -> Int? {
        guard let own = models[model]?.limit.value else { return nil }
        guard let share = shared?.permits(at: now), share > 0, share < permits.limit else { return own }
        return min(permits.limit, (own * permits.limit + share - 1) / share)
    }

    /// Another instance has found out how many requests of a model the upstream takes at once from all of them. This one begins with its part,
    /// and goes on to learn.
    package mutating func hear(limitOfAll limit: Int, of model: String, at now: Duration) -> Bool {
        let share = shared?.permits(at: now) ?? permits.limit
        let part = max(1, permits.limit > 0 ? limit * min(share, permits.limit) / permits.limit : 1)
        return models[slot: models.slot(for: model, at: now)].hear(limit: part, top: permits.limit, at: now)
    }
}
