import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a request's trace keeps of its way: every candidate's reason, each wait and each attempt.
@Suite struct RequestTraceTests {
    private func request(_ router: Router, accepts: [Int]) -> RouteRequest {
        RouteRequest(
            ticket: router.ticket(), terms: .init(accepts: UpstreamSet(accepts), model: "m"), deadline: .seconds(300))
    }

    private func router(_ time: ManualTime, accounts: Int) throws -> Router {
        try Router.fixture(
            time: time.source, accounts: accounts, settings: { _ in .init(maxConcurrency: 1) },
            limits: .init(concurrency: 200, queue: 2000))
    }

    @Test func `keeps why each candidate was passed over`() async throws {
        let time = ManualTime()
        let router = try router(time, accounts: 3)
        let holder = try await router.admit(request(router, accepts: [0])).get()
        await router.end(
            try await router.admit(request(router, accepts: [1])).get(), AttemptEnding(.rateLimited(retryAfter: 30)))

        let trace = RequestTrace()
        let permit = try await router.admit(request(router, accepts: [0, 1, 2]), trace, call: 4).get()
        #expect(permit.upstream.index == 2)
        guard case .passedOver(let passedOver, let names, call: 4)? = trace.events.first else {
            return #expect(Bool(false), "\(trace.events)")
        }
        try #require(passedOver.map(\.upstream) == [0, 1])
        #expect(names == ["default", "account_2"])
        #expect(passedOver[0].availability == .full(until: nil) && !passedOver[0].isOfModel)
        #expect(
            passedOver[1].availability == .unavailable(.coolingDown(until: .seconds(30), isThrottle: true))
                && passedOver[1].isOfModel)
        await router.end(permit, AttemptEnding(.succeeded))
        await router.end(holder, AttemptEnding(.succeeded))
    }

    @Test func `says nothing of candidates when nobody was passed over`() async throws {
        let router = try router(ManualTime(), accounts: 2)
        let trace = RequestTrace()
        await router.end(
            try await router.admit(request(router, accepts: [0, 1]), trace).get(), AttemptEnding(.succeeded))
        #expect(trace.events.isEmpty)
    }

    @Test func `keeps how long a request stood in the queue`() async throws {
        let time = ManualTime()
        let router = try router(time, accounts: 1)
        let holder = try await router.admit(request(router, accepts: [0])).get()
        let trace = RequestTrace()
        async let waiter = router.admit(request(router, accepts: [0]), trace, call: 1)
        while await router.snapshot().waiting != 1 { await Task.yield() }
        time.advance(by: .seconds(2))
        await router.end(holder, AttemptEnding(.succeeded))
        await router.end(try await waiter.get(), AttemptEnding(.succeeded))
        let waits = trace.events.compactMap { if case .waited(let time, call: 1) = $0 { time } else { nil } }
        #expect(waits == [.seconds(2)])
    }

    @Test func `keeps each attempt and the pause between rounds, and its summary names the last`() async throws {
        let time = ManualTime()
        let trace = RequestTrace()
        let failover = Failover(
            router: try Router.fixture(time: time.source, accounts: 2), retryAttempts: 3, random: { 0.5 })
        let routed = RoutedRequest(
            accepts: UpstreamSet(first: 2), model: "m", arrival: .zero, deadline: .seconds(300), trace: trace,
            charge: nil, estimate: .none)
        async let end: Void = failover.run(routed) { _, _ in
            if trace.summary.attempts < 4 { throw TransportError.connectionLost("x") }
        }
        await time.waitForSleepers()
        time.advance(by: .seconds(1))
        try await end

        let told = trace.events.map { event in
            switch event {
            case .passedOver(let passedOver, _, _): "passed over \(passedOver.map(\.upstream))"
            case .waited: "waited"
            case .paused: "paused"
            case .refused: "refused"
            case .began(_, let report, _): "began at \(report.call.upstream)"
            case .ended(_, let outcome, _): "ended: \(outcome)"
            case .succeeded(let model): "succeeded by \(model)"
            case .fellBack(let model): "fell back to \(model)"
            case .rescue(let model, let result): "\(result) by \(model)"
            case .gaveUp: "gave up"
            }
        }
        let attempts = told.filter { $0.hasPrefix("began") }
        #expect(attempts == ["began at default", "began at account_2", "began at default", "began at account_2"])
        #expect(
            told.filter { $0.hasPrefix("ended") } == [
                "ended: brokenOff", "ended: brokenOff", "ended: brokenOff", "ended: succeeded",
            ])
        #expect(told.filter { $0 == "paused" }.count == 1)
        let pause = try #require(told.firstIndex(of: "paused"))
        #expect(told[..<pause].filter { $0.hasPrefix("began") }.count == 2, "it came between the rounds")
        #expect(trace.summary.account == "account_2" && trace.summary.attempts == 4)
    }
}
