/// What is known of the models of one upstream, by their ids there. Bounded, since clients name models: what nobody would miss goes first,
/// and an id that the upstream does not know is forgotten with its last request.
///
/// A model is looked up by its id once for each attempt: the slot that it has then is its own until the attempt has ended.
package struct ModelStates: Sendable {
    /// More than any upstream serves.
    package static let capacity = 512

    private var slotOf: [String: Int] = [:]
    /// Slots without a model are among `free`.
    private var models: [String] = []
    private var states: [ModelState] = []
    private var free: [Int] = []

    package init() {}

    package var count: Int { slotOf.count }

    package subscript(model: String) -> ModelState? { slotOf[model].map { states[$0] } }

    /// What is known, in no order.
    package var all: [(model: String, state: ModelState)] { slotOf.map { ($0.key, states[$0.value]) } }

    /// - Returns: nil when nothing is known of the model.
    package func slot(of model: String) -> Int? { slotOf.isEmpty ? nil : slotOf[model] }

    /// What is known of a model that has a slot.
    package subscript(slot slot: Int) -> ModelState {
        _read { yield states[slot] }
        _modify { yield &states[slot] }
    }

    /// Looked at in place: `subscript(slot:)` would copy the state.
    package mutating func availability(inSlot slot: Int, at now: Duration) -> Availability {
        func look(at state: inout ModelState) -> Availability { state.availability(at: now) }
        return look(at: &states[slot])
    }

    /// Likewise.
    package mutating func breakerState(inSlot slot: Int, at now: Duration) -> CircuitBreaker.State {
        func look(at state: inout ModelState) -> CircuitBreaker.State { state.breaker.state(at: now) }
        return look(at: &states[slot])
    }

    /// The slot of a model, a new one if need be.
    package mutating func slot(for model: String, at now: Duration) -> Int {
        if let slot = slotOf[model] { return slot }
        if slotOf.count >= Self.capacity { makeRoom(at: now) }
        let slot: Int
        if let old = free.popLast() {
            slot = old
            (models[slot], states[slot]) = (model, ModelState())
        } else {
            slot = states.count
            models.append(model)
            states.append(ModelState())
        }
        slotOf[model] = slot
        return slot
    }

    /// An attempt has ended: a model that the upstream has never answered for is forgotten.
    package mutating func release(_ slot: Int) {
        if states[slot].isUnknown { forget(slot) }
    }

    package mutating func changeAll(_ body: (inout ModelState) -> Void) {
        for slot in slotOf.values { body(&states[slot]) }
    }

    /// Forgets the one that was used longest ago, among those that nobody would miss, or else among those that nobody uses now.
    private mutating func makeRoom(at now: Duration) {
        let idle = slotOf.values.filter { states[$0].inFlight == 0 }
        let forgettable = idle.filter { states[$0].isForgettable(at: now) }
        let oldest = (forgettable.isEmpty ? idle : forgettable).min { states[$0].lastUsed < states[$1].lastUsed }
        if let oldest { forget(oldest) }
    }

    private mutating func forget(_ slot: Int) {
        slotOf[models[slot]] = nil
        (models[slot], states[slot]) = ("", ModelState())
        free.append(slot)
    }
}
