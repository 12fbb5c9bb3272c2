import Logging
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The actor around the core: parking, cancellation, alarms, one moment for all.
@Suite struct RouterTests {
    private func request(_ router: Router, deadline: Duration = .seconds(300), accepts: [Int]? = nil) -> RouteRequest {
        let terms = RouteRequest.Terms(
            accepts: accepts.map { UpstreamSet($0) } ?? UpstreamSet(first: router.upstreams.count), model: "m")
        return RouteRequest(ticket: router.ticket(), terms: terms, deadline: deadline)
    }

    private func ended(_ outcome: AttemptOutcome = .succeeded) -> AttemptEnding { AttemptEnding(outcome) }

    /// Returns when so many wait.
    private func waiting(_ router: Router, _ count: Int) async {
        while await router.snapshot().waiting != count { await Task.yield() }
    }

    /// A router whose alarms ring as `time` moves.
    private func withRouter(
        _ time: ManualTime = ManualTime(), accounts: Int = 1, maxConcurrency: Int = 1,
        limits: RoutingCore.Limits = .init(concurrency: 200, queue: 2000),
        _ body: (Router, ManualTime) async throws -> Void
    ) async throws {
        let router = try Router.fixture(
            time: time.source, accounts: accounts, settings: { _ in .init(maxConcurrency: maxConcurrency) },
            limits: limits)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await router.run() }
            try await body(router, time)
            group.cancelAll()
        }
    }

    @Test func `Serves in the order of arrival`() async throws {
        try await withRouter { router, _ in
            var holder = try await router.admit(request(router)).get()
            try await withThrowingTaskGroup(of: (Int, Router.Permit).self) { group in
                for number in 0..<20 {
                    let request = request(router)
                    group.addTask { (number, try await router.admit(request).get()) }
                    await waiting(router, number + 1)
                }
                for number in 0..<20 {
                    await router.end(holder, ended())
                    let (served, permit) = try #require(try await group.next())
                    #expect(served == number)
                    holder = permit
                }
            }
            await router.end(holder, ended())
            #expect(await router.snapshot().permits.inUse == 0)
        }
    }

    @Test func `A new configuration serves who waits and keeps what is known`() async throws {
        try await withRouter(accounts: 2) { router, time in
            let first = try await router.admit(request(router, accepts: [0])).get()
            let old = try await router.admit(request(router, accepts: [1])).get()
            let task = Task { [request = request(router, accepts: [0])] in await router.admit(request) }
            await waiting(router, 1)

            // The first may take more now, the second is gone, and there is another one.
            let other = try OCIAccount.fixture(FakeTransport(body: "{}"), time: time.source, id: "other")
            let members = await router.reconfigure(
                [(.known(0), .init(weight: 7, maxConcurrency: 2)), (.new(other), .init(maxConcurrency: 1))],
                limits: .init(concurrency: 200, queue: 2000),
                strategy: RoundRobin())
            #expect(members.map(\.index) == [0, 2] && members.map(\.id) == ["default", "other"])
            let second = try await task.value.get()
            #expect(second.index == 0)
            let third = try await router.admit(request(router, accepts: [2])).get()
            #expect(third.upstream.id == "other")

            // Who began at the one that is gone ends there.
            for permit in [first, old, second, third] { await router.end(permit, ended()) }
            let snapshot = await router.snapshot()
            #expect(snapshot.upstreams.map(\.state.statistics.succeeded) == [2, 1, 1] && snapshot.permits.inUse == 0)
            #expect(snapshot.settings.map(\.weight) == [7, 1, 1])
        }
    }

    @Test func `Who is cancelled while waiting leaves at once`() async throws {
        try await withRouter { router, _ in
            let holder = try await router.admit(request(router)).get()
            let task = Task { [request = request(router)] in await router.admit(request) }
            await waiting(router, 1)
            task.cancel()
            guard case .failure(.cancelled) = await task.value else { return #expect(Bool(false), "it was served") }
            await router.end(holder, ended())
            let snapshot = await router.snapshot()
            #expect(snapshot.waiting == 0 && snapshot.permits.inUse == 0 && snapshot.queue.cancelled == 1)
        }
    }

    @Test func `Who is cancelled before it waits does not park`() async throws {
        try await withRouter { router, _ in
            let holder = try await router.admit(request(router)).get()
            let request = request(router)
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await router.admit(request)
            }
            task.cancel()
            guard case .failure(.cancelled) = await task.value else { return #expect(Bool(false), "it was served") }
            #expect(await router.snapshot().waiting == 0)
            await router.end(holder, ended())
        }
    }

    @Test func `A waiters time is up when the clock says so`() async throws {
        try await withRouter { router, time in
            let holder = try await router.admit(request(router)).get()
            let task = Task { [request = request(router, deadline: .seconds(5))] in await router.admit(request) }
            await waiting(router, 1)
            await time.waitForSleepers()
            time.advance(by: .seconds(5))
            guard case .failure(.queueTimeout) = await task.value else {
                return #expect(Bool(false), "it was not told")
            }
            await router.end(holder, ended())
            #expect(await router.snapshot().queue.timedOut == 1)
        }
    }

    @Test func `A cooldown that ends serves who waits`() async throws {
        try await withRouter(accounts: 2) { router, time in
            let cooling = try await router.admit(request(router, accepts: [0])).get()
            let busy = try await router.admit(request(router, accepts: [1])).get()
            let task = Task { [request = request(router)] in try await router.admit(request).get() }
            await waiting(router, 1)
            await router.end(cooling, ended(.rateLimited(retryAfter: 30)))
            // The alarm for the cooldown, before the one for the deadline.
            await time.waitForSleepers(2)
            time.advance(by: .seconds(30))
            let permit = try await task.value
            #expect(permit.upstream.id == "default")
            await router.end(permit, ended())
            await router.end(busy, ended())
        }
    }

    @Test func `An account that is well again serves who waits`() async throws {
        try await withRouter(accounts: 2) { router, _ in
            for _ in 0..<2 { _ = await router.note(.failed, of: router.upstreams[0], latency: .zero) }
            let busy = try await router.admit(request(router)).get()
            #expect(busy.upstream.id == "account_2")
            let task = Task { [request = request(router)] in try await router.admit(request).get() }
            await waiting(router, 1)
            let change = await router.note(.passed, of: router.upstreams[0], latency: .zero)
            #expect(change == (false, true))
            let permit = try await task.value
            #expect(permit.upstream.id == "default")
            await router.end(permit, ended())
            await router.end(busy, ended())
        }
    }

    @Test func `The operator resets one or all`() async throws {
        try await withRouter(accounts: 2, maxConcurrency: 9) { router, _ in
            for index in 0..<2 {
                for _ in 0..<5 {
                    await router.end(try await router.admit(request(router, accepts: [index])).get(), ended(.failed))
                }
            }
            #expect(await router.resetBreakers(of: [1]) == ["account_2"])
            let states = await router.snapshot().upstreams.map { $0.state.condition(at: .zero).breaker }
            #expect(states == [.open, .closed])
            #expect(await router.resetBreakers(of: [0, 1]) == ["default", "account_2"])
            #expect(await router.snapshot().upstreams.allSatisfy { $0.state.condition(at: .zero).breaker == .closed })
        }
    }

    /// Thousands of tasks, a third of them cancelled at any moment, while others watch: limits hold in every snapshot, the books
    /// balance, and nothing is left parked or held.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `Nothing leaks whatever happens`(seed: UInt64) async throws {
        try await withRouter(accounts: 3, maxConcurrency: 4, limits: .init(concurrency: 10, queue: 300)) { router, _ in
            var random = SplitMix64(seed: seed)
            let plans = (0..<4000).map { _ in
                (
                    cancels: Int.random(in: 0..<3, using: &random) == 0, yields: Int.random(in: 0..<6, using: &random),
                    outcome: Int.random(in: 0..<8, using: &random)
                )
            }
            await withTaskGroup(of: Void.self) { group in
                let watcher = Task {
                    while !Task.isCancelled {
                        let snapshot = await router.snapshot()
                        #expect(snapshot.permits.inUse <= 10)
                        #expect(snapshot.upstreams.reduce(0) { $0 + $1.state.permits.inUse } == snapshot.permits.inUse)
                        for (_, state) in snapshot.upstreams {
                            let books = state.statistics
                            #expect(state.permits.inUse <= 4)
                            #expect(
                                books.requests == books.succeeded + books.failed + books.cancelled + state.permits.inUse
                            )
                        }
                        await Task.yield()
                    }
                }
                for plan in plans {
                    let request = request(router)
                    group.addTask {
                        let task = Task {
                            guard case .success(let permit) = await router.admit(request) else { return }
                            for _ in 0..<plan.yields { await Task.yield() }
                            let outcome: AttemptOutcome =
                                Task.isCancelled ? .abandoned : plan.outcome == 0 ? .refused : .succeeded
                            await router.end(permit, AttemptEnding(outcome))
                        }
                        if plan.cancels {
                            for _ in 0..<plan.yields { await Task.yield() }
                            task.cancel()
                        }
                        await task.value
                    }
                }
                await group.waitForAll()
                watcher.cancel()
                await watcher.value
            }
            let snapshot = await router.snapshot()
            #expect(snapshot.waiting == 0 && snapshot.permits.inUse == 0)
            #expect(snapshot.upstreams.allSatisfy { $0.state.permits.inUse == 0 })
        }
    }
}
