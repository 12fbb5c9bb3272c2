import Foundation
import OCISimulator
import Testing

/// The process is stopped for a while, as by a debugger, a frozen container or a machine that is short of everything.
@Suite struct StandstillTests {
    /// The events that came meanwhile lie in the socket: nobody has been silent but the proxy.
    @Test func `Nobody is blamed for the time in which the proxy stood still`() async throws {
        let pacing = Pacing(events: 60, text: "word ", interval: .milliseconds(100))
        let settings = "stream_timeout = 6s\nhealth_check_interval = 100ms"
        try await RunningProxy.run(accounts: 1, settings: settings, breaker: "max_failures = 1", pacing: pacing) {
            proxy in
            let connection = try await proxy.connect()
            defer { connection.close() }
            connection.send(proxy.chatRequest(RunningProxy.body(streams: true)))
            try await connection.received(#""content":"#, times: 3)
            proxy.send(SIGSTOP)
            try await Task.sleep(for: .seconds(8))
            proxy.send(SIGCONT)
            let answer = try await connection.answer()
            #expect(answer.status == 200 && answer.events.last == "[DONE]", "\(answer.body.suffix(500))")
            #expect(answer.text.components(separatedBy: "word").count == 61)
            try await proxy.logged("The process was suspended or got no CPU time")
            #expect(try await proxy.figure("opened_total", of: "account_1", on: "circuit-breaker") == 0)
            #expect(try await proxy.health() == (200, "healthy", 1))
            #expect(!proxy.log.contains("Account is unhealthy"), "\(proxy.log)")
            let gaps = try await proxy.get("/metrics", "Authorization: Bearer \(proxy.key)").body.firstMatch(
                of: /ociai_clock_gaps_total (\d+)/)
            #expect(gaps.flatMap { Int($0.1) } ?? 0 >= 1)
        }
    }
}
