import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct HTTPDateTests {
    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (2_020_109_500, "Thu, 05 Jan 2034 21:31:40 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)])
    func `Writes dates`(seconds: Int64, text: String) {
        #expect(HTTPDate.format(seconds) == text)
    }

    /// Many ask for it at once, and not all for the same second: around midnight, say.
    @Test func `The present second is written as any other`() async {
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<500 {
                        let seconds = Int64(1_700_000_000 + (step + task) / 100)
                        #expect(HTTPDate.ofNow(seconds) == HTTPDate.format(seconds))
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<10) func `Agrees with Foundation and is read back`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        let obsolete = ["EEEE, dd-MMM-yy HH:mm:ss 'GMT'", "EEE MMM d HH:mm:ss yyyy"]
        for _ in 0..<200 {
            let seconds = Int64.random(in: 0...253_402_300_799, using: &random)
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let text = HTTPDate.format(seconds)
            #expect(text == formatter.string(from: date))
            #expect(HTTPDate.parse(text, now: 0) == seconds)
            for form in obsolete {
                formatter.dateFormat = form
                #expect(HTTPDate.parse(formatter.string(from: date), now: seconds) == seconds)
            }
        }
    }

    /// RFC 9110, 5.6.7: its own example in the three forms; and what servers write besides.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "sun, 6 nov 1994 8:49:37 gmt",
        "  Sun,06 Nov 1994\t08:49:37 UTC ", "Sun, 06-Nov-1994 08:49:37 GMT", "Mon, 06 Nov 1994 08:49:37 GMT",
    ])
    func `Reads all forms of the RF cs`(text: String) {
        #expect(HTTPDate.parse(text, now: 1_000_000_000) == 784_111_777)
    }

    @Test(arguments: [
        "", " ", "120", "1.5", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 199 08:49:37 GMT",
        "Sun, 06 Nov 19944 08:49:37 GMT",
        "Sun, 06 Nvo 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun Nov 6 08:49:37 1994 GMT x",
        "1, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT" + String(repeating: " ", count: 64),
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    ])
    func `Refuses what is no date`(text: String) {
        #expect(HTTPDate.parse(text, now: 0) == nil)
    }

    @Test func `A leap second is the next minute`() {
        #expect(HTTPDate.parse("Sat, 31 Dec 2016 23:59:60 GMT", now: 0) == 1_483_228_800)
    }

    /// RFC 9110, 5.6.7: what would lie more than 50 years ahead is past. `now` is 6 Nov 2026.
    @Test(arguments: [
        ("Friday, 06-Nov-76 00:00:00 GMT", "Fri, 06 Nov 2076 00:00:00 GMT"),
        ("Sunday, 07-Nov-76 00:00:00 GMT", "Sun, 07 Nov 1976 00:00:00 GMT"),
        ("Friday, 01-Jan-99 00:00:00 GMT", "Fri, 01 Jan 1999 00:00:00 GMT"),
        ("Sunday, 01-Nov-26 00:00:00 GMT", "Sun, 01 Nov 2026 00:00:00 GMT"),
        ("Saturday, 01-Jan-00 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
    ])
    func `A year of two digits is the near one`(text: String, meant: String) {
        let seconds = HTTPDate.parse(text, now: 1_793_923_200)
        #expect(seconds.map { HTTPDate.format($0) } == meant)
    }

    @Test(arguments: 0..<4) func `Noise never crashes`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let parts = [
            "Sun", "Nov", "06", "-", " ", ",", ":", "1994", "94", "08:49:37", "GMT", "99999999999999999999", "é",
            "\u{0}",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0..<12, using: &random)).compactMap { _ in
                parts.randomElement(using: &random)
            }.joined()
            if let seconds = HTTPDate.parse(text, now: .random(in: Int64.min...Int64.max, using: &random)) {
                #expect((-62_167_219_200...253_402_300_799).contains(seconds))
            }
        }
    }
}
