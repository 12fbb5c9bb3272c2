import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct AdaptiveConcurrencyLimitTests {
    /// How many it lets pass at once.
    private func size(_ limit: AdaptiveConcurrencyLimit, at now: Duration) -> Int {
        (0..<1000).first { !limit.hasCapacity(besides: $0, at: now) } ?? 1000
    }

    /// What ten at once say, when the eleventh is refused at time zero.
    private func learnt(retryAfter: Duration? = nil) -> AdaptiveConcurrencyLimit {
        var limit = AdaptiveConcurrencyLimit()
        let verdict = limit.refused(limit.pass(rank: 11), inFlight: 10, retryAfter: retryAfter, at: .zero)
        #expect(verdict == .full)
        return limit
    }

    @Test func `Knows nothing at first`() { #expect(size(AdaptiveConcurrencyLimit(), at: .zero) == 1000) }

    @Test func `A refusal beside others says full`() {
        #expect(size(learnt(), at: .zero) == 10)
        #expect(size(learnt(retryAfter: .seconds(3)), at: .milliseconds(2999)) == 10)
    }

    @Test func `A refusal by itself or of a window says down`() {
        var limit = AdaptiveConcurrencyLimit()
        let alone = limit.refused(limit.pass(rank: 1), inFlight: 0, retryAfter: nil, at: .zero)
        let ofAMinute = limit.refused(limit.pass(rank: 9), inFlight: 8, retryAfter: .seconds(55), at: .zero)
        #expect(alone == .down && ofAMinute == .down && limit.value == nil)
    }

    @Test func `A volley leaves what was kept`() {
        var limit = AdaptiveConcurrencyLimit()
        let passes = (1...40).map { limit.pass(rank: $0) }
        for (place, pass) in passes.dropFirst(10).enumerated() {
            _ = limit.refused(pass, inFlight: 39 - place, retryAfter: nil, at: .zero)
        }
        #expect(size(limit, at: .zero) == 10)
    }

    /// Refusals come in any order: what counts is what goes on.
    @Test func `A refusal of the first is not a limit of one`() {
        var limit = AdaptiveConcurrencyLimit()
        let passes = (1...20).map { limit.pass(rank: $0) }
        for (place, pass) in (passes.prefix(3) + passes.suffix(7)).enumerated() {
            _ = limit.refused(pass, inFlight: 19 - place, retryAfter: nil, at: .zero)
        }
        #expect(size(limit, at: .zero) == 10)
    }

    @Test func `One more is tried after ever longer pauses`() {
        var limit = learnt()
        var tries: [Int] = []
        var second = 0
        for _ in 0..<6 {
            while size(limit, at: .seconds(second)) == 10 { second += 1 }
            #expect(size(limit, at: .seconds(second)) == 11 && limit.isTry(limit.pass(rank: 11)))
            tries.append(second)
            _ = limit.refused(limit.pass(rank: 11), inFlight: 10, retryAfter: nil, at: .seconds(second))
        }
        #expect(zip(tries.dropFirst(), tries).map { $0 - $1 } == [2, 4, 8, 15, 15] && tries[0] == 1)
    }

    @Test func `A try is not made before the upstream wants it`() {
        let limit = learnt(retryAfter: .seconds(4))
        #expect(size(limit, at: .milliseconds(3999)) == 10 && size(limit, at: .seconds(4)) == 11)
        #expect(limit.recheckAt(.zero) == .seconds(4) && limit.recheckAt(.seconds(4)) == nil)
    }

    @Test func `A limit that has risen is found soon`() {
        var limit = learnt()
        var now = Duration.seconds(1)
        var steps = 0
        while limit.value != nil, steps < 20 {
            for rank in 1...size(limit, at: now) { limit.answered(limit.pass(rank: rank), top: 100, at: now) }
            steps += 1
            now += .seconds(1)
        }
        #expect((6...7).contains(steps), "one, two, four, ...: 11, 13, 17, 25, 41, 73, all; \(steps)")
        #expect(size(limit, at: now) == 1000)
    }

    @Test func `A limit that has fallen is followed`() {
        var limit = learnt()
        var refusals = 0
        // It takes four now.
        while size(limit, at: .milliseconds(refusals)) > 4, refusals < 20 {
            let rank = size(limit, at: .milliseconds(refusals))
            _ = limit.refused(limit.pass(rank: rank), inFlight: rank - 1, retryAfter: nil, at: .milliseconds(refusals))
            refusals += 1
        }
        #expect(size(limit, at: .milliseconds(refusals)) == 4 && refusals <= 6)
    }

    @Test func `Answers below it prove nothing`() {
        var limit = learnt()
        for _ in 0..<100 { limit.answered(limit.pass(rank: 10), top: 100, at: .seconds(9)) }
        #expect(limit.value == 10)
    }

    @Test func `What was sent before a refusal proves nothing after it`() {
        var limit = learnt()
        let early = limit.pass(rank: 12)
        _ = limit.refused(limit.pass(rank: 11), inFlight: 10, retryAfter: nil, at: .seconds(1))
        limit.answered(early, top: 100, at: .seconds(2))
        #expect(limit.value == 10)
    }

    @Test func `The operator's limit and word`() {
        var limit = learnt()
        limit.topChanged(to: 20)
        #expect(limit.value == 10)
        limit.topChanged(to: 8)
        #expect(limit.value == nil)
        var other = learnt()
        other.reset()
        #expect(other.value == nil)
    }
}
