import Testing

@testable import Proxy
@testable import ProxyRouting

/// Whom a result speaks against: one row a kind of result (docs/routing.md has the same table).
@Suite struct AttributionTests {
    private typealias Row = (
        outcome: AttemptOutcome, model: Attribution.Vote, upstream: Attribution.Vote, rest: Attribution.Rest?,
        next: Attribution.Next
    )

    private static let table: [Row] = [
        (.succeeded, .success, .success, nil, .backToClient),
        (.abandoned, .neither, .neither, nil, .backToClient),
        (.interrupted, .neither, .neither, nil, .anyCandidate),
        (.refused, .neither, .neither, nil, .backToClient),
        (.promptTooLong, .neither, .neither, nil, .backToClient),
        (.modelNotAllowed, .neither, .neither, nil, .otherCandidates),
        (.modelUnavailable, .neither, .neither, nil, .otherCandidates),
        (.failed, .failure, .success, nil, .anyCandidate),
        (.unavailable(retryAfter: nil), .failure, .success, nil, .anyCandidate),
        (.unavailable(retryAfter: 7), .failure, .success, .model(retryAfter: 7, isThrottle: false), .anyCandidate),
        (.timedOut, .failure, .neither, nil, .otherCandidates),
        (.outOfTime, .failure, .neither, nil, .otherCandidates),
        (.rateLimited(retryAfter: nil), .neither, .neither, .model(retryAfter: nil, isThrottle: true), .anyCandidate),
        (.rateLimited(retryAfter: 7), .neither, .neither, .model(retryAfter: 7, isThrottle: true), .anyCandidate),
        (.unreachable, .neither, .failure, nil, .anyCandidate),
        (.connectTimedOut, .neither, .failure, nil, .otherCandidates),
        (.credentialsRefused, .neither, .failure, nil, .otherCandidates),
        (.accountExhausted(retryAfter: 7), .neither, .neither, .upstream(retryAfter: 7), .otherCandidates),
        // As long as nothing else is known.
        (.brokenOff, .neither, .failure, nil, .anyCandidate),
        (.credentialsDoubted, .neither, .failure, nil, .otherCandidates),
        (.accountDoubted(retryAfter: 7), .neither, .neither, .upstream(retryAfter: 7), .otherCandidates),
    ]

