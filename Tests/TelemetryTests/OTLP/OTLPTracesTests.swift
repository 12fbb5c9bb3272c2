import Testing

@testable import ProxyTelemetry

@Suite struct OTLPTracesTests {
    private static let resource = TelemetryResource(Samples.identity)

    /// The spans of a request, taken to pieces.
    private static func spans(_ body: [UInt8]) throws -> [WireMessage] {
        try WireMessage(body).messages(1)[0].messages(2)[0].messages(2)
    }

    private static func written(_ span: TraceSpan, limit: Int? = nil) throws -> WireMessage {
        try spans(OTLPTraces(resource, valueLengthLimit: limit).request([span]))[0]
    }

    @Test func `A request says who reports`() throws {
        let resourceSpans = try WireMessage(OTLPTraces(Self.resource).request(Samples.spans(1...3))).messages(1)
        #expect(resourceSpans.count == 1)
        let attributes = try resourceSpans[0].messages(1)[0].attributes(1)
        #expect(
            attributes.map(\.key) == [
                "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "service.name",
                "service.version", "service.instance.id",
            ])
        #expect(attributes.allSatisfy { $0.kind == 1 })
        let scopes = try resourceSpans[0].messages(2)
        #expect(scopes.count == 1)
        let scope = try scopes[0].messages(1)[0]
        #expect(scope.text(1) == "ociai-proxy" && scope.text(2) == "1.2.3")
        #expect(try scopes[0].messages(2).count == 3)
    }

    @Test func `Every kind of value is written, defaults too`() throws {
        var span = Samples.span()
        span.attributes = [
            .init("a", .string("")), .init("b", .boolean(false)), .init("c", .integer(0)), .init("d", .double(0)),
            .init("e", .strings([])), .init("f", .strings(["x", ""])), .init("g", .integer(-1)),
            .init("h", .double(1.5)),
            .init("i", .boolean(true)), .init("j", .integer(.min)),
        ]
        let read = try Self.written(span).attributes(9)
        #expect(
            read == [
                .init(key: "a", kind: 1, value: .bytes([])), .init(key: "b", kind: 2, value: .varint(0)),
                .init(key: "c", kind: 3, value: .varint(0)), .init(key: "d", kind: 4, value: .fixed64(0)),
                .init(key: "e", kind: 5, value: .bytes([])),
                .init(key: "f", kind: 5, value: .bytes([10, 3, 10, 1, 120, 10, 2, 10, 0]), texts: ["x", ""]),
                .init(key: "g", kind: 3, value: .varint(.max)),
                .init(key: "h", kind: 4, value: .fixed64(1.5.bitPattern)),
                .init(key: "i", kind: 2, value: .varint(1)), .init(key: "j", kind: 3, value: .varint(1 << 63)),
            ])
    }

    @Test(
        arguments: [
            (nil, true, [], 0x100), (nil, false, .sampled, 0x101), (9, false, .sampled, 0x101),
            (9, true, .sampled, 0x301), (9, true, [.sampled, .random], 0x303), (9, true, [], 0x300),
        ] as [(UInt64?, Bool, TraceFlags, UInt32)]
    )
    func `Flags say whose the parent is`(parent: UInt64?, isRemote: Bool, flags: TraceFlags, written: UInt32) throws {
        var span = Samples.span()
        span.parent = parent.flatMap { SpanID($0) }
        span.parentIsRemote = isRemote
        span.flags = flags
        let read = try Self.written(span)
        #expect(read.all(16) == [.fixed32(written)])
        #expect(read.all(4) == (parent == nil ? [] : [.bytes([0, 0, 0, 0, 0, 0, 0, 9])]))
    }

    @Test func `What is not there is not written`() throws {
        let read = try Self.written(Samples.span())
        #expect(read.fields.map(\.number) == [1, 2, 5, 6, 7, 8, 16])
    }

    @Test func `What was dropped is counted`() throws {
        var span = Samples.span()
        span.droppedAttributes = 1
        span.droppedEvents = 200
        span.droppedLinks = 3
        let read = try Self.written(span)
        #expect(read.all(10) == [.varint(1)] && read.all(12) == [.varint(200)] && read.all(14) == [.varint(3)])
    }

    @Test(
        arguments: [
            (TraceSpan.Status.unset, []), (.ok, [0x18, 1]), (.error(""), [0x18, 2]),
            (.error("no"), [0x12, 2, 0x6E, 0x6F, 0x18, 2]),
        ] as [(TraceSpan.Status, [UInt8])]
    )
    func `A status is written as the protocol has it`(status: TraceSpan.Status, written: [UInt8]) throws {
        var span = Samples.span()
        span.status = status
        #expect(try Self.written(span).bytes(15) == (written.isEmpty ? [] : [written]))
    }

    @Test func `Long values are cut when the operator wants it`() throws {
        var span = Samples.span()
        span.attributes = [
            .init("a", .string("éééé")), .init("b", .strings(["xxxx", "y"])), .init("c", .integer(12_345)),
        ]
        span.events = [.init("e", at: 1, [.init("d", .string("zzzz"))])]
        let read = try Self.written(span, limit: 2)
        let attributes = try read.attributes(9)
        #expect(attributes[0].value == .bytes(Array("éé".utf8)) && attributes[1].texts == ["xx", "y"])
        #expect(attributes[2].value == .varint(12_345))
        #expect(try read.messages(11)[0].attributes(3)[0].value == .bytes(Array("zz".utf8)))
        #expect(read.text(5) == span.name)
    }

    @Test func `Whatever a span is, an independent reader finds it again`() throws {
        var dice = Dice(61)
        func text() -> String {
            String(repeating: ["x", "é", "😀"].randomElement(using: &dice)!, count: .random(in: 0...90, using: &dice))
        }
        for _ in 0..<60 {
            let spans = (0..<Int.random(in: 0...40, using: &dice)).map { _ in
                var span = TraceSpan(
                    text(), kind: .client, traceID: TraceID(using: &dice), id: SpanID(using: &dice),
                    flags: .sampled, start: dice.next() >> 1, end: dice.next())
                span.attributes = (0..<Int.random(in: 0...30, using: &dice)).map {
                    SpanAttribute(
                        "key.\($0)",
                        Bool.random(using: &dice) ? .string(text()) : .integer(Int64(bitPattern: dice.next())))
                }
                span.events = (0..<Int.random(in: 0...3, using: &dice)).map { _ in .init(text(), at: dice.next()) }
                return span
            }
            let read = try Self.spans(OTLPTraces(Self.resource).request(spans))
            #expect(read.count == spans.count)
            for (span, read) in zip(spans, read) {
                let id = withUnsafeBytes(of: span.id.value.bigEndian) { Array($0) }
                #expect(read.bytes(2) == [id] && read.text(5) == span.name)
                #expect(read.all(7) == [.fixed64(span.start)] && read.all(8) == [.fixed64(span.end)])
                #expect(try read.attributes(9).map(\.key) == span.attributes.map(\.key))
                #expect(
                    try read.attributes(9).map(\.value)
                        == span.attributes.map {
                            switch $0.value {
                            case .integer(let number): .varint(UInt64(bitPattern: number))
                            case .string(let text): .bytes(Array(text.utf8))
                            default: .bytes([])
                            }
                        })
                #expect(try read.messages(11).map { $0.all(1) } == span.events.map { [.fixed64($0.time)] })
            }
        }
    }
}
