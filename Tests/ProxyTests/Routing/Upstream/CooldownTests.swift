import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct CooldownTests {
    private func until(_ cooldown: Cooldown, _ now: Duration) -> Duration? { cooldown.until(at: now) }

    @Test func `Lasts as long as the upstream asks`() {
        var cooldown = Cooldown()
        cooldown.begin(retryAfter: .seconds(7), isThrottle: true, of: cooldown.pass, at: .seconds(10), jitter: 0.9)
        #expect(until(cooldown, .seconds(16)) == .seconds(17))
        #expect(until(cooldown, .seconds(17)) == nil)
    }

    @Test func `Doubles up to a minute without a word`() {
        var cooldown = Cooldown()
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<9 {
            cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: now, jitter: 0.5)
            let end = until(cooldown, now) ?? .zero
            pauses.append(end - now)
            now = end
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    }

    @Test(arguments: [(0.0, 750), (0.5, 1000), (0.999, 1249)])
    func `Is spread by jitter`(jitter: Double, milliseconds: Int64) {
        var cooldown = Cooldown()
        cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: .zero, jitter: jitter)
        #expect(until(cooldown, .zero)?.milliseconds == milliseconds)
    }

    @Test func `A volley is one refusal`() {
        var cooldown = Cooldown()
        let pass = cooldown.pass
        for _ in 0..<50 { cooldown.begin(retryAfter: nil, isThrottle: true, of: pass, at: .zero, jitter: 0.5) }
        #expect(until(cooldown, .zero) == .seconds(1))
        cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: .seconds(1), jitter: 0.5)
        #expect(until(cooldown, .seconds(1)) == .seconds(3))
    }

    @Test func `The longest word of a volley counts`() {
        var cooldown = Cooldown()
        let pass = cooldown.pass
        for seconds in [2, 9, 4] {
            cooldown.begin(retryAfter: .seconds(seconds), isThrottle: true, of: pass, at: .zero, jitter: 0)
        }
        #expect(until(cooldown, .zero) == .seconds(9))
    }

    @Test func `A success ends the doubling but not a late one`() {
        var cooldown = Cooldown()
        let early = cooldown.pass
        for _ in 0..<3 { cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: .zero, jitter: 0.5) }
        cooldown.succeeded(early)
        cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: .seconds(10), jitter: 0.5)
        #expect(until(cooldown, .seconds(10)) == .seconds(18))
        cooldown.succeeded(cooldown.pass)
        cooldown.begin(retryAfter: nil, isThrottle: true, of: cooldown.pass, at: .seconds(20), jitter: 0.5)
        #expect(until(cooldown, .seconds(20)) == .seconds(21))
    }

    @Test func `An upstream that answers some of each rush is not left alone for longer`() {
        var cooldown = Cooldown()
        for second in stride(from: 0, to: 100, by: 10) {
            let rush = cooldown.pass
            cooldown.begin(retryAfter: nil, isThrottle: true, of: rush, at: .seconds(second), jitter: 0.5)
            #expect(until(cooldown, .seconds(second)).map { $0 - .seconds(second) <= .seconds(2) } == true)
            cooldown.succeeded(rush)
        }
    }

    @Test func `The operator ends it`() {
        var cooldown = Cooldown()
        cooldown.begin(retryAfter: .seconds(3600), isThrottle: true, of: cooldown.pass, at: .zero, jitter: 0)
        cooldown.reset()
        #expect(until(cooldown, .zero) == nil)
    }
}
