import Testing

@testable import Proxy

/// What the service manager is told, and when.
@Suite struct ServiceMessagesTests {
    @Test func `Messages have the words of the protocol`() {
        #expect(ServiceMessage.ready.text == "READY=1")
        #expect(ServiceMessage.reloading(monotonic: 17).text == "RELOADING=1\nMONOTONIC_USEC=17")
        #expect(ServiceMessage.stopping.text == "STOPPING=1")
        #expect(ServiceMessage.status("all well").text == "STATUS=all well")
        #expect(ServiceMessage.watchdog.text == "WATCHDOG=1")
    }

    @Test func `A life is told in its order`() {
        var state = ServiceState()
        #expect(state.started() == .ready)
        #expect(state.reloadBegan(monotonic: 1) == .reloading(monotonic: 1))
        #expect(state.reloadEnded() == .ready)
        #expect(state.reloadBegan(monotonic: 2) == .reloading(monotonic: 2))
        #expect(state.reloadEnded() == .ready)
        #expect(state.stopped() == .stopping)
        #expect(state.stopped() == nil)
    }

    @Test func `A reload before the port listens does not make ready`() {
        var state = ServiceState()
        #expect(state.reloadBegan(monotonic: 1) == nil)
        #expect(state.reloadEnded() == nil)
        #expect(state.started() == .ready)
    }

    @Test func `Who stops in the middle of a reload does not become ready again`() {
        var state = ServiceState()
        _ = state.started()
        _ = state.reloadBegan(monotonic: 1)
        #expect(state.stopped() == .stopping)
        #expect(state.reloadEnded() == nil)
        #expect(state.started() == nil)
        #expect(state.reloadBegan(monotonic: 2) == nil)
    }

    @Test func `Signs of life come at half of the watchdog and the status when it changes`() {
        var schedule = ReportSchedule(watchdog: .seconds(6), at: .zero)
        #expect(schedule.report("a", at: .zero) == [.watchdog, .status("a")])
        #expect(schedule.next == .seconds(3))
        #expect(schedule.report("b", at: .seconds(2)) == [])
        #expect(schedule.report("b", at: .seconds(3)) == [.watchdog])
        #expect(schedule.next == .seconds(6))
        #expect(schedule.report("b", at: .seconds(10)) == [.watchdog, .status("b")])
        #expect(schedule.report("b", at: .seconds(20)) == [.watchdog])
    }

    @Test func `Without a watchdog there is only the status`() {
        var schedule = ReportSchedule(watchdog: nil, at: .zero)
        #expect(schedule.report("a", at: .zero) == [.status("a")])
        #expect(schedule.next == .seconds(10))
        #expect(schedule.report("a", at: .seconds(10)) == [])
        #expect(schedule.next == .seconds(20))
    }
}
