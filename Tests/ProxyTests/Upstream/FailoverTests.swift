import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct FailoverTests {
    private let lost = TransportError.connectionLost("x")

    /// Runs attempts that fail as the list says, nil being a success; returns the ids in the order in which they were asked.
    private func run(
        _ failures: [(any Error)?], accounts: Int = 3, retryAttempts: Int = 3, time: ManualTime = ManualTime(),
        firstEventAt: Int? = nil
    ) async throws -> (asked: [String], error: (any Error)?, router: Router) {
        let router = try Router.fixture(time: time.source, accounts: accounts)
        let failover = Failover(router: router, retryAttempts: retryAttempts, random: { 0.5 })
        var asked: [String] = []
        var rest = failures[...]
        do {
            try await failover.run(request(accounts)) { upstream, report in
                asked.append(upstream.id)
                if asked.count == firstEventAt { report.change { $0.firstEvent = time.now } }
                if let failure = rest.popFirst() ?? nil { throw failure }
            }
            return (asked, nil, router)
        } catch {
            return (asked, error, router)
        }
    }

    private func request(_ accounts: Int) -> RoutedRequest {
        RoutedRequest(
            accepts: UpstreamSet(first: accounts), model: "m", arrival: .zero, deadline: .seconds(300), charge: nil,
            estimate: .none)
    }

    private func api(_ status: Int, retryAfter: Int? = nil) -> Failure {
        OCIErrorReader.translate(status: status, retryAfter: retryAfter, body: [], account: "a")
    }

    @Test func `A success is asked for once`() async throws {
        let result = try await run([nil])
        #expect(result.asked == ["default"] && result.error == nil)
        let snapshot = await result.router.snapshot()
        #expect(snapshot.permits.inUse == 0 && snapshot.upstreams[0].state.statistics.succeeded == 1)
    }

    @Test(arguments: [401, 403, 404, 408, 429, 500, 502, 503, 504])
    func `An upstream's own failure moves on at once`(status: Int) async throws {
        // Nobody moves this time: a sleep would never end.
        let result = try await run([api(status), nil])
        #expect(result.asked == ["default", "account_2"] && result.error == nil)
    }

    @Test(arguments: [400, 413, 422])
    func `The request's own fault goes back to the client`(status: Int) async throws {
        let result = try await run([api(status)])
        #expect(result.asked == ["default"] && (result.error as? Failure)?.status == status)
        #expect(await result.router.snapshot().upstreams[0].state.condition(at: .zero).consecutiveFailures == 0)
    }

    @Test func `Nothing is repeated once the client has seen a part`() async throws {
        let result = try await run([lost], firstEventAt: 1)
        #expect(result.asked == ["default"] && (result.error as? Failure)?.code == "upstream_connection_lost")
        let state = await result.router.snapshot().upstreams[0].state
        #expect(state.statistics.failed == 1 && state.condition(at: .zero).consecutiveFailures == 1)
    }

    @Test func `No more attempts than configured`() async throws {
        let result = try await run([lost, lost, lost, lost], accounts: 9, retryAttempts: 2)
        #expect(result.asked == ["default", "account_2", "account_3"])
        #expect((result.error as? Failure)?.status == 502)
    }

    @Test func `The same are asked again after a pause`() async throws {
        let time = ManualTime()
        async let result = run([lost, lost, lost, nil], accounts: 2, time: time)
        await time.waitForSleepers()
        #expect(time.now == .zero, "both were asked before anybody slept")
        time.advance(by: .milliseconds(250))
        let asked = try await result.asked
        #expect(asked == ["default", "account_2", "default", "account_2"])
    }

    @Test func `A short retry after is waited for and a long one is passed on`() async throws {
        let time = ManualTime()
        async let short = run([api(429, retryAfter: 4), nil], accounts: 1, time: time)
        await time.waitForSleepers()
        time.advance(by: .milliseconds(4049))
        await time.waitForSleepers()
        time.advance(by: .milliseconds(1))
        #expect(try await short.asked == ["default", "default"])

        let long = try await run([api(429, retryAfter: 7)], accounts: 1)
        #expect(
            long.asked == ["default"] && (long.error as? Failure)?.status == 429
                && (long.error as? Failure)?.retryAfter == 7)
    }

    @Test func `Who timed out is not asked again`() async throws {
        let time = ManualTime()
        async let result = run([MovingDeadline.Exceeded(cause: .firstToken), lost, nil], accounts: 2, time: time)
        await time.waitForSleepers()
        time.advance(by: .seconds(1))
        #expect(try await result.asked == ["default", "account_2", "account_2"])
    }

    @Test func `Refused credentials everywhere are the operator's concern`() async throws {
        let result = try await run([api(401), api(401), api(403)])
        let error = try #require(result.error as? Failure)
        #expect(
            result.asked.count == 3 && error.status == 502 && error.code == "upstream_auth_failed" && error.forbidsRetry
        )
    }

    @Test func `Nobody to ask is said with an outlook`() async throws {
        let time = ManualTime()
        let router = try Router.fixture(
            time: time.source, accounts: 1,
            settings: { _ in .init(breaker: .init(maxFailures: 1, resetTimeout: .seconds(42))) })
        let failover = Failover(router: router, retryAttempts: 0, random: { 0.5 })
        await #expect(throws: Failure.self) { try await failover.run(request(1)) { _, _ in throw lost } }
        do {
            try await failover.run(request(1)) { _, _ in }
            #expect(Bool(false), "the breaker is open")
        } catch let error as Failure {
            #expect(
                error.status == 503 && error.code == "no_account_available" && error.type == "overloaded_error"
                    && error.retryAfter == 5)
        }
    }

    @Test func `All cooling is 429`() async throws {
        let time = ManualTime()
        let router = try Router.fixture(time: time.source, accounts: 2)
        let failover = Failover(router: router, retryAttempts: 1, random: { 0.5 })
        let throttled = [api(429, retryAfter: 20), api(429, retryAfter: 10)]
        var calls = throttled[...]
        for _ in 0..<2 {
            do {
                try await failover.run(request(2)) { _, _ in
                    if let error = calls.popFirst() { throw error }
                }
                #expect(Bool(false), "both cool down")
            } catch let error as Failure {
                #expect(error.status == 429 && error.retryAfter == 10, "\(error)")
            }
        }
    }

    @Test func `After the deadline nobody else is asked`() async throws {
        let time = ManualTime()
        let router = try Router.fixture(time: time.source, accounts: 3)
        var asked: [String] = []
        await #expect(throws: Failure.self) {
            try await Failover(router: router, retryAttempts: 3).run(request(3)) { upstream, _ in
                asked.append(upstream.id)
                time.advance(by: .seconds(300))
                throw MovingDeadline.Exceeded(cause: .request)
            }
        }
        #expect(asked == ["default"])
        #expect(await router.snapshot().upstreams.map(\.state.statistics.requests) == [1, 0, 0])
    }

    @Test func `What has begun holds its permit until its end`() async throws {
        let router = try Router.fixture(accounts: 2)
        let failover = Failover(router: router, retryAttempts: 3)
        var calls = 0
        let begun = try await failover.begin(request(2)) { upstream, report in
            calls += 1
            if calls == 1 { throw lost }
            report.change { $0.usage = TokenUsage(prompt: 3, completion: 4, total: 7) }
            return upstream.id
        }
        #expect(begun.success == "account_2" && begun.attempt.upstream.id == "account_2")
        #expect(await router.snapshot().permits.inUse == 1)
        await begun.attempt.end()
        let snapshot = await router.snapshot()
        #expect(snapshot.permits.inUse == 0 && snapshot.upstreams[1].state.statistics.succeeded == 1)
        #expect(snapshot.upstreams[1].state.statistics.completionTokens == 4)
    }

    @Test func `What fails after its beginning is not repeated and counts against its upstream`() async throws {
        let router = try Router.fixture(accounts: 2)
        let failover = Failover(router: router, retryAttempts: 3)
        let begun = try await failover.begin(request(2)) { _, report in
            report.change { $0.firstEvent = .zero }
        }
        #expect(await begun.attempt.end(after: lost).failure?.code == "upstream_connection_lost")
        let snapshot = await router.snapshot()
        #expect(snapshot.permits.inUse == 0 && snapshot.upstreams[0].state.statistics.failed == 1)
        #expect(
            snapshot.upstreams[0].state.condition(at: .zero).consecutiveFailures == 1
                && snapshot.upstreams[1].state.statistics.requests == 0)
    }

    @Test func `A client that leaves in the middle counts for nobody`() async throws {
        let router = try Router.fixture(accounts: 1)
        let failover = Failover(router: router, retryAttempts: 3)
        let told = await Task {
            let begun = try await failover.begin(request(1)) { _, report in report.change { $0.firstEvent = .zero } }
            withUnsafeCurrentTask { $0?.cancel() }
            return await begun.attempt.end(after: lost).failure
        }.result
        #expect(try told.get() == nil)
        let state = await router.snapshot().upstreams[0].state
        #expect(
            state.statistics.cancelled == 1 && state.permits.inUse == 0
                && state.condition(at: .zero).consecutiveFailures == 0)
    }

    @Test func `A client that leaves counts for nobody`() async throws {
        let router = try Router.fixture(accounts: 2)
        let failover = Failover(router: router, retryAttempts: 3)
        let (started, starts) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await failover.run(request(2)) { _, _ in
                starts.yield()
                while !Task.isCancelled { await Task.yield() }
                throw lost
            }
        }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let state = await router.snapshot().upstreams[0].state
        #expect(
            state.statistics.cancelled == 1 && state.statistics.requests == 1 && state.permits.inUse == 0
                && state.condition(at: .zero).consecutiveFailures == 0)
    }

    @Test func `A client that leaves in a pause is gone`() async throws {
        let time = ManualTime()
        let task = Task { try await run([lost], accounts: 1, time: time) }
        await time.waitForSleepers()
        task.cancel()
        let result = try await task.value
        #expect(result.error is CancellationError)
    }
}
