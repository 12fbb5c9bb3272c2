import Testing

@testable import Proxy

@Suite struct RetryAfterTests {
    @Test(
        arguments: [
            ("7", 7), ("0", 0), (" 12 ", 12), ("1.2", 2), ("1e9", 86_400), ("nan", nil), ("inf", nil), ("-1", nil),
            ("", nil), ("soon", nil),
            ("Thu, 01 Jan 1970 00:02:00 GMT", 20), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ] as [(String, Int?)])
    func `Reads numbers and dates`(header: String, seconds: Int?) {
        #expect(RetryAfter.seconds(header, now: 100) == seconds)
    }
}
