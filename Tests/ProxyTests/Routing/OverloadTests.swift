import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What SPEC's 4.1b to 4.2 promise, at the core: admission that knows time, last resorts, coming back, bulkheads.
@Suite struct OverloadTests {
    /// A core over plain values, in which time is a number and each admission is an entry in a list.
    private struct Bench {
        var core: RoutingCore
        var upstreams: PlainUpstreams
        var permits: [UInt64: RoutingCore.Permit] = [:]
        var refused: [UInt64: RouteRefusal] = [:]
        private var number: UInt64 = 0

        init(_ limits: [Int], global: Int = 1000, queue: Int = 2000, breaker: CircuitBreaker.Settings = .init()) {
            upstreams = PlainUpstreams(
                limits.enumerated().map { PlainUpstreams.Member(maxConcurrency: $1, throttle: $0, breaker: breaker) })
            core = RoutingCore(
                limits: .init(concurrency: global, queue: queue), strategy: RoundRobin(), members: upstreams.coreMembers
            )
        }

        @discardableResult
        mutating func arrive(
            _ model: String = "m", _ accepts: [Int]? = nil, at now: Duration,
            within allowance: Duration = .seconds(300), isStreaming: Bool = false,
            client: String = ""
        ) -> UInt64 {
            number += 1
            let terms = RouteRequest.Terms(
                accepts: accepts.map { UpstreamSet($0) } ?? UpstreamSet(first: upstreams.members.count), model: model)
            let request = RouteRequest(
                ticket: .init(rawValue: number), terms: terms, deadline: now + allowance, allowance: allowance,
                isStreaming: isStreaming, client: client)
            let (decision, releases) = core.arrive(request, at: now, &upstreams)
            take(releases)
            switch decision {
            case .admitted(let permit): permits[number] = permit
            case .refused(let refusal): refused[number] = refusal
            case .waits: break
            }
            return number
        }

        mutating func end(_ number: UInt64, _ outcome: AttemptOutcome = .succeeded, at now: Duration) {
            guard let permit = permits.removeValue(forKey: number) else { return }
            take(core.end(permit, AttemptEnding(outcome), at: now, jitter: 0.5, &upstreams))
        }

        mutating func begin(_ number: UInt64, at now: Duration) {
            guard var permit = permits[number] else { return }
            let releases = core.begun(&permit, at: now, &upstreams)
            permits[number] = permit
            take(releases)
        }

        mutating func dispatch(at now: Duration) { take(core.dispatch(at: now, &upstreams)) }

        private mutating func take(_ releases: [RoutingCore.Release]) {
            for release in releases {
                switch release.result {
                case .success(let permit): permits[release.ticket.rawValue] = permit
                case .failure(let refusal): refused[release.ticket.rawValue] = refusal
                }
            }
        }
    }

    /// Three answers of 250 ms.
    private func warm(_ bench: inout Bench, _ model: String = "m") -> Duration {
        var now = Duration.zero
        for _ in 0..<3 {
            let number = bench.arrive(model, at: now)
            now += .milliseconds(250)
            bench.end(number, at: now)
        }
        return now
    }

    // MARK: Admission that knows time