    @Test func `What may speak of several goes by what else is known`() {
        let rows: [(outcome: AttemptOutcome, others: Attribution.Vote, same: Attribution.Vote)] = [
            (.brokenOff, .failure, .failure), (.credentialsDoubted, .failure, .neither),
            (.accountDoubted(retryAfter: 7), .failure, .neither),
        ]
        for row in rows {
            for (evidence, vote) in [(Attribution.Evidence.ofOtherModels, row.others), (.ofThisModel, row.same)] {
                let attribution = Attribution(row.outcome, evidence: evidence)
                #expect(
                    attribution.model == vote && attribution.upstream == .neither && attribution.rest == nil,
                    "\(row.outcome) \(evidence)")
                #expect(attribution.next == Attribution(row.outcome).next)
            }
        }
        for row in Self.table where !row.outcome.isDoubtful {
            for evidence in Attribution.Evidence.allCases {
                #expect(Attribution(row.outcome, evidence: evidence) == Attribution(row.outcome), "\(row.outcome)")
            }
        }
    }

    @Test func `Each kind speaks against what it is about`() {
        for row in Self.table {
            let attribution = Attribution(row.outcome)
            #expect(
                attribution.model == row.model && attribution.upstream == row.upstream && attribution.rest == row.rest
                    && attribution.next == row.next,
                "\(row.outcome)")
            #expect(
                row.outcome.mayMoveOn == (row.next != .backToClient)
                    && row.outcome.mayRepeat == (row.next == .anyCandidate), "\(row.outcome)")
        }
    }

    @Test func `Time that was spent in the queue speaks against nobody`() {
        let attribution = Attribution(.outOfTime, hadUsualTime: false)
        #expect(attribution.model == .neither && attribution.upstream == .neither && attribution.rest == nil)
        #expect(
            Attribution(.timedOut, hadUsualTime: false).model == .failure,
            "a limit of the attempt's own is its full share")
    }

    // MARK: The same, seen from the state

    private func ended(_ outcome: AttemptOutcome, times: Int = 5, first: String = "bad") -> UpstreamState {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for _ in 0..<times { state.end(state.admit(first, at: .zero), AttemptEnding(outcome), at: .zero, jitter: 0.5) }
        return state
    }

    @Test(arguments: [AttemptOutcome.failed, .unavailable(retryAfter: nil), .timedOut])
    func `Five failures of one model leave the others alone`(outcome: AttemptOutcome) {
        let state = ended(outcome)
        #expect(state.availability(of: "bad", at: .zero) == .unavailable(.breakerOpen(until: .seconds(60))))
        #expect(state.availability(of: "good", at: .zero) == .available && state.availability(at: .zero) == .available)
    }

    @Test func `A daily limit of one model rests that model for ten minutes`() {
        let state = ended(.rateLimited(retryAfter: 86_400), times: 1)
        #expect(
            state.availability(of: "bad", at: .zero)
                == .unavailable(.coolingDown(until: .seconds(600), isThrottle: true)))
        #expect(state.availability(of: "good", at: .zero) == .available && state.availability(at: .zero) == .available)
    }

    @Test(arguments: [
        AttemptOutcome.unreachable, .connectTimedOut, .credentialsRefused, .brokenOff, .credentialsDoubted,
    ])
    func `The way to the upstream is the upstreams`(outcome: AttemptOutcome) {
        let state = ended(outcome)
        #expect(state.availability(at: .zero) == .unavailable(.breakerOpen(until: .seconds(60))))
    }

    @Test func `An empty purse rests all models`() {
        let state = ended(.accountExhausted(retryAfter: nil), times: 1)
        #expect(state.availability(at: .zero) == .unavailable(.coolingDown(until: .seconds(60), isThrottle: true)))
        #expect(
            ended(.accountExhausted(retryAfter: 7), times: 1).availability(at: .zero)
                == .unavailable(.coolingDown(until: .seconds(7), isThrottle: true)))
    }

    @Test(arguments: [AttemptOutcome.refused, .modelNotAllowed, .modelUnavailable, .promptTooLong, .abandoned])
    func `The request alone is nobody's fault`(outcome: AttemptOutcome) {
        let state = ended(outcome, times: 50)
        #expect(state.availability(at: .zero) == .available && state.availability(of: "bad", at: .zero) == .available)
    }

    @Test func `An attempt without its share of time is nobody's fault`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        func end(after time: Duration, allowance: Duration = .seconds(2), _ outcome: AttemptOutcome = .outOfTime) {
            var ending = AttemptEnding(outcome)
            ending.allowance = allowance
            state.end(state.admit("m", at: .zero), ending, at: time, jitter: 0)
        }
        // Nothing is known: half of the request's time is what an answer may take.
        for _ in 0..<10 { end(after: .milliseconds(900)) }
        #expect(state.availability(of: "m", at: .seconds(1)) == .available)
        // Now it is: 250 ms.
        for _ in 0..<10 { end(after: .milliseconds(250), .succeeded) }
        for _ in 0..<10 { end(after: .milliseconds(150)) }
        #expect(
            state.availability(of: "m", at: .seconds(1)) == .available
                && state.models["m"]?.breaker.consecutiveFailures == 0)
        for _ in 0..<10 { end(after: .milliseconds(499)) }
        #expect(
            state.models["m"]?.breaker.consecutiveFailures == 0,
            "one in ten answers takes longer than the usual time, and is no failure")
        for _ in 0..<5 { end(after: .milliseconds(500)) }
        #expect(
            state.availability(of: "m", at: .milliseconds(500))
                == .unavailable(.breakerOpen(until: .milliseconds(60_500))))
    }

    @Test func `The attempts of one request count once`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init())
        for attempt in 0..<20 {
            var ending = AttemptEnding(.failed)
            ending.isCounted.model = attempt % 4 > 0
            state.end(state.admit("m", at: .zero), ending, at: .zero, jitter: 0)
            #expect((state.availability(of: "m", at: .zero) == .available) == (attempt < 16), "\(attempt)")
            if attempt == 16 { break }
        }
    }
}
