import Testing

@testable import Proxy

@Suite struct KeepAliveScheduleTests {
    @Test func `The first silence brings the headers and each further one a comment`() {
        var schedule = KeepAliveSchedule(interval: .seconds(15), at: .zero)
        #expect(schedule.due == .seconds(15))
        #expect(schedule.wake(at: .seconds(14)) == nil)
        #expect(schedule.wake(at: .seconds(15)) == .headers)
        #expect(schedule.wake(at: .seconds(30)) == .comment)
        #expect(schedule.wake(at: .seconds(45)) == .comment)
    }

    @Test func `After a minute without events an empty event takes the comment's place`() {
        var schedule = KeepAliveSchedule(interval: .seconds(15), at: .zero)
        let sent = (1...9).map { schedule.wake(at: .seconds(15 * $0)) }
        #expect(
            sent == [.headers, .comment, .comment, .emptyEvent, .comment, .comment, .comment, .emptyEvent, .comment])
    }

    @Test func `An event puts everything off`() {
        var schedule = KeepAliveSchedule(interval: .seconds(15), at: .zero)
        schedule.sentEvents(at: .seconds(50))
        #expect(schedule.hasHeaders)
        #expect(schedule.due == .seconds(65))
        #expect(schedule.wake(at: .seconds(60)) == nil)
        #expect(schedule.wake(at: .seconds(65)) == .comment)
    }

    @Test func `A long interval sends an empty event at once`() {
        var schedule = KeepAliveSchedule(interval: .seconds(90), at: .zero)
        #expect(schedule.wake(at: .seconds(90)) == .headers)
        #expect(schedule.wake(at: .seconds(180)) == .emptyEvent)
    }
}
