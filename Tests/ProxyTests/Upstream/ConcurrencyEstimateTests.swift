import Testing

@testable import Proxy

@Suite struct ConcurrencyEstimateTests {
    private func size(_ estimate: ConcurrencyEstimate) -> Int { (0..<1000).first { !estimate.hasRoom(besides: $0) } ?? 1000 }

    @Test func knowsNothingAtFirst() {
        #expect(size(ConcurrencyEstimate(limit: 50)) == 50)
    }

    @Test func aNewLimitCountsWhereNothingWasLearnt() {
        var estimate = ConcurrencyEstimate(limit: 50)
        estimate.limitChanged(from: 50, to: 80)
        #expect(size(estimate) == 80)
        estimate.limitChanged(from: 80, to: 20)
        #expect(size(estimate) == 20)
        estimate.throttled(inFlight: 12, isNew: true)
        estimate.limitChanged(from: 20, to: 100)
        #expect(size(estimate) == 12, "what was learnt stays")
        estimate.limitChanged(from: 100, to: 5)
        #expect(size(estimate) == 5)
    }

    @Test func aVolleyBringsItDownToWhatWasKept() {
        var estimate = ConcurrencyEstimate(limit: 50)
        for left in stride(from: 49, through: 30, by: -1) { estimate.throttled(inFlight: left, isNew: left == 49) }
        #expect(size(estimate) == 30)
    }

    @Test func oneVolleyTakesHalfAtMost() {
        var estimate = ConcurrencyEstimate(limit: 48)
        for expected in [24, 12, 6, 3, 1, 1] {
            for left in stride(from: 47, through: 0, by: -1) { estimate.throttled(inFlight: left, isNew: left == 47) }
            #expect(size(estimate) == expected)
        }
    }

    @Test func growsByOneForARoundOfAnswersAndNoFurtherThanTheLimit() {
        var estimate = ConcurrencyEstimate(limit: 8)
        estimate.throttled(inFlight: 0, isNew: true)
        #expect(size(estimate) == 4)
        for _ in 0..<5 { estimate.succeeded(inFlight: 4, limit: 8) }
        #expect(size(estimate) == 5)
        for _ in 0..<100 { estimate.succeeded(inFlight: size(estimate), limit: 8) }
        #expect(size(estimate) == 8)
    }

    @Test func anIdleUpstreamProvesNothing() {
        var estimate = ConcurrencyEstimate(limit: 8)
        estimate.throttled(inFlight: 0, isNew: true)
        for _ in 0..<100 { estimate.succeeded(inFlight: 1, limit: 8) }
        #expect(size(estimate) == 4)
    }

    /// The whole of it: a line at an upstream that takes fewer than the operator thinks.
    @Test func aFullUpstreamIsFoundOut() {
        var state = UpstreamState(maxConcurrency: 40, breaker: .init())
        var now = Duration.zero
        var refusals: [Int] = []
        for _ in 0..<12 {
            var passes: [UpstreamState.Pass] = []
            while state.standing(at: now) == .ready { passes.append(state.admit(at: now)) }
            for pass in passes.dropFirst(10) { state.end(pass, AttemptEnding(.rateLimited(retryAfter: nil)), at: now, jitter: 0.5) }
            for pass in passes.prefix(10) { state.end(pass, AttemptEnding(.succeeded), at: now, jitter: 0.5) }
            refusals.append(max(passes.count - 10, 0))
            now += .seconds(5)
        }
        #expect(refusals[0] == 30)
        #expect(refusals.dropFirst(3).allSatisfy { $0 <= 1 }, "\(refusals)")
    }
}
