import Testing

@testable import ProxyRouting

/// What an upstream's state hands to the one of the next process, whose clock begins anew.
@Suite struct UpstreamMemoryTests {
    private static let start = Duration.seconds(5000)

    private func state(maxConcurrency: Int = 20) -> UpstreamState {
        UpstreamState(maxConcurrency: maxConcurrency, breaker: CircuitBreaker.Settings())
    }

    private func fail(_ state: inout UpstreamState, _ outcome: AttemptOutcome, _ model: String = "m", at now: Duration)
    {
        state.end(state.admit(model, at: now), AttemptEnding(outcome), at: now, jitter: 0.5)
    }

    private func succeed(_ state: inout UpstreamState, _ model: String = "m", at now: Duration) {
        fail(&state, .succeeded, model, at: now)
    }

    @Test func `What nothing has happened to is not worth remembering`() {
        var state = state()
        #expect(state.memory(at: Self.start).isEmpty)
        succeed(&state, at: Self.start)
        #expect(state.memory(at: Self.start).isEmpty)
    }

    @Test func `A cooldown goes on with what is left of it`() {
        var old = state()
        fail(&old, .rateLimited(retryAfter: 60), at: Self.start)
        let memory = old.memory(at: Self.start + .seconds(20))
        #expect(memory.models["m"]?.rest == .init(left: .seconds(40), isThrottle: true, streak: 1))

        var new = state()
        new.restore(memory, at: .seconds(1))
        #expect(
            new.availability(of: "m", at: .seconds(40))
                == .unavailable(.coolingDown(until: .seconds(41), isThrottle: true)))
        #expect(new.availability(at: .seconds(40)) == .available)
        #expect(new.availability(of: "other", at: .seconds(40)) == .available)
        // Then one finds out, as after any cooldown, and a refusal makes the next one longer.
        #expect(new.availability(of: "m", at: .seconds(42)) == .available)
        _ = new.admit("m", at: .seconds(42))
        guard case .full = new.availability(of: "m", at: .seconds(42)) else {
            Issue.record("they rush in together")
            return
        }
    }

    @Test func `An empty purse is remembered for the upstream as a whole`() {
        var old = state()
        fail(&old, .accountExhausted(retryAfter: 300), at: Self.start)
        var new = state()
        new.restore(old.memory(at: Self.start + .seconds(100)), at: .zero)
        #expect(new.availability(at: .seconds(199)) != .available)
        #expect(new.availability(at: .seconds(201)) == .available)
    }

    @Test func `Nobody is left alone for longer than may be asked for, and a cooldown that is over is none`() {
        var new = state()
        new.restore(
            UpstreamMemory(
                rest: .init(left: .seconds(1_000_000), isThrottle: true, streak: 1_000_000),
                models: ["m": .init(rest: .init(left: .seconds(-5), isThrottle: true, streak: -3))]), at: .zero)
        #expect(new.availability(at: .seconds(599)) != .available)
        #expect(new.availability(at: .seconds(601)) == .available)
        #expect(new.availability(of: "m", at: .zero) == .available)
        fail(&new, .rateLimited(retryAfter: nil), at: .seconds(700))
        #expect(new.availability(of: "m", at: .seconds(775)) == .available)
    }

    @Test func `A learnt limit holds, and is tried again soon`() {
        var old = state()
        let passes = (0..<5).map { _ in old.admit("m", at: Self.start) }
        old.end(passes[4], AttemptEnding(.rateLimited(retryAfter: nil)), at: Self.start, jitter: 0.5)
        let memory = old.memory(at: Self.start)
        #expect(memory.models["m"]?.limit == 4)

        var new = state()
        new.restore(memory, at: .zero)
        for _ in 0..<4 {
            #expect(new.availability(of: "m", at: .zero) == .available)
            _ = new.admit("m", at: .zero)
        }
        #expect(new.availability(of: "m", at: .zero) != .available)
        // One more is tried after the first pause.
        #expect(new.availability(of: "m", at: .seconds(2)) == .available)
    }

    @Test(arguments: [0, -4, 20, 21, .max])
    func `A limit that makes no sense here is not taken over`(limit: Int) {
        var new = state()
        new.restore(UpstreamMemory(models: ["m": .init(limit: limit)]), at: .zero)
        #expect(new.models["m"]?.limit.value == nil)
    }

    @Test func `No more models than an upstream has room for`() {
        var new = state()
        let models = (0..<2000).map { ("model-\($0)", UpstreamMemory.Model(limit: 3)) }
        new.restore(UpstreamMemory(models: Dictionary(uniqueKeysWithValues: models)), at: .zero)
        #expect(new.models.count == ModelStates.capacity)
    }
}
