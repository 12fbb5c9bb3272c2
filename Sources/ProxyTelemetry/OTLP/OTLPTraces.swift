/// Spans as OTLP wants them: an `ExportTraceServiceRequest` in Protocol Buffers (opentelemetry-proto 1.x).
package struct OTLPTraces: Sendable {
    /// `Resource` and `InstrumentationScope`, the same in each request.
    private let resource: [UInt8]
    private let scope: [UInt8]
    /// Scalars of an attribute's text; nil is no limit.
    private let valueLengthLimit: Int?

    package init(_ resource: TelemetryResource, valueLengthLimit: Int? = nil) {
        self.valueLengthLimit = valueLengthLimit
        var writer = ProtobufWriter()
        for attribute in resource.attributes { Self.write(attribute, as: 1, limit: nil, to: &writer) }
        self.resource = writer.bytes
        writer = ProtobufWriter()
        if !resource.scopeName.isEmpty { writer.string(1, resource.scopeName) }
        if !resource.scopeVersion.isEmpty { writer.string(2, resource.scopeVersion) }
        scope = writer.bytes
    }

    /// The body of a request.
    package func request(_ spans: some Collection<TraceSpan>) -> [UInt8] {
        var writer = ProtobufWriter(capacity: resource.count + scope.count + 1024 * spans.count + 64)
        writer.message(1) { writer in
            writer.message(1, written: resource)
            writer.message(2) { writer in
                writer.message(1, written: scope)
                for span in spans { writer.message(2) { write(span, to: &$0) } }
            }
        }
        return writer.bytes
    }

    private func write(_ span: TraceSpan, to writer: inout ProtobufWriter) {
        writer.bigEndian(1, span.traceID.high, span.traceID.low)
        writer.bigEndian(2, span.id.value)
        if let state = span.state, !state.isEmpty { writer.string(3, state) }
        if let parent = span.parent { writer.bigEndian(4, parent.value) }
        writer.string(5, span.name)
        writer.integer(6, UInt64(span.kind.rawValue))
        writer.fixed64(7, span.start)
        writer.fixed64(8, span.end)
        for attribute in span.attributes { write(attribute, as: 9, to: &writer) }
        if span.droppedAttributes > 0 { writer.integer(10, UInt64(span.droppedAttributes)) }
        for event in span.events { writer.message(11) { write(event, to: &$0) } }
        if span.droppedEvents > 0 { writer.integer(12, UInt64(span.droppedEvents)) }
        for link in span.links { writer.message(13) { write(link, to: &$0) } }
        if span.droppedLinks > 0 { writer.integer(14, UInt64(span.droppedLinks)) }
        switch span.status {
        case .unset: break
        case .ok: writer.message(15) { $0.integer(3, 1) }
        case .error(let text):
            writer.message(15) { writer in
                if !text.isEmpty { writer.string(2, text) }
                writer.integer(3, 2)
            }
        }
        writer.fixed32(16, Self.flags(span.flags, isRemote: span.parent != nil && span.parentIsRemote))
    }

    private func write(_ event: TraceSpan.Event, to writer: inout ProtobufWriter) {
        writer.fixed64(1, event.time)
        writer.string(2, event.name)
        for attribute in event.attributes { write(attribute, as: 3, to: &writer) }
    }

    private func write(_ link: TraceSpan.Link, to writer: inout ProtobufWriter) {
        writer.bigEndian(1, link.context.traceID.high, link.context.traceID.low)
        writer.bigEndian(2, link.context.spanID.value)
        if let state = link.context.state, !state.isEmpty { writer.string(3, state) }
        for attribute in link.attributes { write(attribute, as: 4, to: &writer) }
        writer.fixed32(6, Self.flags(link.context.flags, isRemote: link.isRemote))
    }

    private func write(_ attribute: SpanAttribute, as field: UInt32, to writer: inout ProtobufWriter) {
        Self.write(attribute, as: field, limit: valueLengthLimit, to: &writer)
    }

    /// A `KeyValue` with its `AnyValue`, in which defaults are written too: it is a `oneof`.
    private static func write(
        _ attribute: SpanAttribute, as field: UInt32, limit: Int?, to writer: inout ProtobufWriter
    ) {
        writer.message(field) { writer in
            writer.string(1, attribute.key)
            writer.message(2) { writer in
                switch attribute.value {
                case .string(let value): writer.string(1, cut(value, limit))
                case .boolean(let value): writer.boolean(2, value)
                case .integer(let value): writer.integer(3, UInt64(bitPattern: value))
                case .double(let value): writer.double(4, value)
                case .strings(let values):
                    writer.message(5) { writer in
                        for value in values { writer.message(1) { $0.string(1, cut(value, limit)) } }
                    }
                }
            }
        }
    }

    private static func cut(_ text: String, _ limit: Int?) -> String {
        limit.map { BoundedText.cut(text, toScalars: $0) } ?? text
    }

    /// The W3C's flags, and whether the parent (of a link: the other span) is another process's. Bit 8 says that it is
    /// known, bit 9 that it is.
    private static func flags(_ flags: TraceFlags, isRemote: Bool) -> UInt32 {
        UInt32(flags.rawValue) | 0x100 | (isRemote ? 0x200 : 0)
    }
}
