import ProxyCluster
import ProxyRouting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

/// What routers of two instances tell each other of the same account.
@Suite struct SharedUpstreamsTests {
    private let time = ManualTime()

    private final class Refusals: Sendable {
        let all = Mutex<[String]>([])
    }

    private func instance(_ refusals: Refusals = Refusals(), share: Int = 20) async throws -> (
        router: Router, shared: SharedUpstreams
    ) {
        let finds = RoutingFinds(ExchangeBell())
        let router = try Router.fixture(time: time.source, settings: { _ in .init(maxConcurrency: 20) }, finds: finds)
        await router.share([
            0: share > 0 ? .init(share: share, until: .seconds(99), safe: 1, safeUntil: .zero) : SharedCapacity.none
        ])
        return (
            router,
            SharedUpstreams(
                router: router, finds: finds, names: { [0: "account"] },
                refuse: { model, place in refusals.all.withLock { $0.append("\(model)@\(place)") } })
        )
    }

    private func request(_ router: Router) -> RouteRequest {
        RouteRequest(
            ticket: router.ticket(), terms: .init(accepts: UpstreamSet([0]), model: "m"),
            deadline: time.now + .seconds(60))
    }

    private func fail(_ router: Router, _ outcome: AttemptOutcome) async throws {
        let permit = try await router.admit(request(router)).get()
        await router.end(permit, AttemptEnding(outcome))
    }

    /// Everything that is new at the one goes to the other.
    private func pass(from: SharedUpstreams, to: SharedUpstreams) async -> [News] {
        let clock = EngineClock(now: time.now, time: 1_790_000_000_000)
        let news = from.told(clock)
        var board = NewsBoard()
        for change in news.flatMap({ board.apply(NewsText(origin: "x", news: $0), at: clock.time) }) {
            await to.hear(change, clock)
        }
        return news
    }

    @Test func `Nothing is taken before the first share`() async throws {
        let one = try await instance(share: 0)
        let request = request(one.router)
        let waiting = Task { try await one.router.admit(request).get() }
        while await one.router.snapshot().waiting == 0 { await Task.yield() }
        #expect(await one.shared.wants().map(\.waiting) == [1])
        await one.shared.take { _ in PermitLease(share: 1, until: .seconds(5), safe: 1, safeUntil: .zero) }
        let permit = try await waiting.value
        await one.router.end(permit, AttemptEnding(.succeeded))
    }

    @Test func `Who is new here has to be told of, with its limit`() async throws {
        let one = try await instance()
        let request = request(one.router)
        try await fail(one.router, .succeeded)
        let clock = EngineClock(now: time.now, time: 1_790_000_000_000)
        await one.shared.hear(.coolDown("account\tother", until: clock.time + 60_000, isThrottle: true), clock)
        // Nobody has asked for that model here; the first who does is told at once.
        let other = RouteRequest(
            ticket: one.router.ticket(), terms: .init(accepts: UpstreamSet([0]), model: "other"),
            deadline: request.deadline)
        guard case .failure = await one.router.admit(other) else {
            Issue.record("the cooldown is not kept")
            return
        }
    }

    @Test func `A cooldown of one is a cooldown of the other`() async throws {
        let (here, there) = (try await instance(), try await instance())
        try await fail(here.router, .rateLimited(retryAfter: 30))
        let news = await pass(from: here.shared, to: there.shared)
        #expect(news == [.cooldown(of: "account\tm", until: 1_790_000_030_000, isThrottle: true)])
        let model = await there.router.snapshot().upstreams[0].state.models["m"]
        #expect(model?.cooldown.until(at: time.now) == time.now + .seconds(30))
        #expect(here.shared.told(EngineClock(now: time.now, time: 0)).isEmpty, "told once")
        #expect(there.shared.told(EngineClock(now: time.now, time: 0)).isEmpty, "and not told back")
    }

    @Test func `A breaker that has opened is a hint`() async throws {
        let (here, there) = (try await instance(), try await instance())
        try await fail(there.router, .failed)
        for _ in 0..<5 { try await fail(here.router, .failed) }
        _ = await pass(from: here.shared, to: there.shared)
        let state = await there.router.snapshot().upstreams[0].state
        #expect(state.models["m"]?.breaker.state(at: time.now) == .halfOpen)
    }

    @Test func `Who has just been answered does not mind`() async throws {
        let (here, there) = (try await instance(), try await instance())
        try await fail(there.router, .succeeded)
        for _ in 0..<5 { try await fail(here.router, .failed) }
        _ = await pass(from: here.shared, to: there.shared)
        let state = await there.router.snapshot().upstreams[0].state
        #expect(state.models["m"]?.breaker.state(at: time.now) == .closed)
    }

    @Test func `A learnt limit is begun with, by the parts of the account`() async throws {
        let (here, there) = (try await instance(), try await instance())
        // Half of the account is here.
        await here.router.share([0: .init(share: 10, until: .seconds(9), safe: 1, safeUntil: .zero)])
        await there.router.share([0: .init(share: 5, until: .seconds(9), safe: 1, safeUntil: .zero)])
        var permits: [Router.Permit] = []
        for _ in 0..<5 { permits.append(try await here.router.admit(request(here.router)).get()) }
        await here.router.end(permits[0], AttemptEnding(.rateLimited(retryAfter: nil)))
        let news = await pass(from: here.shared, to: there.shared)
        #expect(news == [.learntLimit(of: "account\tm", limit: 8, at: 1_790_000_000_000)], "4 here of 10 are 8 of 20")
        let model = await there.router.snapshot().upstreams[0].state.models["m"]
        #expect(model?.limit.value == 2)
        for permit in permits.dropFirst() { await here.router.end(permit, AttemptEnding(.succeeded)) }
    }

    @Test func `A refused model is refused there as well`() async throws {
        let refusals = Refusals()
        let (here, there) = (try await instance(), try await instance(refusals))
        here.shared.finds.add(.init(place: 0, model: "xai.grok-3", kind: .refusal))
        _ = await pass(from: here.shared, to: there.shared)
        #expect(refusals.all.withLock { $0 } == ["xai.grok-3@0"])
    }

    @Test func `What others have is nothing to an instance that has it not`() async throws {
        let one = try await instance()
        let clock = EngineClock(now: time.now, time: 1_790_000_000_000)
        for change: NewsBoard.Change in [
            .coolDown("other\tm", until: clock.time + 5_000, isThrottle: true), .probe("other"), .limit("other\tm", 3),
            .limit("account", 3), .retired(model: "account", at: 1), .limit("account\tm", nil),
        ] {
            await one.shared.hear(change, clock)
        }
        let state = await one.router.snapshot().upstreams[0].state
        #expect(state.cooldown.until(at: time.now) == nil)
        #expect(state.models.count == 0)
    }

    @Test func `Permits are what is in flight and in the line`() async throws {
        let one = try await instance()
        let permit = try await one.router.admit(request(one.router)).get()
        #expect(
            await one.shared.wants() == [PermitWant(name: "account", limit: 20, inFlight: 1, waiting: 0)])
        await one.shared.take { _ in PermitLease(share: 1, until: .seconds(5), safe: 1, safeUntil: .zero) }
        #expect(await one.router.snapshot().upstreams[0].state.availability(at: time.now) == .full(until: nil))
        time.advance(by: .seconds(5))
        #expect(await one.router.snapshot().upstreams[0].state.availability(at: time.now) == .full(until: nil))
        await one.router.end(permit, AttemptEnding(.succeeded))
    }
}
