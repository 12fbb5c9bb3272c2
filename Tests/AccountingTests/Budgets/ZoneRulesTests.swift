import Foundation
import Testing

@testable import ProxyAccounting

@Suite struct ZoneRulesTests {
    private static let folder = "/usr/share/zoneinfo/"

    /// Foundation has the same database, in another form.
    @Test func `Every zone has the offsets that Foundation knows`() throws {
        var dice = Dice(17)
        var compared = 0
        for name in TimeZone.knownTimeZoneIdentifiers {
            guard let rules = ZoneDatabase.rules(of: name), let zone = TimeZone(identifier: name) else { continue }
            var different = 0
            for _ in 0..<60 {
                // To 2026: the two need not be of the same edition, and laws change.
                let moment = Int64.random(in: 0...1_760_000_000, using: &dice)
                let expected = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment))))
                if rules.offset(at: moment) != expected { different += 1 }
            }
            // Editions also differ in what they know of the past.
            if different == 0 { compared += 1 }
        }
        #expect(compared > 380, "\(compared)")
    }

    @Test(arguments: BudgetCalendarTests.zones)
    func `The zones of these tests have them at every hour of many years`(name: String) throws {
        let rules = try #require(ZoneDatabase.rules(of: name))
        let zone = try #require(TimeZone(identifier: name))
        for moment in stride(from: Int64(1_136_073_600), to: 1_767_225_600, by: 7_200) {
            let expected = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment))))
            guard rules.offset(at: moment) != expected else { continue }
            Issue.record("\(name) at \(moment): \(rules.offset(at: moment)) for \(expected)")
            return
        }
    }

    @Test(
        arguments: [
            ("UTC0", 1_800_000_000, 0), ("<-03>3", 1_800_000_000, -10_800), ("IST-5:30", 1_800_000_000, 19_800),
            ("XYZ+1:02:03", 0, -3_723),
            // 2050: from 27 March to 30 October, changed at 01:00 UTC.
            ("CET-1CEST,M3.5.0,M10.5.0/3", 2_531_869_199, 3_600), ("CET-1CEST,M3.5.0,M10.5.0/3", 2_531_955_600, 7_200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 2_550_704_399, 7_200), ("CET-1CEST,M3.5.0,M10.5.0/3", 2_550_704_400, 3_600),
            // South of the equator summer goes over the year's end; half an hour of it.
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2_524_608_000, 39_600),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2_540_000_000, 37_800),
            // Dublin's winter is the exception, by an hour less.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 2_524_608_000, 0), ("IST-1GMT0,M10.5.0,M3.5.0/1", 2_540_000_000, 3_600),
            // Hours before midnight and days later.
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2_540_000_000, -3_600),
            ("EST5EDT,J60/0,J300/0", 2_529_446_399, -18_000), ("EST5EDT,J60/0,J300/0", 2_529_723_600, -14_400),
            ("EST5EDT,59/0,299/0", 2_529_723_600, -14_400),
            // Summer time without an end.
            ("XXX3EDT4,0/0,J365/23", 2_524_608_000, -14_400), ("XXX3EDT4,0/0,J365/23", 2_540_000_000, -14_400),
        ] as [(String, Int64, Int64)])
    func `Rules of every year`(text: String, moment: Int64, offset: Int64) throws {
        #expect(try #require(YearlyZoneRule(text)).offset(at: moment) == offset)
    }

    @Test(
        arguments: [
            "", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,J0,J9", "<CET-1", "CET-168",
            "CET-1:60", "CET-1CEST,400,9", "CET-1CEST,M3.5.0/,M10.5.0",
        ])
    func `What is no rule is none`(text: String) { #expect(YearlyZoneRule(text) == nil) }

    @Test func `Damaged files are told, whatever is wrong with them`() throws {
        var dice = Dice(23)
        for name in ["Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo"] {
            let whole = [UInt8](try #require(FileManager.default.contents(atPath: Self.folder + name)))
            #expect(ZoneRules(tzif: whole) != nil)
            #expect(ZoneRules(tzif: []) == nil)
            for length in 0..<whole.count - 1 where ZoneRules(tzif: Array(whole.prefix(length))) != nil {
                Issue.record("\(name): \(length) of \(whole.count) bytes")
            }
            for _ in 0..<2_000 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &dice) {
                    bytes[Int.random(in: bytes.indices, using: &dice)] = .random(in: .min ... .max, using: &dice)
                }
                // It may still be a zone; then it answers.
                guard let rules = ZoneRules(tzif: bytes) else { continue }
                #expect(abs(rules.offset(at: .random(in: 0...4_000_000_000, using: &dice))) <= 168 * 3_600)
            }
        }
    }

    @Test(arguments: [
        "/etc/passwd", "../etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/", ".", "a b", "-x",
    ])
    func `A name leads to no other file`(name: String) {
        #expect(!ZoneDatabase.isName(name))
        #expect(ZoneDatabase.rules(of: name) == nil)
    }

    @Test(arguments: [
        "Europe/Berlin", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "EST5EDT",
    ])
    func `Names of zones`(name: String) {
        #expect(ZoneDatabase.isName(name))
        #expect(ZoneDatabase.rules(of: name) != nil)
    }
}
