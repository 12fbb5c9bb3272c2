import Testing

@testable import ProxyTelemetry

@Suite struct GoldenRequestTests {
    @Test func `A request has the bytes that it had`() {
        let digits = Array("0123456789abcdef".utf8)
        let hex = GoldenRequest.body.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let expected = GoldenRequest.hex.filter { !$0.isWhitespace }
        #expect(String(decoding: hex, as: UTF8.self) == expected)
    }

    @Test func `A small request is written as one would by hand`() {
        var resource = TelemetryResource(.init(name: "p", version: "1", instance: "i"))
        resource.attributes = [.init("s", .string("v"))]
        var span = TraceSpan(
            "n", kind: .server, traceID: Samples.trace(0x0A0B), id: SpanID(0x0102_0304_0506_0708)!,
            parent: SpanID(2), flags: .sampled, start: 1, end: 0x0102)
        span.parentIsRemote = true
        span.state = "a=b"
        span.status = .error("e")
        let expected: [[UInt8]] = [
            // ExportTraceServiceRequest.resource_spans
            [0x0A, 103],
            // .resource { attributes { key: "s" value { string_value: "v" } } }
            [0x0A, 10, 0x0A, 8, 0x0A, 1, 0x73, 0x12, 3, 0x0A, 1, 0x76],
            // .scope_spans
            [0x12, 89],
            // .scope { name: "p" version: "1" }
            [0x0A, 6, 0x0A, 1, 0x70, 0x12, 1, 0x31],
            // .spans
            [0x12, 79],
            // .trace_id, .span_id
            [0x0A, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0x0A, 0x0B], [0x12, 8, 1, 2, 3, 4, 5, 6, 7, 8],
            // .trace_state, .parent_span_id, .name, .kind
            [0x1A, 3, 0x61, 0x3D, 0x62], [0x22, 8, 0, 0, 0, 0, 0, 0, 0, 2], [0x2A, 1, 0x6E], [0x30, 2],
            // .start_time_unix_nano, .end_time_unix_nano
            [0x39, 1, 0, 0, 0, 0, 0, 0, 0], [0x41, 2, 1, 0, 0, 0, 0, 0, 0],
            // .status { message: "e" code: STATUS_CODE_ERROR }
            [0x7A, 5, 0x12, 1, 0x65, 0x18, 2],
            // .flags: sampled, known to be remote
            [0x85, 0x01, 0x01, 0x03, 0, 0],
        ]
        #expect(OTLPTraces(resource).request([span]) == expected.flatMap { $0 })
    }
}
