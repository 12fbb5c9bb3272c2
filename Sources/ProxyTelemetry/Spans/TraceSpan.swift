/// A piece of work with a beginning and an end, as OpenTelemetry knows it. The standard library has a `Span` of another
/// kind, hence the longer name.
package struct TraceSpan: Hashable, Sendable {
    /// The protocol's numbers.
    package enum Kind: UInt8, Hashable, Sendable {
        case `internal` = 1
        case server, client, producer, consumer
    }

    package enum Status: Hashable, Sendable {
        case unset, ok
        /// With a short text that says the class of error.
        case error(String)
    }

    /// Something that happened at one moment of it.
    package struct Event: Hashable, Sendable {
        package var name: String
        /// Nanoseconds since 1970.
        package var time: UInt64
        package var attributes: [SpanAttribute]

        package init(_ name: String, at time: UInt64, _ attributes: [SpanAttribute] = []) {
            self.name = name
            self.time = time
            self.attributes = attributes
        }
    }

    /// A span of another trace that has to do with it.
    package struct Link: Hashable, Sendable {
        package var context: TraceContext
        /// Whether it is another process's.
        package var isRemote: Bool
        package var attributes: [SpanAttribute]

        package init(_ context: TraceContext, isRemote: Bool, _ attributes: [SpanAttribute] = []) {
            self.context = context
            self.isRemote = isRemote
            self.attributes = attributes
        }
    }

    package var traceID: TraceID
    package var id: SpanID
    package var parent: SpanID?
    /// Whether the parent is another process's. Of no meaning without one.
    package var parentIsRemote = false
    package var flags: TraceFlags
    /// `tracestate` of the trace.
    package var state: String?
    package var name: String
    package var kind: Kind
    /// Nanoseconds since 1970.
    package var start: UInt64
    /// The same, and not before it.
    package var end: UInt64
    /// Each key once.
    package var attributes: [SpanAttribute] = []
    package var events: [Event] = []
    package var links: [Link] = []
    package var status = Status.unset
    /// What did not fit.
    package var droppedAttributes: UInt32 = 0
    package var droppedEvents: UInt32 = 0
    package var droppedLinks: UInt32 = 0

    package init(
        _ name: String, kind: Kind, traceID: TraceID, id: SpanID, parent: SpanID? = nil, flags: TraceFlags,
        start: UInt64, end: UInt64
    ) {
        self.name = name
        self.kind = kind
        self.traceID = traceID
        self.id = id
        self.parent = parent
        self.flags = flags
        self.start = start
        self.end = max(start, end)
    }
}
