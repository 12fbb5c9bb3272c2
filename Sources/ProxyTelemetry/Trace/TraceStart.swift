/// The trace of one request, known when it begins: which trace, the server span's own id, and what came before.
package struct TraceStart: Hashable, Sendable {
    package let traceID: TraceID
    /// The server span's.
    package let spanID: SpanID
    /// The client's span; nil when this trace begins here.
    package let parent: SpanID?
    /// The client's `tracestate`, if its trace is continued.
    package let state: String?
    package let flags: TraceFlags
    /// What the client said, if its trace is continued.
    package let parentIsSampled: Bool?
    /// The client's span in the trace that this one points to.
    package let link: TraceContext?

    /// - Parameters:
    ///   - incoming: what the client's headers say; nil when it sent none or a malformed one.
    ///   - generator: for the ids of spans and new traces.
    package init(
        _ incoming: TraceContext?, mode: TraceParentMode, sampler: Sampler,
        using generator: inout some RandomNumberGenerator
    ) {
        spanID = SpanID(using: &generator)
        if mode == .continue, let incoming {
            traceID = incoming.traceID
            parent = incoming.spanID
            state = incoming.state
            parentIsSampled = incoming.flags.contains(.sampled)
            flags = incoming.flags.intersection(.random)
                .union(sampler.samples(traceID, parentIsSampled: parentIsSampled) ? .sampled : [])
            link = nil
        } else {
            traceID = TraceID(using: &generator)
            parent = nil
            state = nil
            parentIsSampled = nil
            flags = sampler.samples(traceID, parentIsSampled: nil) ? [.random, .sampled] : .random
            link = mode == .link ? incoming : nil
        }
    }

    /// Whether its spans are exported, whatever becomes of it.
    package var isSampled: Bool { flags.contains(.sampled) }

    /// What a provider is told that may know of the trace.
    ///
    /// - Parameter span: of the attempt that it serves.
    package func context(of span: SpanID) -> TraceContext {
        TraceContext(traceID: traceID, spanID: span, flags: flags, state: state)
    }
}
