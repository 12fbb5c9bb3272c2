/// What is known of the models of one upstream, by their ids there. Bounded, since clients name models: what nobody would miss goes first,
/// and an id that the upstream does not know is forgotten with its last request.
package struct ModelStates: Sendable {
    /// More than any upstream serves.
    package static let capacity = 512

    private var states: [String: ModelState] = [:]

    package init() {}

    package var count: Int { states.count }

    package subscript(model: String) -> ModelState? { states[model] }

    /// What is known, in no order.
    package var all: some Sequence<(key: String, value: ModelState)> { states }

    package mutating func admit(_ model: String, isLastResort: Bool, at now: Duration) -> ModelState.Pass {
        if states[model] == nil, states.count >= Self.capacity { makeRoom(at: now) }
        return states[model, default: ModelState()].admit(isLastResort: isLastResort, at: now)
    }

    /// Of a model that has been admitted.
    package mutating func change<Result>(_ model: String, _ body: (inout ModelState) -> Result) -> Result? {
        guard let index = states.index(forKey: model) else { return nil }
        let result = body(&states.values[index])
        if states.values[index].isUnknown { states.remove(at: index) }
        return result
    }

    package mutating func changeAll(_ body: (inout ModelState) -> Void) {
        for index in states.indices { body(&states.values[index]) }
    }

    /// Forgets the one that was used longest ago, among those that nobody would miss, or else among those that nobody uses now.
    private mutating func makeRoom(at now: Duration) {
        let idle = states.filter { $0.value.inFlight == 0 }
        let forgettable = idle.filter { $0.value.isForgettable(at: now) }
        let oldest = (forgettable.isEmpty ? idle : forgettable).min { $0.value.lastUsed < $1.value.lastUsed }
        if let oldest { states[oldest.key] = nil }
    }
}
