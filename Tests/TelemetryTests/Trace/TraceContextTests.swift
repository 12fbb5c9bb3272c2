import Testing

@testable import ProxyTelemetry

@Suite struct TraceContextTests {
    private static let plain = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `The W3C's example is read and written`() throws {
        let context = try #require(TraceContext(traceparent: Self.plain, tracestate: "congo=t61rcWkgMzE"))
        #expect(context.traceID == TraceID(high: 0x0AF7_6519_16CD_43DD, low: 0x8448_EB21_1C80_319C))
        #expect(context.spanID == SpanID(0xB7AD_6B71_6920_3331))
        #expect(context.flags == .sampled)
        #expect(context.state == "congo=t61rcWkgMzE")
        #expect(context.traceparent == Self.plain)
        #expect(context.traceID.description == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.spanID.description == "b7ad6b7169203331")
    }

    @Test(
        arguments: [
            "", "00", "00-", "x",
            // Too short, and too long for version 00.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-010",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
            // Two headers that were joined.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01,"
                + "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            // Zeros.
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            // The version that must not be, and ones that are none.
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "FE-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            // Capitals and other letters.
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333.-01",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b716920333-01",
            // Dashes elsewhere.
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
            "000-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            // Of a later version what is behind begins with a dash.
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-010",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        ]
    )
    func `What is malformed is ignored`(header: String) {
        #expect(TraceContext(traceparent: header, tracestate: "a=b") == nil)
    }

    @Test(
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 0),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", 3),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", 3),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-08", 0),
            // Later versions.
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 1),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", 1),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like", 1),
            ("fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-", 0),
        ] as [(String, UInt8)]
    )
    func `Flags that nobody knows are left away, and version 00 is written`(header: String, flags: UInt8) throws {
        let context = try #require(TraceContext(traceparent: header))
        #expect(context.flags.rawValue == flags)
        #expect(context.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\(flags)")
    }

    @Test func `A later version may be longer, but not of any length`() {
        let known = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"
        #expect(TraceContext(traceparent: known + String(repeating: "x", count: 512 - known.utf8.count)) != nil)
        #expect(TraceContext(traceparent: known + String(repeating: "x", count: 513 - known.utf8.count)) == nil)
    }

    @Test(
        arguments: [
            ("a=1,b=2", "a=1,b=2"), (" a=1 , b=2\t", "a=1 , b=2"), ("a=1,,b=2", "a=1,,b=2"),
            ("tenant@vendor=x=y;z", "tenant@vendor=x=y;z"), ("a=", "a="),
            ("", nil), ("  ", nil), (",", nil), ("a", nil), ("=1", nil), ("a=1,b", nil),
            ("a=é", nil), ("a=1\n", nil), ("a=1\u{7F}", nil), ("a=1\r\nx: y", nil), ("a=1\0", nil),
        ] as [(String, String?)]
    )
    func `A tracestate is kept as it came, or not at all`(header: String, kept: String?) throws {
        let context = try #require(TraceContext(traceparent: Self.plain, tracestate: header))
        #expect(context.state == kept)
    }

    @Test func `A tracestate has at most 512 bytes and 32 members`() {
        let long = "a=" + String(repeating: "x", count: 510)
        #expect(TraceContext(traceparent: Self.plain, tracestate: long)?.state == long)
        #expect(TraceContext(traceparent: Self.plain, tracestate: long + "x")?.state == nil)
        let many = (1...32).map { "k\($0)=v" }.joined(separator: ",")
        #expect(TraceContext(traceparent: Self.plain, tracestate: many)?.state == many)
        #expect(TraceContext(traceparent: Self.plain, tracestate: many + ",x=y")?.state == nil)
    }

    @Test func `Whatever is written is read again`() throws {
        var dice = Dice(7)
        for _ in 0..<2_000 {
            let context = TraceContext(
                traceID: TraceID(using: &dice), spanID: SpanID(using: &dice),
                flags: TraceFlags(rawValue: UInt8.random(in: 0...3, using: &dice)))
            #expect(context.traceparent.utf8.count == 55)
            #expect(TraceContext(traceparent: context.traceparent) == context)
        }
    }

    @Test func `A header with one byte changed is another one, or none, and never crashes`() throws {
        var dice = Dice(8)
        let bytes = Array(Self.plain.utf8)
        for _ in 0..<5_000 {
            var changed = bytes
            changed[Int.random(in: 0..<55, using: &dice)] = UInt8.random(in: .min ... .max, using: &dice)
            let header = String(decoding: changed, as: UTF8.self)
            guard let context = TraceContext(traceparent: header) else { continue }
            // Versions and flags may be others; what is read is what stands there.
            #expect(header.dropFirst(3).prefix(49) == context.traceparent.dropFirst(3).prefix(49))
        }
    }

    @Test func `Ids are never zero, whatever the generator gives`() {
        struct Zeros: RandomNumberGenerator { mutating func next() -> UInt64 { 0 } }
        var zeros = Zeros()
        let context = TraceContext(
            traceID: TraceID(using: &zeros), spanID: SpanID(using: &zeros), flags: [])
        #expect(TraceContext(traceparent: context.traceparent) == context)
        #expect(TraceID(high: 0, low: 0) == nil && SpanID(0) == nil)
    }
}
