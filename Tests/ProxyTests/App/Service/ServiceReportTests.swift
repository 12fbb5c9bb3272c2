import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct ServiceReportTests {
    @Test func `The status says who is well and what runs`() {
        #expect(
            ServiceReport.line(.init(healthy: 2, total: 3, inFlight: 1), isDraining: false)
                == "2 of 3 accounts healthy, 1 request in flight")
        #expect(
            ServiceReport.line(.init(healthy: 2, total: 3, inFlight: 0), isDraining: true)
                == "Draining, 0 requests in flight")
    }

    @Test func `The summary counts the upstreams of the route`() async throws {
        let router = try Router.fixture(accounts: 3)
        let route = HealthRoute(
            mode: "multi", router: router, accountList: AccountList(entries: (0..<3).map { .serving($0) }))
        #expect(await route.summary() == .init(healthy: 3, total: 3, inFlight: 0))
    }

    /// The manager's end of the socket.
    private final class Inbox {
        let name = "@ociai-report-\(UUID().uuidString)"
        private let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)

        init() throws {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + Array(name.utf8.dropFirst())) }
            let length = socklen_t(2 + name.utf8.count)
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            try #require(status == 0)
        }

        deinit { close(descriptor) }

        var next: String? {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
    }

    @Test func `A router that hangs is no sign of life`() async throws {
        let inbox = try Inbox()
        let time = ManualTime()
        let (asked, ask) = AsyncStream.makeStream(of: Int.self)
        let (hangs, never) = AsyncStream.makeStream(of: Int.self)
        let report = ServiceReport(
            notifier: ServiceNotifier(NotifySocket(inbox.name)), watchdog: .seconds(30),
            summary: {
                ask.yield(0)
                // Until the task is cancelled.
                for await _ in hangs {}
                return .init(healthy: 1, total: 1, inFlight: 0)
            }, drain: Drain(), time: time.source)
        let task = Task { await report.run() }
        for await _ in asked { break }
        time.advance(by: .seconds(3600))
        #expect(inbox.next == nil, "it has not answered")
        task.cancel()
        await task.value
        never.finish()
    }
}
