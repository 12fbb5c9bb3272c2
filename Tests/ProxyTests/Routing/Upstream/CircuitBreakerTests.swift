import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct CircuitBreakerTests {
    private let settings = CircuitBreaker.Settings(
        maxFailures: 3, resetTimeout: .seconds(60), failureRate: 0.5, minRequests: 10)

    /// Opened by failures at time zero.
    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<3 { breaker.record(.failure, of: breaker.admit(at: .zero), by: settings, at: .zero) }
        return breaker
    }

    @Test func `Opens after failures in a row`() {
        var breaker = CircuitBreaker()
        for count in 1...2 {
            breaker.record(.failure, of: breaker.admit(at: .zero), by: settings, at: .zero)
            #expect(breaker.state(at: .zero) == .closed && breaker.consecutiveFailures == count)
        }
        breaker.record(.failure, of: breaker.admit(at: .seconds(1)), by: settings, at: .seconds(1))
        #expect(breaker.state(at: .seconds(1)) == .open)
        #expect(breaker.openedAt == .seconds(1) && breaker.retryAt == .seconds(61))
        #expect(!breaker.admits(at: .seconds(60)))
    }

    @Test func `A success breaks the row`() {
        var breaker = CircuitBreaker()
        for vote in [.failure, .failure, .success, .failure, .failure] as [Attribution.Vote] {
            breaker.record(vote, of: breaker.admit(at: .zero), by: settings, at: .zero)
        }
        #expect(breaker.state(at: .zero) == .closed)
    }

    @Test func `Opens at a share of the last minute`() {
        var breaker = CircuitBreaker()
        for vote in [.success, .success, .failure, .success, .failure, .failure, .success, .failure, .success]
            as [Attribution.Vote]
        {
            breaker.record(vote, of: breaker.admit(at: .seconds(10)), by: settings, at: .seconds(10))
        }
        #expect(breaker.state(at: .seconds(10)) == .closed)
        breaker.record(.failure, of: breaker.admit(at: .seconds(20)), by: settings, at: .seconds(20))
        #expect(breaker.state(at: .seconds(20)) == .open)
    }

    @Test func `Forgets what is older than a minute`() {
        var breaker = CircuitBreaker()
        for vote in [.success, .failure, .success, .failure, .success, .failure, .success, .failure, .success]
            as [Attribution.Vote]
        {
            breaker.record(vote, of: breaker.admit(at: .seconds(10)), by: settings, at: .seconds(10))
        }
        breaker.record(.failure, of: breaker.admit(at: .seconds(70)), by: settings, at: .seconds(70))
        #expect(breaker.state(at: .seconds(70)) == .closed)
        #expect(breaker.window(at: .seconds(70)) == (1, 1))
    }

    @Test func `What speaks for nobody counts for nothing`() {
        var breaker = CircuitBreaker()
        for _ in 0..<2 { breaker.record(.failure, of: breaker.admit(at: .zero), by: settings, at: .zero) }
        for _ in 0..<50 { breaker.record(.neither, of: breaker.admit(at: .zero), by: settings, at: .zero) }
        #expect(breaker.consecutiveFailures == 2 && breaker.window(at: .zero) == (2, 2))
    }

    @Test func `Opens for one probe after the timeout`() {
        var breaker = opened()
        #expect(!breaker.admits(at: .seconds(59)))
        #expect(breaker.admits(at: .seconds(60)) && breaker.state(at: .seconds(60)) == .halfOpen)
        _ = breaker.admit(at: .seconds(60))
        #expect(!breaker.admits(at: .seconds(60)) && !breaker.admits(at: .seconds(600)))
        #expect(breaker.state(at: .seconds(60)) == .halfOpen)
    }

    @Test func `A probe decides`() {
        var breaker = opened()
        breaker.record(.failure, of: breaker.admit(at: .seconds(60)), by: settings, at: .seconds(61))
        #expect(breaker.state(at: .seconds(61)) == .open && breaker.retryAt == .seconds(121))
        breaker.record(.success, of: breaker.admit(at: .seconds(121)), by: settings, at: .seconds(122))
        #expect(
            breaker.state(at: .seconds(122)) == .closed && breaker.consecutiveFailures == 0 && breaker.openedAt == nil)
    }

    @Test func `A probe whose client left gives its place back`() {
        var breaker = opened()
        breaker.record(.neither, of: breaker.admit(at: .seconds(60)), by: settings, at: .seconds(61))
        #expect(breaker.admits(at: .seconds(61)) && breaker.state(at: .seconds(61)) == .halfOpen)
    }

    @Test func `A last resort whose client left leaves it open`() {
        var breaker = opened()
        breaker.record(
            .neither, of: breaker.admit(isLastResort: true, at: .seconds(10)), by: settings, at: .seconds(11))
        #expect(
            !breaker.admits(at: .seconds(11)) && breaker.state(at: .seconds(11)) == .open
                && breaker.retryAt == .seconds(60))
        breaker.record(
            .success, of: breaker.admit(isLastResort: true, at: .seconds(12)), by: settings, at: .seconds(13))
        #expect(breaker.admits(at: .seconds(13)) && breaker.state(at: .seconds(13)) == .closed)
    }

    @Test func `A probe is decided by the beginning of its answer`() {
        var breaker = opened()
        let probe = breaker.begun(breaker.admit(at: .seconds(60)), at: .seconds(61))
        #expect(breaker.state(at: .seconds(61)) == .closed)
        breaker.record(.failure, of: probe, by: settings, at: .seconds(99))
        #expect(breaker.consecutiveFailures == 1, "its end counts like any other")
    }

    @Test func `A failure that has been counted opens nothing but ends a probe`() {
        var breaker = CircuitBreaker()
        for _ in 0..<9 {
            breaker.record(.failure, of: breaker.admit(at: .zero), isRepeated: true, by: settings, at: .zero)
        }
        #expect(breaker.state(at: .zero) == .closed && breaker.consecutiveFailures == 0)
        breaker = opened()
        breaker.record(.failure, of: breaker.admit(at: .seconds(60)), isRepeated: true, by: settings, at: .seconds(61))
        #expect(breaker.state(at: .seconds(61)) == .open && breaker.retryAt == .seconds(121))
    }

    @Test func `Who was admitted before speaks for nothing after`() {
        var breaker = CircuitBreaker()
        let old = breaker.admit(at: .zero)
        for _ in 0..<3 { breaker.record(.failure, of: breaker.admit(at: .zero), by: settings, at: .zero) }
        breaker.record(.success, of: old, by: settings, at: .seconds(1))
        #expect(breaker.state(at: .seconds(1)) == .open)
        let probe = breaker.admit(at: .seconds(60))
        breaker.record(.success, of: old, by: settings, at: .seconds(60))
        breaker.record(.failure, of: old, by: settings, at: .seconds(60))
        breaker.record(.neither, of: old, by: settings, at: .seconds(60))
        #expect(!breaker.admits(at: .seconds(60)), "the probe is still under way")
        breaker.record(.success, of: probe, by: settings, at: .seconds(61))
        for _ in 0..<5 { breaker.record(.failure, of: old, by: settings, at: .seconds(62)) }
        #expect(breaker.state(at: .seconds(62)) == .closed && breaker.consecutiveFailures == 0)
    }

    @Test func `The operator closes it`() {
        var breaker = opened()
        breaker.reset()
        #expect(breaker.admits(at: .zero) && breaker.state(at: .zero) == .closed && breaker.window(at: .zero) == (0, 0))
    }

    /// Whatever happens: never two probes, an open breaker admits nobody before its time, and it always comes back.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `A random walk keeps the promises`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var breaker = CircuitBreaker()
        var now = Duration.zero
        var passes: [(pass: CircuitBreaker.Pass, isProbe: Bool)] = []
        for _ in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...3000, using: &random))
            if Bool.random(using: &random) {
                let state = breaker.state(at: now)
                if let retryAt = breaker.retryAt { #expect(breaker.admits(at: now) == (now >= retryAt)) }
                if breaker.admits(at: now) {
                    #expect(state != .open)
                    passes.append((breaker.admit(at: now), state == .halfOpen))
                    if state == .halfOpen { #expect(!breaker.admits(at: now)) }
                }
            } else if !passes.isEmpty {
                let pass = passes.remove(at: Int.random(in: 0..<passes.count, using: &random)).pass
                breaker.record(
                    [.success, .failure, .failure, .neither].randomElement(using: &random) ?? .neither, of: pass,
                    by: settings, at: now)
            }
            let window = breaker.window(at: now)
            #expect(window.failures <= window.requests && breaker.consecutiveFailures >= 0)
        }
        // With everybody gone, time alone lets somebody in again.
        for pass in passes { breaker.record(.neither, of: pass.pass, by: settings, at: now) }
        #expect(breaker.admits(at: now + .seconds(60)))
    }
}
