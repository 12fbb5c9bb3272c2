import Foundation
import Testing

@testable import ProxyAccounting

@Suite struct BudgetCalendarTests {
    static let zones = [
        "UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
        "Asia/Shanghai", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham", "Africa/Casablanca",
        "Asia/Beirut", "America/Havana", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Lisbon", "Asia/Gaza",
    ]

    private func calendar(_ zone: String) throws -> BudgetCalendar { try #require(BudgetCalendar(timeZone: zone)) }

    /// Seconds since 1970 of a moment in UTC, `2026-03-29T01:00:00Z`.
    private func utc(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }

    /// Year, month, day, weekday (1 is Sunday), hour, minute and second on the zone's clock.
    private func clock(_ seconds: Int64, _ zone: String) throws -> DateComponents {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: zone))
        return calendar.dateComponents(
            [.year, .month, .day, .weekday, .hour, .minute, .second],
            from: Date(timeIntervalSince1970: Double(seconds)))
    }

    @Test(arguments: ["", "Nowhere/City", "Europe/Berlin ", "Mars", "../etc/passwd", "Europe"])
    func `A zone that does not exist is told`(name: String) { #expect(BudgetCalendar(timeZone: name) == nil) }

    @Test func `A calendar keeps its name`() throws {
        #expect(try calendar("Europe/Berlin").name == "Europe/Berlin")
        #expect(try calendar("Europe/Berlin") != calendar("UTC"))
    }

    @Test(
        arguments: [
            // A plain day, across the year's end, of a leap year.
            ("UTC", BudgetWindow.day, "2026-11-29T23:59:59Z", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"),
            ("UTC", .hour, "2026-11-29T22:59:59Z", "2026-11-29T22:00:00Z", "2026-11-29T23:00:00Z"),
            ("UTC", .week, "2026-11-29T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
            ("UTC", .week, "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"),
            ("UTC", .week, "2026-01-01T12:00:00Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("UTC", .month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("UTC", .month, "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("UTC", .month, "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            ("UTC", .month, "2100-02-28T23:59:59Z", "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"),
            ("UTC", .month, "2000-02-29T23:59:59Z", "2000-02-01T00:00:00Z", "2000-03-01T00:00:00Z"),
            // Days of 23 and 25 hours.
            ("Europe/Berlin", .day, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", .day, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ("America/New_York", .day, "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
            ("America/New_York", .day, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
            ("America/New_York", .month, "2026-11-15T12:00:00Z", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
            // Half an hour: clocks and their changes.
            ("Asia/Kolkata", .hour, "2026-06-01T10:29:59Z", "2026-06-01T09:30:00Z", "2026-06-01T10:30:00Z"),
            ("Asia/Kolkata", .day, "2026-06-01T18:30:00Z", "2026-06-01T18:30:00Z", "2026-06-02T18:30:00Z"),
            ("Australia/Lord_Howe", .day, "2026-04-05T00:00:00Z", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"),
            ("Australia/Lord_Howe", .hour, "2026-04-04T14:30:00Z", "2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"),
            ("Australia/Lord_Howe", .hour, "2026-04-04T15:29:59Z", "2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"),
            ("Australia/Lord_Howe", .hour, "2026-10-03T15:45:00Z", "2026-10-03T14:30:00Z", "2026-10-03T16:00:00Z"),
            // The hour that comes twice is two.
            ("Europe/Berlin", .hour, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
            ("Europe/Berlin", .hour, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
            // No midnight: the day begins at 01:00.
            ("America/Sao_Paulo", .day, "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
            ("America/Sao_Paulo", .day, "2018-02-17T12:00:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"),
            // No 30th of December.
            ("Pacific/Apia", .day, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", .day, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
            ("Pacific/Apia", .week, "2011-12-31T00:00:00Z", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z"),
            // At 00:01 clocks go back to 23:01: the new day has begun.
            ("America/St_Johns", .day, "2010-11-07T03:00:00Z", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"),
            ("Asia/Shanghai", .month, "2026-07-31T16:00:00Z", "2026-07-31T16:00:00Z", "2026-08-31T16:00:00Z"),
        ])
    func `Periods of the calendar`(zone: String, window: BudgetWindow, at: String, start: String, end: String) throws {
        let period = try calendar(zone).period(of: window, containing: utc(at))
        #expect(period == BudgetPeriod(start: try utc(start), end: try utc(end)))
    }

    @Test func `The total never ends`() throws {
        for seconds in [0, 1_800_000_000, Int64.max, .min] {
            #expect(
                try calendar("Europe/Berlin").period(of: .total, containing: seconds)
                    == BudgetPeriod(start: 0, end: .max))
        }
    }

    @Test(arguments: [Int64.min, .max])
    func `Moments out of all reason do no harm`(seconds: Int64) throws {
        for window in BudgetWindow.allCases {
            let period = try calendar("Europe/Berlin").period(of: window, containing: seconds)
            #expect(period.start < period.end)
        }
    }

    @Test(arguments: zones)
    func `Periods hold their moment and leave no gap`(zone: String) throws {
        let calendar = try calendar(zone)
        var dice = Dice(UInt64(zone.utf8.count) &* 7919)
        for _ in 0..<120 {
            let moment = Int64.random(in: 0...2_200_000_000, using: &dice)
            for window in BudgetWindow.allCases where window != .total {
                let period = calendar.period(of: window, containing: moment)
                #expect(period.start <= moment && moment < period.end, "\(zone) \(window) \(moment)")
                #expect(calendar.period(of: window, containing: period.start) == period, "\(zone) \(window) \(moment)")
                #expect(
                    calendar.period(of: window, containing: period.end - 1) == period, "\(zone) \(window) \(moment)")
                #expect(calendar.period(of: window, containing: period.start - 1).end == period.start)
                #expect(calendar.period(of: window, containing: period.end).start == period.end)
            }
        }
    }

    @Test(arguments: zones)
    func `Every hour of some years follows the last one, the days with changed clocks among them`(zone: String) throws {
        let calendar = try calendar(zone)
        for year in ["2010-12-25", "2011-12-20", "2018-10-25", "2026-03-05", "2026-10-20"] {
            let first = try utc(year + "T00:00:00Z")
            for window in [BudgetWindow.hour, .day] {
                var period = calendar.period(of: window, containing: first)
                while period.start < first + 40 * 86_400 {
                    let next = calendar.period(of: window, containing: period.end)
                    #expect(next.start == period.end, "\(zone) \(window) \(period)")
                    let length = next.end - next.start
                    switch window {
                    case .hour: #expect(length >= 3_600 && length < 7_200, "\(zone) \(next)")
                    default: #expect(length >= 22 * 3_600 && length <= 26 * 3_600, "\(zone) \(next)")
                    }
                    period = next
                }
            }
        }
    }

    @Test(arguments: zones)
    func `Starts are midnights, Mondays and firsts of the month on the zone's clock`(zone: String) throws {
        let calendar = try calendar(zone)
        var dice = Dice(UInt64(zone.utf8.count) &* 104_729)
        for _ in 0..<80 {
            let moment = Int64.random(in: 0...2_200_000_000, using: &dice)
            let hour = try clock(calendar.period(of: .hour, containing: moment).start, zone)
            #expect(hour.minute == 0 && hour.second == 0, "\(zone) \(moment)")
            for window in [BudgetWindow.day, .week, .month] {
                let start = calendar.period(of: window, containing: moment).start
                let shown = try clock(start, zone)
                let before = try clock(start - 1, zone)
                // Where there is no midnight, the second before was on another day.
                #expect(
                    shown.hour == 0 && shown.minute == 0 && shown.second == 0 || shown.day != before.day,
                    "\(zone) \(window) \(moment)")
                if window == .week { #expect(shown.weekday == 2, "\(zone) \(moment)") }
                if window == .month {
                    let same = try clock(moment, zone)
                    #expect(shown.day == 1 && shown.month == same.month && shown.year == same.year, "\(zone) \(moment)")
                }
            }
        }
    }

    @Test func `A clock asks the calendar only when a period has ended, and says the same`() throws {
        let calendar = try calendar("Australia/Lord_Howe")
        var clock = BudgetClock(calendar)
        var dice = Dice(3)
        var moment: Int64 = 1_700_000_000
        for _ in 0..<2_000 {
            // Now and then the machine's clock is put back.
            moment += Int64.random(in: -1_000...20_000, using: &dice)
            for window in BudgetWindow.allCases {
                #expect(
                    clock.period(of: window, containing: moment) == calendar.period(of: window, containing: moment))
            }
        }
    }
}
