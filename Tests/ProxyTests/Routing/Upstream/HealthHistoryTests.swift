import ProxyTestSupport
import Testing

@testable import ProxyRouting

@Suite struct HealthHistoryTests {
    private func minutes(_ count: Double) -> Duration { .seconds(count * 60) }

    private func letters(_ history: HealthHistory, _ count: Int, since began: Duration = .zero, at now: Duration)
        -> String
    {
        String(
            history.strip(minutes: count, since: began, at: now).map { state -> Character in
                switch state {
                case .none: "."
                case .ready: "r"
                case .cooling: "c"
                case .open: "o"
                case .unhealthy: "u"
                }
            })
    }

    @Test func `A spell fills the minutes that it touches`() {
        var history = HealthHistory()
        history.note(.open, at: minutes(2.5))
        history.note(.ready, at: minutes(4.5))
        #expect(letters(history, 10, at: minutes(10)) == "rrooorrrrr")
    }

    @Test func `What ends on the minute does not touch the next`() {
        var history = HealthHistory()
        history.note(.unhealthy, at: minutes(2))
        history.note(.ready, at: minutes(4))
        #expect(letters(history, 6, at: minutes(6)) == "rruurr")
    }

    @Test func `A cooldown ends by itself`() {
        var history = HealthHistory()
        history.note(.cooling, until: minutes(3), at: minutes(1))
        #expect(history.isOpen(at: minutes(2)) && !history.isOpen(at: minutes(3)))
        #expect(letters(history, 5, at: minutes(5)) == "rccrr")
        history.note(.cooling, until: minutes(9), at: minutes(8))
        #expect(letters(history, 10, at: minutes(10)) == "rccrrrrrcr")
    }

    @Test func `Before the upstream was there nothing is known`() {
        #expect(letters(HealthHistory(), 5, since: minutes(2.5), at: minutes(5)) == "..rrr")
    }

    @Test func `The worst of a minute is shown, and one state follows another`() {
        var history = HealthHistory()
        history.note(.cooling, until: minutes(8), at: minutes(1.2))
        history.note(.open, at: minutes(1.8))
        history.note(.unhealthy, at: minutes(3.1))
        history.note(.open, at: minutes(4.5))
        #expect(letters(history, 6, at: minutes(6)) == "roouuo")
    }

    /// Against a state that is written down each second.
    @Test(arguments: 0..<50) func `A strip says what a look each second has seen`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var history = HealthHistory()
        let length = 20 * 60
        var seen: [HealthHistory.State] = []
        var (state, until) = (HealthHistory.State.ready, nil as Int?)
        for second in 0..<length {
            if let end = until, end <= second { (state, until) = (.ready, nil) }
            if Int.random(in: 0..<60, using: &random) == 0 {
                state = [.ready, .cooling, .open, .unhealthy].randomElement(using: &random)!
                until = state == .cooling ? second + Int.random(in: 1..<200, using: &random) : nil
                history.note(state, until: until.map { .seconds($0) }, at: .seconds(second))
            }
            seen.append(state)
        }
        let strip = history.strip(minutes: 20, since: .seconds(-1), at: .seconds(length))
        for minute in 0..<20 {
            let worst = seen[minute * 60..<minute * 60 + 60].max()
            #expect(strip[minute] == worst, "minute \(minute)")
        }
    }

    @Test func `An upstream that changes all the time takes no more than so much`() {
        var history = HealthHistory()
        for second in 0..<100_000 { history.note(second % 2 == 0 ? .open : .ready, at: .seconds(second)) }
        #expect(letters(history, 60, at: .seconds(100_000)).allSatisfy { $0 == "o" })
    }

    // MARK: In the state of an upstream

    @Test func `Breakers, cooldowns and health checks are remembered, and their ends`() {
        var state = UpstreamState(maxConcurrency: 9, breaker: .init(maxFailures: 2, resetTimeout: .seconds(60)))
        func fail(_ outcome: AttemptOutcome, at now: Duration) {
            let pass = state.admit("m", at: now)
            state.end(
                pass,
                AttemptEnding(
                    outcome, error: Failure(.failed(.serverError), "x"), usage: nil, firstEvent: nil), at: now,
                jitter: 0.5)
        }
        fail(.rateLimited(retryAfter: 90), at: minutes(1))
        state.note(.failed, at: minutes(5), latency: .zero)
        state.note(.failed, at: minutes(6), latency: .zero)
        state.note(.passed, at: minutes(8), latency: .zero)
        #expect(letters(state.history, 12, at: minutes(12)) == "rccrrruurrrr")
        fail(.failed, at: minutes(12.2))
        fail(.failed, at: minutes(12.3))
        let pass = state.admit("m", at: minutes(14.1))
        state.end(pass, AttemptEnding(.succeeded), at: minutes(14.2), jitter: 0.5)
        #expect(letters(state.history, 18, at: minutes(18)).suffix(7) == "rooorrr".suffix(7))
        state.reset(at: minutes(18))
    }

    @Test func `The pace of answers is that of the last ones`() {
        var pace = OutputPace()
        #expect(pace.tokensPerSecond == nil)
        pace.add(tokens: 1, in: .seconds(1))
        pace.add(tokens: 50, in: .zero)
        #expect(pace.tokensPerSecond == nil, "what comes in one piece says nothing")
        for _ in 0..<50 { pace.add(tokens: 100, in: .seconds(2)) }
        #expect(abs(pace.tokensPerSecond! - 50) < 0.001)
        for _ in 0..<100 { pace.add(tokens: 100, in: .seconds(10)) }
        #expect(abs(pace.tokensPerSecond! - 10) < 1)
    }
}
