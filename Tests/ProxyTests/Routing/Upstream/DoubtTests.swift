import Testing

@testable import Proxy
@testable import ProxyRouting

/// What fails in a way that may speak of the upstream, of the model or of the request takes nobody away for whom answers have just come.
@Suite struct DoubtTests {
    private var state = UpstreamState(maxConcurrency: 9, breaker: .init())

    private mutating func end(_ outcome: AttemptOutcome, _ model: String = "m", at now: Duration = .zero) {
        state.end(state.admit(model, at: now), AttemptEnding(outcome), at: now, jitter: 0.5)
    }

    private func rests(_ model: String = "m", at now: Duration = .zero) -> (model: Bool, upstream: Bool) {
        (state.availability(of: model, at: now) != .available, state.availability(at: now) != .available)
    }

    @Test(arguments: [AttemptOutcome.credentialsDoubted, .accountDoubted(retryAfter: nil)])
    mutating func `Who is refused beside answers of the same model speaks for himself`(outcome: AttemptOutcome) {
        for second in 0..<50 {
            end(.succeeded, at: .seconds(second))
            for _ in 0..<10 { end(outcome, at: .seconds(second)) }
        }
        #expect(rests(at: .seconds(50)) == (false, false))
    }

    @Test(arguments: [AttemptOutcome.credentialsDoubted, .accountDoubted(retryAfter: nil), .brokenOff])
    mutating func `Beside answers of other models it is the model`(outcome: AttemptOutcome) {
        // It has been answered, but not lately.
        end(.succeeded)
        for _ in 0..<5 {
            end(.succeeded, "other", at: .seconds(31))
            end(outcome, at: .seconds(31))
        }
        #expect(rests(at: .seconds(31)) == (true, false) && rests("other", at: .seconds(31)) == (false, false))
    }

    /// Made-up names are not kept for that.
    @Test mutating func `A model that was never answered is forgotten`() {
        for number in 0..<50 {
            end(.succeeded, "other")
            end(.credentialsDoubted, "made up \(number)")
        }
        #expect(state.models.count == 1 && rests("other") == (false, false))
    }

    @Test(arguments: [AttemptOutcome.credentialsDoubted, .accountDoubted(retryAfter: nil), .brokenOff])
    mutating func `Answers of long ago vouch for nothing`(outcome: AttemptOutcome) {
        end(.succeeded)
        for _ in 0..<5 { end(outcome, at: .seconds(31)) }
        #expect(rests(at: .seconds(31)).upstream)
    }

    /// However many one client's loop brings between two answers.
    @Test(arguments: [AttemptOutcome.credentialsDoubted, .accountDoubted(retryAfter: nil)])
    mutating func `Many refusals say no more than one`(outcome: AttemptOutcome) {
        end(.succeeded)
        for number in 0..<500 { end(outcome, at: .milliseconds(number * 50)) }
        #expect(rests(at: .seconds(25)) == (false, false))
    }

    @Test mutating func `A stream that its client has left vouches as well`() {
        for (firstEvent, isVouchedFor) in [(Duration.seconds(1), true), (nil, false)] {
            state = UpstreamState(maxConcurrency: 9, breaker: .init())
            state.end(
                state.admit("m", at: .zero), AttemptEnding(.abandoned, error: nil, usage: nil, firstEvent: firstEvent),
                at: .zero, jitter: 0.5)
            for _ in 0..<5 { end(.credentialsDoubted) }
            #expect(rests() == (false, !isVouchedFor))
        }
    }

    @Test mutating func `What is said in plain words needs no evidence`() {
        end(.succeeded)
        for _ in 0..<5 { end(.credentialsRefused) }
        #expect(rests().upstream)
    }

    @Test mutating func `A list of models that fails beside answers takes nobody away`() {
        for second in stride(from: 0, through: 300, by: 30) {
            end(.succeeded, at: .seconds(second))
            state.note(.failed, at: .seconds(second + 5), latency: .zero)
        }
        #expect(state.health.isHealthy && state.health.lastCheck?.passed == false)
        // Nobody asks any more: the checks are all that is known.
        state.note(.failed, at: .seconds(335), latency: .zero)
        state.note(.failed, at: .seconds(365), latency: .zero)
        #expect(!state.health.isHealthy)
    }

    @Test mutating func `Refused credentials count at once whatever has been answered`() {
        end(.succeeded)
        state.note(.credentialsRefused, at: .seconds(1), latency: .zero)
        #expect(!state.health.isHealthy)
    }
}
