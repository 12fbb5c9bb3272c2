import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RoutingCoreTests {
    /// A core over plain values, with the requests that hold permits.
    private struct Bench {
        var core: RoutingCore
        var upstreams: PlainUpstreams
        var held: [UInt64: RoutingCore.Permit] = [:]
        /// Waiters that have given up their places.
        var crowdedOut: [UInt64] = []
        private var lastTicket: UInt64 = 0

        /// - Parameter limits: `max_concurrency` of each upstream.
        init(
            _ limits: [Int], global: Int = 100, queue: Int = 100, throttles: [Int]? = nil,
            strategy: any BalancingStrategy = RoundRobin()
        ) {
            upstreams = PlainUpstreams(
                limits.enumerated().map {
                    PlainUpstreams.Member(
                        maxConcurrency: $1, throttle: throttles?[$0] ?? $0,
                        breaker: .init(maxFailures: 2, resetTimeout: .seconds(60)))
                })
            core = RoutingCore(
                limits: .init(concurrency: global, queue: queue), strategy: strategy, members: upstreams.coreMembers)
        }

        /// A new request. Its number is what `Release`s name.
        mutating func arrive(
            _ accepts: [Int]? = nil, model: String = "m", at now: Duration = .zero, deadline: Duration = .seconds(300),
            failed: [Int]? = nil,
            client: String = ""
        ) -> (number: UInt64, decision: RoutingCore.Decision) {
            lastTicket += 1
            var terms = RouteRequest.Terms(
                accepts: accepts.map { UpstreamSet($0) } ?? UpstreamSet(first: upstreams.members.count), model: model)
            if let failed {
                terms.isRetry = true
                terms.haveFailed = UpstreamSet(failed)
            }
            let request = RouteRequest(
                ticket: .init(rawValue: lastTicket), terms: terms, deadline: deadline, allowance: deadline - now,
                client: client)
            let (decision, releases) = core.arrive(request, at: now, &upstreams)
            crowdedOut += releases.map(\.ticket.rawValue)
            if case .admitted(let permit) = decision { held[lastTicket] = permit }
            return (lastTicket, decision)
        }

        /// Ends a request; the numbers of those that are served now, and where.
        @discardableResult
        mutating func end(_ number: UInt64, _ outcome: AttemptOutcome = .succeeded, at now: Duration = .zero)
            -> [RoutingCore.Release]
        {
            guard let permit = held.removeValue(forKey: number) else { return [] }
            return take(core.end(permit, AttemptEnding(outcome), at: now, jitter: 0.5, &upstreams))
        }

        mutating func dispatch(at now: Duration) -> [RoutingCore.Release] { take(core.dispatch(at: now, &upstreams)) }

        /// The operator's word.
        mutating func reconfigure(global: Int, queue: Int = 100) -> [RoutingCore.Release] {
            take(
                core.reconfigure(
                    .init(concurrency: global, queue: queue), strategy: RoundRobin(), members: upstreams.coreMembers,
                    at: .zero, &upstreams))
        }

        /// The first event of a stream has come.
        mutating func begin(_ number: UInt64, at now: Duration = .zero) -> [RoutingCore.Release] {
            guard var permit = held[number] else { return [] }
            let releases = core.begun(&permit, at: now, &upstreams)
            held[number] = permit
            return take(releases)
        }

        /// A health check, `count` times.
        mutating func check(_ index: Int, _ probe: HealthRecord.Probe, count: Int = 1, at now: Duration = .zero)
            -> [RoutingCore.Release]
        {
            for _ in 0..<count { upstreams.members[index].state.note(probe, at: now, latency: .zero) }
            return take(core.upstreamChanged(index, at: now, &upstreams))
        }

        private mutating func take(_ releases: [RoutingCore.Release]) -> [RoutingCore.Release] {
            for release in releases {
                if case .success(let permit) = release.result { held[release.ticket.rawValue] = permit }
            }
            return releases
        }
    }

    private func upstream(_ decision: RoutingCore.Decision) -> Int? {
        if case .admitted(let permit) = decision { permit.upstream } else { nil }
    }

    @Test func `A limit that is raised serves those who wait`() {
        var bench = Bench([9], global: 1)
        _ = bench.arrive()
        let waiting = [bench.arrive().number, bench.arrive().number, bench.arrive().number]
        #expect(bench.reconfigure(global: 3).map(\.ticket.rawValue) == Array(waiting.prefix(2)))
        #expect(bench.core.waiting == 1 && bench.core.permits.inUse == 3)
    }

    @Test func `A limit that is lowered takes nobody's permit`() {
        var bench = Bench([9], global: 4)
        let running = (0..<4).map { _ in bench.arrive().number }
        #expect(bench.reconfigure(global: 2, queue: 1).isEmpty)
        let waits = bench.arrive()
        #expect(waits.decision == .waits && bench.core.permits.available == 0)
        #expect(bench.end(running[0]).isEmpty && bench.end(running[1]).isEmpty, "two are still running")
        #expect(bench.end(running[2]).map(\.ticket.rawValue) == [waits.number])
    }

    @Test func `A retry does not move the turn of others`() {
        var bench = Bench([99, 99, 99])
        var first: [Int?] = []
        var retried: [Int?] = []
        for _ in 0..<6 {
            let index = upstream(bench.arrive().decision)
            first.append(index)
            if index == 0 { retried.append(upstream(bench.arrive([1, 2], failed: [0]).decision)) }
        }
        #expect(first == [0, 1, 2, 0, 1, 2])
        #expect(retried == [1, 2])
    }

    // MARK: Permits and the line

    @Test func `Spreads and waits when all are full`() {
        var bench = Bench([1, 1])
        let found = (0..<3).map { _ in bench.arrive().decision }
        #expect(found.map(upstream) == [0, 1, nil] && found[2] == .waits)
        #expect(bench.core.waiting == 1 && bench.core.permits.inUse == 2)
    }

    @Test func `First come first served`() {
        var bench = Bench([1])
        let first = bench.arrive().number
        let waiting = (0..<5).map { _ in bench.arrive().number }
        var served: [UInt64] = []
        var current = first
        for _ in waiting {
            let released = bench.end(current)
            #expect(released.count == 1)
            current = released[0].ticket.rawValue
            served.append(current)
        }
        #expect(served == waiting)
    }

    @Test func `The global limit holds across accounts`() {
        var bench = Bench([5, 5], global: 3)
        let numbers = (0..<3).map { _ in bench.arrive().number }
        #expect(bench.arrive().decision == .waits)
        #expect(bench.end(numbers[0]).count == 1)
        #expect(bench.core.permits.inUse == 3 && bench.core.permits.peak == 3)
    }

    @Test func `A full account does not starve who can go elsewhere`() {
        var bench = Bench([1, 1])
        let only0 = bench.arrive([0]).number
        let waitsFor0 = bench.arrive([0])
        #expect(waitsFor0.decision == .waits)
        let later = bench.arrive([0, 1])
        #expect(upstream(later.decision) == 1, "the one in front waits for another account")
        let waits = bench.arrive([0, 1]).number
        // Whoever came first gets what both could take.
        #expect(bench.end(only0).map(\.ticket.rawValue) == [waitsFor0.number])
        #expect(bench.end(later.number).map(\.ticket.rawValue) == [waits])
    }

    @Test func `The line is bounded`() {
        var bench = Bench([1], queue: 2)
        for _ in 0..<3 { _ = bench.arrive() }
        #expect(bench.arrive().decision == .refused(.queueFull(retryAfter: 1)), "nobody has waited yet")
        #expect(
            bench.arrive(at: .milliseconds(6500)).decision == .refused(.queueFull(retryAfter: 7)),
            "nothing has come back for so long")
        #expect(
            bench.core.statistics.rejected == 2 && bench.core.statistics.peak == 2
                && bench.core.statistics.enqueued == 2)
    }

    @Test func `The guess of retry after knows the pace`() {
        var bench = Bench([1], queue: 9)
        var current = bench.arrive().number
        for _ in 0..<9 { _ = bench.arrive() }
        // One in two seconds: ten need twenty.
        for second in stride(from: 2, through: 10, by: 2) {
            current = bench.end(current, at: .seconds(second)).first?.ticket.rawValue ?? 0
            _ = bench.arrive(at: .seconds(second))
        }
        #expect(bench.arrive(at: .seconds(10)).decision == .refused(.queueFull(retryAfter: 21)))
    }

    @Test func `Who gives up is gone at once`() {
        var bench = Bench([1])
        let first = bench.arrive().number
        let gone = bench.arrive().number
        let next = bench.arrive().number
        let isGone = bench.core.abandon(.init(rawValue: gone))
        let again = bench.core.abandon(.init(rawValue: gone))
        #expect(isGone && !again && bench.core.waiting == 1 && bench.core.statistics.cancelled == 1)
        #expect(bench.end(first).map(\.ticket.rawValue) == [next])
    }

    @Test func `Nobody waits beyond the deadline`() {
        var bench = Bench([1])
        _ = bench.arrive()
        let late = bench.arrive(deadline: .seconds(3)).number
        _ = bench.arrive(deadline: .seconds(9))
        #expect(bench.core.nextMoment(at: .zero, bench.upstreams) == .seconds(3))
        #expect(bench.dispatch(at: .seconds(2)).isEmpty)
        #expect(
            bench.dispatch(at: .seconds(3)) == [
                .init(ticket: .init(rawValue: late), result: .failure(.queueTimeout(retryAfter: 4)))
            ])
        #expect(bench.core.nextMoment(at: .seconds(3), bench.upstreams) == .seconds(9))
        #expect(bench.arrive(at: .seconds(3), deadline: .seconds(3)).decision == .refused(.queueTimeout(retryAfter: 4)))
        #expect(bench.core.statistics.timedOut == 1 && bench.core.statistics.rejected == 1)
    }

    @Test func `Who comes back for another attempt keeps its place`() {
        var bench = Bench([1])
        let first = bench.arrive().number
        let retried = RouteRequest.Ticket(rawValue: first)
        _ = bench.end(first, .failed)
        let other = bench.arrive().number
        let newcomer = bench.arrive().number
        var terms = RouteRequest.Terms(accepts: UpstreamSet(first: 1), model: "m")
        terms.isRetry = true
        #expect(
            bench.core.arrive(
                RouteRequest(ticket: retried, terms: terms, deadline: .seconds(300)), at: .zero, &bench.upstreams
            ).decision == .waits)
        #expect(bench.end(other).map(\.ticket.rawValue) == [first])
        #expect(bench.end(first).map(\.ticket.rawValue) == [newcomer])
    }

    // MARK: Who is out of use

    @Test func `An open breaker is passed over`() {
        var bench = Bench([9, 9])
        for _ in 0..<2 {
            let number = bench.arrive([0]).number
            bench.end(number, .failed)
        }
        #expect((0..<4).map { _ in upstream(bench.arrive().decision) } == [1, 1, 1, 1])
        #expect(bench.arrive([0]).decision == .refused(.unavailable(.init(earliest: .seconds(60), isThrottled: false))))
    }

    @Test func `All cooling is said as such`() {
        var bench = Bench([9, 9])
        for (index, seconds) in [(0, 8), (1, 6)] {
            let number = bench.arrive([index]).number
            bench.end(number, .rateLimited(retryAfter: seconds))
        }
        #expect(bench.arrive().decision == .refused(.unavailable(.init(earliest: .seconds(6), isThrottled: true))))
        #expect(upstream(bench.arrive(at: .seconds(6)).decision) == 1)
    }

    @Test func `A mix of reasons is no throttle`() {
        var bench = Bench([9, 9])
        let number = bench.arrive([0]).number
        bench.end(number, .rateLimited(retryAfter: 8))
        _ = bench.check(1, .failed, count: 2)
        #expect(bench.arrive().decision == .refused(.unavailable(.init(earliest: .seconds(8), isThrottled: false))))
    }

    @Test func `Accounts of a throttled tenancy are the last choice`() {
        var bench = Bench([2, 2, 2], throttles: [0, 0, 1])
        let number = bench.arrive([0]).number
        bench.end(number, .rateLimited(retryAfter: 8))
        // Two go to the other tenancy; when it is full, the shared throttle is tried rather than nobody.
        #expect((0..<4).map { _ in upstream(bench.arrive().decision) } == [2, 2, 1, 1])
        #expect(bench.arrive().decision == .waits)
        #expect(upstream(bench.arrive([1, 0], at: .seconds(8)).decision) == 0, "afterwards they are as good as any")
    }

    @Test func `Those who wait stay for a short rest and leave for a long one`() {
        var bench = Bench([1])
        let first = bench.arrive().number
        let waiting = (0..<3).map { _ in bench.arrive().number }
        #expect(bench.end(first, .rateLimited(retryAfter: 4)).isEmpty)
        #expect(bench.core.nextMoment(at: .zero, bench.upstreams) == .seconds(4))
        let served = bench.dispatch(at: .seconds(4))
        #expect(served.map(\.ticket.rawValue) == [waiting[0]])
        let left = bench.end(waiting[0], .rateLimited(retryAfter: 60), at: .seconds(4))
        #expect(left.map(\.ticket.rawValue) == [waiting[1], waiting[2]])
        #expect(
            left.allSatisfy { $0.result == .failure(.unavailable(.init(earliest: .seconds(64), isThrottled: true))) })
    }

    @Test func `Who waits takes the account that comes back first`() {
        var bench = Bench([1, 1])
        let cooled = bench.arrive([0]).number
        _ = bench.arrive([1])
        bench.end(cooled, .rateLimited(retryAfter: 20))
        let waits = bench.arrive()
        #expect(waits.decision == .waits && bench.core.nextMoment(at: .zero, bench.upstreams) == .seconds(20))
        #expect(bench.dispatch(at: .seconds(20)).map(\.ticket.rawValue) == [waits.number])
    }

    // MARK: The retry budget

    @Test func `Moving on to a well account is free`() {
        var bench = Bench([99, 99])
        for _ in 0..<50 {
            let retry = bench.arrive([1], failed: [0])
            #expect(upstream(retry.decision) == 1)
            bench.end(retry.number)
        }
    }

    @Test func `Asking again who has failed is rationed`() {
        var bench = Bench([99])
        var admitted = 0
        for _ in 0..<50 {
            let retry = bench.arrive([0], failed: [0])
            if upstream(retry.decision) != nil {
                admitted += 1
            } else {
                #expect(retry.decision == .refused(.retryBudgetSpent))
            }
        }
        #expect(admitted == RetryBudget.floorPerSecond)
    }

    @Test func `A retry prefers no failing account when the budget is spent`() {
        var bench = Bench([99, 99])
        let failing = bench.arrive([0]).number
        bench.end(failing, .failed)
        for _ in 0..<3 { _ = bench.arrive([0], failed: []) }
        #expect(bench.arrive([0], failed: []).decision == .refused(.retryBudgetSpent))
        #expect((0..<3).map { _ in upstream(bench.arrive([0, 1], failed: []).decision) } == [1, 1, 1])
        #expect(upstream(bench.arrive([0]).decision) == 0, "a first attempt is no retry")
    }

    // MARK: Whatever happens

    /// Arrivals, endings, departures and time in random order: limits hold, books balance, the line is fair, nobody is left who
    /// could be served, and in the end everything is given back.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `A random walk keeps the promises`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let count = Int.random(in: 1...4, using: &random)
        let limits = (0..<count).map { _ in Int.random(in: 1...3, using: &random) }
        let global = Int.random(in: 1...8, using: &random)
        let strategy = RoutingSettings.Strategy.allCases.randomElement(using: &random) ?? .weighted
        var bench = Bench(
            limits, global: global, queue: 12, throttles: limits.indices.map { $0 / 2 }, strategy: strategy.make())
        var now = Duration.zero
        var waiting: [UInt64: (accepts: [Int], deadline: Duration)] = [:]

        func note(_ releases: [RoutingCore.Release]) {
            for release in releases {
                guard case .success(let permit) = release.result else {
                    waiting[release.ticket.rawValue] = nil
                    continue
                }
                let accepts = waiting.removeValue(forKey: release.ticket.rawValue)?.accepts
                #expect(accepts?.contains(permit.upstream) == true)
                // Nobody on the same terms came earlier.
                #expect(!waiting.contains { $0.key < release.ticket.rawValue && $0.value.accepts == accepts })
            }
        }

        for _ in 0..<600 {
            now += .milliseconds(Int.random(in: 0...800, using: &random))
            note(bench.dispatch(at: now))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                var accepts = (0..<count).filter { _ in Bool.random(using: &random) }
                if accepts.isEmpty { accepts = [0] }
                let deadline = now + .seconds(Int.random(in: 1...20, using: &random))
                let new = bench.arrive(accepts, at: now, deadline: deadline)
                if new.decision == .waits { waiting[new.number] = (accepts, deadline) }
                for gone in bench.crowdedOut { waiting[gone] = nil }
            case 5..<9:
                guard let number = bench.held.keys.sorted().randomElement(using: &random) else { continue }
                let outcomes: [AttemptOutcome] = [
                    .succeeded, .succeeded, .succeeded, .failed, .timedOut, .abandoned, .refused,
                    .rateLimited(retryAfter: nil), .rateLimited(retryAfter: 2),
                    .unreachable, .outOfTime, .unavailable(retryAfter: 1), .accountExhausted(retryAfter: nil),
                ]
                note(bench.end(number, outcomes.randomElement(using: &random) ?? .succeeded, at: now))
            default:
                guard let number = waiting.keys.sorted().randomElement(using: &random) else { continue }
                let wasWaiting = bench.core.abandon(.init(rawValue: number))
                #expect(wasWaiting)
                waiting[number] = nil
            }
            #expect(bench.core.waiting == waiting.count && bench.core.waiting <= 12)
            #expect(bench.core.permits.inUse == bench.held.count && bench.core.permits.inUse <= global)
            for (index, member) in bench.upstreams.members.enumerated() {
                let inUse = member.state.permits.inUse
                #expect(inUse == bench.held.values.count { $0.upstream == index } && inUse <= limits[index])
                let statistics = member.state.statistics
                #expect(statistics.requests == statistics.succeeded + statistics.failed + statistics.cancelled + inUse)
            }
            if bench.core.permits.hasRoom {
                // The first of each row: one behind it may have time where it has none, and waits for its turn.
                let firsts = Dictionary(grouping: waiting) { $0.value.accepts }.values.compactMap {
                    $0.min { $0.key < $1.key }?.value
                }
                for (accepts, deadline) in firsts {
                    let free = accepts.filter {
                        let view = bench.upstreams.view(of: $0, model: "m", at: now)
                        let usual = bench.upstreams.safeTime(of: $0, model: "m", isStreaming: false, at: now) ?? .zero
                        return view.own == .available && view.model == .available && deadline - now >= usual
                    }
                    // What is left is kept for upstreams that hold less than their share.
                    #expect(
                        free.isEmpty || bench.core.permits.available <= global / Bulkheads.part,
                        "somebody waits for what is free: \(free) of \(accepts)")
                }
            }
        }
        while let number = bench.held.keys.sorted().first { note(bench.end(number, at: now)) }
        note(bench.dispatch(at: now + .seconds(100)))
        while let number = bench.held.keys.sorted().first { note(bench.end(number, at: now + .seconds(100))) }
        #expect(waiting.isEmpty && bench.core.waiting == 0 && bench.core.permits.inUse == 0)
        #expect(bench.core.statistics.enqueued >= bench.core.statistics.wait.count + bench.core.statistics.cancelled)
    }
}