    /// One permit, 250 ms an answer, 2 s of time, 24 requests at once: eight can be answered.
    @Test func `Who cannot be served in time is refused at once`() {
        var bench = Bench([1])
        let start = warm(&bench)
        let numbers = (0..<24).map { _ in bench.arrive(at: start, within: .seconds(2)) }
        let refusals = numbers.compactMap { bench.refused[$0] }
        #expect(refusals.count == 16, "\(refusals.count)")
        #expect(
            refusals.allSatisfy { if case .queueTimeout(let seconds) = $0 { (1...3).contains(seconds) } else { false } }
        )
        var now = start
        var answered = 0
        while let number = bench.permits.keys.first {
            now += .milliseconds(250)
            answered += 1
            bench.end(number, at: now)
        }
        #expect(answered == 8 && bench.core.waiting == 0 && now <= start + .seconds(2))
    }

    @Test func `A waiter whose time is too short costs the upstream nothing`() {
        var bench = Bench([1])
        let start = warm(&bench)
        // This one takes longer than usual.
        let slow = bench.arrive(at: start)
        let waits = bench.arrive(at: start, within: .seconds(1))
        #expect(bench.core.nextMoment(at: start, bench.upstreams) == start + .milliseconds(750))
        bench.end(slow, at: start + .milliseconds(800))
        #expect(bench.permits.isEmpty && bench.refused[waits] == .queueTimeout(retryAfter: 1))
        #expect(bench.upstreams.members[0].state.statistics.requests == 4)
    }

    @Test func `Who has all of its time is never refused for the model's slowness`() {
        var bench = Bench([1])
        let start = warm(&bench)
        let number = bench.arrive(at: start, within: .milliseconds(100))
        #expect(bench.permits[number] != nil)
    }

    /// Nobody knew how long answers take when they came: they are sent away once it is known that they wait in vain, and do not keep out who has time.
    @Test func `A line that is too long is shortened`() {
        var bench = Bench([1])
        let numbers = (0..<100).map { _ in bench.arrive(at: .zero, within: .seconds(10)) }
        bench.end(numbers[0], at: .seconds(1))
        for number in numbers[1...3] { bench.end(number, at: .seconds(number)) }
        #expect(bench.core.waiting == 95)
        var later: [UInt64] = []
        for _ in 0..<30 { later.append(bench.arrive(at: .milliseconds(4_500), within: .seconds(10))) }
        #expect((9...11).contains(bench.core.waiting), "\(bench.core.waiting)")
        #expect(
            later.contains { bench.refused[$0] == nil } && bench.refused[numbers[5]] == nil
                && bench.refused[numbers[50]] != nil)
    }

    /// Answers of 18 s, 30 s of time, five times the load: a waiter that could only be sent with 15 s left is not sent.
    @Test func `Answers that take most of the time are not begun too late`() {
        var bench = Bench([10])
        var ends: [(at: Duration, number: UInt64)] = []
        var started: [UInt64: Duration] = [:]
        var (answered, late) = (0, 0)
        for tenth in 0..<3_000 {
            let now = Duration.milliseconds(tenth * 100)
            for end in ends where end.at <= now {
                let inTime = end.at - (started[end.number] ?? .zero) >= .seconds(18)
                bench.end(end.number, inTime ? .succeeded : .outOfTime, at: now)
                if inTime { answered += 1 } else { late += 1 }
            }
            ends.removeAll { $0.at <= now }
            // 2.8 a second, where 0.56 can be answered.
            if tenth % 4 == 0 { bench.arrive(at: now, within: .seconds(30)) }
            if let instant = bench.core.nextMoment(at: now, bench.upstreams), instant <= now { bench.dispatch(at: now) }
            for (number, _) in bench.permits where started[number] == nil {
                started[number] = now
                let deadline = Duration.milliseconds(Int(number - 1) * 400) + .seconds(30)
                ends.append((min(now + .seconds(18), deadline), number))
            }
        }
        #expect(late <= 10 && answered >= 145, "\(answered) of 160 answered, \(late) too late")
    }

    @Test func `Who has time for one of two is sent there`() {
        var bench = Bench([9, 1])
        for _ in 0..<3 { bench.end(bench.arrive("m", [0], at: .zero), at: .seconds(10)) }
        for _ in 0..<3 { bench.end(bench.arrive("m", [1], at: .seconds(10)), at: .seconds(11)) }
        let start = Duration.seconds(11)
        let busy = (0..<9).map { _ in bench.arrive("m", [0], at: start) } + [bench.arrive("m", [1], at: start)]
        let waits = bench.arrive("m", at: start, within: .seconds(5))
        bench.end(busy[0], at: start + .seconds(1))
        #expect(bench.permits[waits] == nil && bench.refused[waits] == nil, "the slow one would be too slow")
        bench.end(busy[9], at: start + .seconds(2))
        #expect(bench.permits[waits]?.upstream == 1)
    }

    // MARK: When all rest

    private func broken(_ bench: inout Bench, _ model: String = "m", accepts: [Int], at now: Duration) {
        for _ in 0..<5 { bench.end(bench.arrive(model, accepts, at: now), .failed, at: now) }
    }

    @Test func `When all rest one request a second goes through`() {
        var bench = Bench([9, 9])
        broken(&bench, accepts: [0], at: .zero)
        broken(&bench, accepts: [1], at: .milliseconds(500))
        var asked: [(instant: Int, upstream: Int)] = []
        // Ten a second, each of them fails at once.
        for tenth in 6..<60 {
            let now = Duration.milliseconds(tenth * 100)
            let number = bench.arrive(at: now)
            if let permit = bench.permits[number] {
                asked.append((tenth, permit.upstream))
                bench.end(number, .failed, at: now)
            } else {
                #expect(bench.refused[number] != nil)
            }
        }
        #expect(asked.map(\.instant) == [10, 20, 30, 40, 50])
        #expect(asked.map(\.upstream) == [0, 1, 0, 1, 0], "the one that rests longest first")
    }

    @Test func `A last resort that is answered ends the outage`() {
        var bench = Bench([9])
        broken(&bench, accepts: [0], at: .zero)
        #expect(bench.refused[bench.arrive(at: .milliseconds(900))] != nil)
        let probe = bench.arrive(at: .seconds(1))
        #expect(bench.permits[probe] != nil && bench.upstreams.members[0].state.statistics.opened == 1)
        bench.end(probe, at: .seconds(2))
        #expect(bench.permits[bench.arrive(at: .seconds(2))] != nil, "58 seconds before the breaker's time")
    }

    @Test func `One at a time for each candidate`() {
        var bench = Bench([9])
        broken(&bench, accepts: [0], at: .zero)
        bench.arrive(at: .seconds(1))
        for second in 2..<20 { bench.arrive(at: .seconds(second), within: .seconds(1)) }
        #expect(bench.permits.count == 1)
    }

    @Test func `Who comes during a short cooldown waits for its end`() {
        var bench = Bench([9])
        bench.end(bench.arrive(at: .zero), .rateLimited(retryAfter: 2), at: .zero)
        let later = bench.arrive(at: .milliseconds(500))
        #expect(bench.permits[later] == nil && bench.refused[later] == nil)
        let hurried = bench.arrive(at: .milliseconds(500), within: .seconds(1))
        #expect(bench.refused[hurried] == .unavailable(.init(earliest: .seconds(2), isThrottled: true)))
        #expect(bench.core.nextMoment(at: .milliseconds(500), bench.upstreams) == .seconds(2))
        bench.dispatch(at: .seconds(2))
        #expect(bench.permits[later] != nil)
    }

    @Test func `A long cooldown is told at once and tried each second`() {
        var bench = Bench([9])
        bench.end(bench.arrive(at: .zero), .rateLimited(retryAfter: 86_400), at: .zero)
        let refused = bench.arrive(at: .milliseconds(500))
        #expect(bench.refused[refused] == .unavailable(.init(earliest: .seconds(600), isThrottled: true)))
        let probe = bench.arrive(at: .seconds(1))
        #expect(bench.permits[probe] != nil)
        bench.end(probe, at: .seconds(1))
        #expect(bench.permits[bench.arrive(at: .seconds(1))] != nil, "it was well already")
    }

    @Test func `Unhealthy upstreams are a last resort too`() {
        var bench = Bench([9])
        for _ in 0..<2 { bench.upstreams.members[0].state.note(.failed, at: .zero, latency: .zero) }
        _ = bench.core.upstreamChanged(0, at: .zero, &bench.upstreams)
        #expect(bench.refused[bench.arrive(at: .milliseconds(500))] != nil)
        #expect(bench.permits[bench.arrive(at: .seconds(1))] != nil)
    }

    @Test func `A last resort that is answered is a better health check`() {
        var bench = Bench([9])
        for _ in 0..<2 { bench.upstreams.members[0].state.note(.failed, at: .zero, latency: .zero) }
        _ = bench.core.upstreamChanged(0, at: .zero, &bench.upstreams)
        let probe = bench.arrive(at: .seconds(1))
        bench.end(probe, at: .seconds(2))
        #expect(bench.upstreams.members[0].state.health.isHealthy)
        #expect(bench.permits[bench.arrive(at: .seconds(2))] != nil, "the next check is half a minute away")
    }

    /// One is dead, the other has come back: each is tried in turn, whatever makes it rest.
    @Test func `The dead one does not take every turn`() {
        var bench = Bench([9, 9])
        for _ in 0..<2 { bench.upstreams.members[0].state.note(.failed, at: .zero, latency: .zero) }
        _ = bench.core.upstreamChanged(0, at: .zero, &bench.upstreams)
        broken(&bench, accepts: [1], at: .seconds(10))
        var asked: [Int] = []
        for second in 11..<20 {
            let number = bench.arrive(at: .seconds(second))
            guard let permit = bench.permits[number] else { continue }
            asked.append(permit.upstream)
            bench.end(number, permit.upstream == 0 ? .unreachable : .succeeded, at: .seconds(second))
            if permit.upstream == 1 { break }
        }
        #expect(asked == [0, 1])
    }

    /// A stream that has begun has answered the question, however long it goes on.
    @Test func `A last resort is decided by the beginning of its stream`() {
        var bench = Bench([9])
        broken(&bench, accepts: [0], at: .zero)
        let stream = bench.arrive(at: .seconds(1), isStreaming: true)
        bench.begin(stream, at: .seconds(2))
        broken(&bench, accepts: [0], at: .seconds(10))
        #expect(
            bench.permits[bench.arrive(at: .seconds(11))] != nil, "the stream of before is not its own probe any more")
    }

    @Test func `A silent model's last resort is not another model's`() {
        var bench = Bench([9])
        broken(&bench, "silent", accepts: [0], at: .zero)
        broken(&bench, "other", accepts: [0], at: .zero)
        bench.arrive("silent", at: .seconds(1))
        let other = bench.arrive("other", at: .seconds(1))
        #expect(bench.permits[other] != nil)
    }

    @Test func `One model's rest is not another's`() {
        var bench = Bench([9])
        broken(&bench, "bad", accepts: [0], at: .zero)
        bench.end(bench.arrive("free", at: .zero), .rateLimited(retryAfter: 86_400), at: .zero)
        for tenth in 0..<50 {
            let now = Duration.milliseconds(tenth * 100)
            bench.end(bench.arrive("bad", at: now), .failed, at: now)
            let good = bench.arrive("good", at: now)
            #expect(bench.permits[good] != nil)
            bench.end(good, at: now)
        }
    }

    // MARK: Coming back

    @Test func `A probe is decided when its answer begins`() {
        var bench = Bench([9])
        broken(&bench, accepts: [0], at: .zero)
        let probe = bench.arrive(at: .seconds(60), isStreaming: true)
        let waits = bench.arrive(at: .seconds(60))
        #expect(
            bench.permits[probe]?.pass.awaitsBeginning == true && bench.permits[waits] == nil
                && bench.refused[waits] == nil)
        bench.begin(probe, at: .seconds(61))
        #expect(bench.permits[waits] != nil, "the stream goes on for minutes")
        // What is cut afterwards counts like any other.
        bench.end(probe, .failed, at: .seconds(99))
        #expect(bench.upstreams.members[0].state.models["m"]?.breaker.consecutiveFailures == 1)
    }

    @Test func `Who comes back is not rushed at`() {
        var bench = Bench([50])
        bench.end(bench.arrive(at: .zero), .rateLimited(retryAfter: 3), at: .zero)
        for _ in 0..<100 { bench.arrive(at: .seconds(1)) }
        var sizes: [Int] = []
        bench.dispatch(at: .seconds(3))
        var now = Duration.seconds(3)
        while bench.permits.count > 0 {
            sizes.append(bench.permits.count)
            now += .seconds(1)
            for number in bench.permits.keys.sorted() { bench.end(number, at: now) }
        }
        #expect(sizes.prefix(5) == [1, 2, 4, 8, 16] && sizes.reduce(0, +) == 100)
    }

    /// Forty streams are under way when one request gets a 503 with `retry-after: 1`.
    @Test func `A short rest does not wait for the streams of before`() {
        var bench = Bench([50])
        for _ in 0..<40 { bench.arrive(at: .zero, isStreaming: true) }
        bench.end(bench.arrive(at: .zero), .unavailable(retryAfter: 1), at: .zero)
        let next = bench.arrive(at: .seconds(1))
        #expect(bench.permits[next] != nil)
        bench.end(next, at: .milliseconds(1_100))
        #expect(
            bench.permits[bench.arrive(at: .milliseconds(1_100))] != nil
                && bench.permits[bench.arrive(at: .milliseconds(1_100))] != nil)
    }

    @Test func `Answers of before do not open the gate`() {
        var bench = Bench([50])
        let before = (0..<40).map { _ in bench.arrive(at: .zero) }
        bench.end(bench.arrive(at: .zero), .rateLimited(retryAfter: 10), at: .zero)
        for number in before { bench.end(number, at: .seconds(3)) }
        var passed = 0
        for _ in 0..<40 where bench.permits[bench.arrive(at: .seconds(10))] != nil { passed += 1 }
        #expect(passed == 1)
    }

    // MARK: A throttle that counts what is under way

    /// Takes ten at once for 100 ms, beyond it 429 with `retry-after: 1`: at ten times the load it gives what it can.
    @Test func `A throttled upstream gives what it can`() {
        var bench = Bench([100])
        var random = SplitMix64(seed: 1)
        var ends: [(at: Duration, number: UInt64, outcome: AttemptOutcome)] = []
        var started: Set<UInt64> = []
        var answered = 0
        for millisecond in stride(from: 0, to: 20_000, by: 1) {
            let now = Duration.milliseconds(millisecond)
            for end in ends where end.at <= now { bench.end(end.number, end.outcome, at: now) }
            ends.removeAll { $0.at <= now }
            bench.arrive(at: now, within: .seconds(3))
            if let instant = bench.core.nextMoment(at: now, bench.upstreams), instant <= now { bench.dispatch(at: now) }
            for number in bench.permits.keys.sorted() where !started.contains(number) {
                started.insert(number)
                let kept = ends.count { $0.outcome == .succeeded }
                if kept < 10 {
                    ends.append((now + .milliseconds(Int.random(in: 80...120, using: &random)), number, .succeeded))
                    if millisecond >= 2_000 { answered += 1 }
                } else {
                    ends.append((now + .milliseconds(2), number, .rateLimited(retryAfter: 1)))
                }
            }
        }
        #expect(answered >= 1_620, "of 1,800 in 18 seconds: \(answered)")
    }

    // MARK: Bulkheads and fairness

    @Test func `Silent upstreams do not starve a well one`() {
        var bench = Bench([100, 100, 100], global: 200)
        for _ in 0..<100 { bench.arrive("p1/m", [0], at: .zero) }
        for _ in 0..<100 { bench.arrive("p2/m", [1], at: .zero) }
        var now = Duration.zero
        for _ in 0..<100 {
            let number = bench.arrive("p3/m", [2], at: now)
            #expect(bench.permits[number] != nil)
            now += .milliseconds(10)
            bench.end(number, at: now)
        }
    }

    @Test func `One key's queue is not another's wait`() {
        var bench = Bench([5], queue: 2000)
        for _ in 0..<2_300 { bench.arrive(at: .zero, client: "a") }
        let other = bench.arrive(at: .zero, client: "b")
        #expect(bench.refused[other] == nil, "a full queue makes room for who has less")
        bench.end(bench.permits.keys.min() ?? 0, at: .seconds(1))
        #expect(bench.permits[other] == nil, "a's first came first")
        bench.end(bench.permits.keys.min() ?? 0, at: .seconds(1))
        #expect(bench.permits[other] != nil)
    }
}
