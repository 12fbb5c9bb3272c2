import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a check finds out while the process stands still.
@Suite(.timeLimit(.minutes(5))) struct MonitorTests {
    private let time = ManualTime()

    /// One check, of an account that does `answer` the first time and then answers well.
    private func check(_ answer: @escaping @Sendable () async throws -> Void) async throws -> (
        asked: Int, state: UpstreamState
    ) {
        let source = time.source(noticingGaps: true)
        let isFirst = Atomic(true)
        let transport = FakeTransport { _ in
            if isFirst.exchange(false, ordering: .relaxed) { try await answer() }
            return TransportResponse(
                status: 200, headers: ["content-type": "application/json"], body: ResponseBody.fed([#"{"items":[]}"#]))
        }
        let router = try Router.fixture(transport, time: source)
        let monitor = Monitor(router: router, broken: 0, interval: .seconds(30), time: source, logger: .silent)
        await monitor.round()
        return (transport.requests.count, await router.snapshot().upstreams[0].state)
    }

    @Test func `One that fails while it stands still is made again`() async throws {
        let time = time
        let (asked, state) = try await check {
            await time.waitForSleepers()
            time.advance(by: .seconds(60))
            throw TransportError.connectionLost("who waited for us has given up")
        }
        #expect(asked == 2 && state.health.lastCheck?.passed == true)
    }

    @Test func `One that has no answer while it stands still goes on`() async throws {
        let time = time
        let (asked, state) = try await check {
            await time.waitForSleepers()
            time.advance(by: .seconds(60))
            // The watch has seen it, and sleeps on.
            await time.waitForSleepers()
        }
        #expect(asked == 1 && state.health.lastCheck?.passed == true)
    }

    @Test func `One that fails otherwise counts`() async throws {
        let (asked, state) = try await check { throw TransportError.connectionLost("x") }
        #expect(asked == 1 && state.health.lastCheck?.passed == false)
    }
}
