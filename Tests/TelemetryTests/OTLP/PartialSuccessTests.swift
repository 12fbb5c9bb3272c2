import Testing

@testable import ProxyTelemetry

@Suite struct PartialSuccessTests {
    @Test(
        arguments: [
            ([], nil),
            // `partial_success` that is empty, which a collector may send.
            ([0x0A, 0x00], nil),
            ([0x0A, 0x02, 0x08, 0x00], nil),
            ([0x0A, 0x02, 0x08, 0x03], PartialSuccess(rejected: 3, message: "")),
            ([0x0A, 0x06, 0x08, 0x03, 0x12, 0x02, 0x6E, 0x6F], PartialSuccess(rejected: 3, message: "no")),
            ([0x0A, 0x04, 0x12, 0x02, 0x6E, 0x6F], PartialSuccess(rejected: 0, message: "no")),
            // Fields that nobody knows yet, around and within.
            (
                [0x10, 0x05, 0x1A, 0x01, 0x78, 0x0A, 0x09, 0x18, 0x01, 0x08, 0x03, 0x22, 0x00, 0x2D, 0, 0],
                PartialSuccess(rejected: 3, message: "")
            ),
            // A count below zero (-1 as ten bytes).
            (
                [0x0A, 0x0F, 0x08] + Array(repeating: 0xFF, count: 9) + [0x01, 0x12, 0x02, 0x6E, 0x6F],
                PartialSuccess(rejected: 0, message: "no")
            ),
            // A text that is not UTF-8.
            ([0x0A, 0x03, 0x12, 0x01, 0xFF], PartialSuccess(rejected: 0, message: "\u{FFFD}")),
            // Cut off behind the count.
            ([0x0A, 0x04, 0x08, 0x03, 0x12, 0x09], PartialSuccess(rejected: 3, message: "")),
            // The field is of another type.
            ([0x08, 0x03], nil),
            (Array("{\"partialSuccess\":{}}".utf8), nil), (Array("<html>".utf8), nil), (Array("ok".utf8), nil),
        ] as [([UInt8], PartialSuccess?)]
    )
    func `A collector's answer is read as far as it makes sense`(body: [UInt8], expected: PartialSuccess?) {
        #expect(PartialSuccess(response: body) == expected)
    }

    @Test func `No bytes crash it`() {
        var dice = Dice(21)
        for _ in 0..<20_000 {
            let body = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
                UInt8.random(in: .min ... .max, using: &dice)
            }
            // Mostly with the right beginning, so that it goes deeper.
            let partial = PartialSuccess(response: Bool.random(using: &dice) ? [0x0A, UInt8(body.count)] + body : body)
            #expect(partial?.rejected ?? 0 >= 0)
        }
    }
}
