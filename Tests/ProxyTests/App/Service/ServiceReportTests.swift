import Testing

@testable import Proxy

@Suite struct ServiceReportTests {
    @Test func theStatusSaysWhoIsWellAndWhatRuns() {
        #expect(ServiceReport.line(healthy: 2, total: 3, inFlight: 1, isDraining: false) == "2 of 3 accounts healthy, 1 request in flight")
        #expect(ServiceReport.line(healthy: 2, total: 3, inFlight: 0, isDraining: true) == "Draining, 0 requests in flight")
    }
}
