import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct ModelStatesTests {
    private func end(_ state: inout UpstreamState, _ model: String, _ outcome: AttemptOutcome, at now: Duration = .zero)
    {
        state.end(state.admit(model, at: now), AttemptEnding(outcome), at: now, jitter: 0.5)
    }

    @Test(arguments: [AttemptOutcome.modelUnavailable, .modelNotAllowed, .refused, .abandoned])
    func `Made-up names are forgotten with their request`(outcome: AttemptOutcome) {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for number in 0..<5000 { end(&state, "made-up-\(number)", outcome) }
        #expect(state.models.count == 0)
    }

    @Test(arguments: [AttemptOutcome.succeeded, .failed, .timedOut, .rateLimited(retryAfter: nil)])
    func `Many names take bounded room`(outcome: AttemptOutcome) {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for number in 0..<2000 { end(&state, "m\(number)", outcome, at: .milliseconds(number)) }
        #expect(state.models.count == ModelStates.capacity)
    }

    @Test func `What rests is kept before what is well`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        end(&state, "resting", .rateLimited(retryAfter: 600))
        for number in 0..<2000 { end(&state, "m\(number)", .succeeded, at: .milliseconds(number)) }
        #expect(
            state.availability(of: "resting", at: .seconds(3))
                == .unavailable(.coolingDown(until: .seconds(600), isThrottle: true)))
    }

    @Test func `Who is in flight is not forgotten`() {
        var state = UpstreamState(maxConcurrency: 2000, breaker: .init())
        let passes = (0..<1000).map { state.admit("m\($0)", at: .milliseconds($0)) }
        #expect(state.models.count == 1000)
        for pass in passes { state.end(pass, AttemptEnding(.succeeded), at: .seconds(2), jitter: 0) }
        #expect(state.permits.inUse == 0 && state.statistics.succeeded == 1000)
    }

    // MARK: For people

    @Test func `An upstream whose every model rests is shown so`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        end(&state, "good", .succeeded)
        for _ in 0..<5 { end(&state, "bad", .failed, at: .seconds(30)) }
        #expect(state.condition(at: .seconds(31)).breaker == .closed, "the other one has answered in the last minute")
        let condition = state.condition(at: .seconds(61))
        #expect(condition.breaker == .open && condition.openedAt == .seconds(30) && condition.retryAt == .seconds(90))
        #expect(condition.consecutiveFailures == 5 && condition.window == (5, 5))
        #expect(state.unwell(at: .seconds(61)).map(\.model) == ["bad"])
        #expect(state.condition(at: .seconds(90)).breaker == .halfOpen)
    }

    @Test func `The worst twenty are shown`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for number in 0..<30 {
            for _ in 0..<(number < 15 ? 5 : 1) { end(&state, "m\(number)", .failed) }
        }
        end(&state, "cooling", .rateLimited(retryAfter: 9))
        let shown = state.unwell(at: .zero)
        #expect(
            shown.count == 20 && shown.prefix(15).allSatisfy { $0.breaker == .open } && shown[15].model == "cooling")
    }

    @Test func `The operator mends one model or all`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for model in ["a", "b"] { end(&state, model, .rateLimited(retryAfter: 60)) }
        state.reset("a", at: .zero)
        #expect(
            state.availability(of: "a", at: .zero) == .available && state.availability(of: "b", at: .zero) != .available
        )
        state.reset(at: .zero)
        #expect(state.availability(of: "b", at: .zero) == .available)
    }

    @Test func `A health check that succeeds lets a probe through`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for _ in 0..<5 { end(&state, "m", .failed) }
        for _ in 0..<5 { end(&state, "m2", .unreachable) }
        state.note(.passed, at: .seconds(10), latency: .zero)
        #expect(
            state.availability(at: .seconds(10)) == .available
                && state.availability(of: "m", at: .seconds(10)) == .available)
        let probe = state.admit("m", at: .seconds(10))
        #expect(
            state.availability(of: "m", at: .seconds(10)) == .unavailable(.probing(until: .seconds(15))),
            "one at a time")
        state.end(probe, AttemptEnding(.succeeded), at: .seconds(11), jitter: 0)
        #expect(
            state.availability(of: "m", at: .seconds(11)) == .available
                && state.availability(at: .seconds(11)) == .available)
    }
}
