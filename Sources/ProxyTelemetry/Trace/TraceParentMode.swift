/// What a client's `traceparent` means to the proxy (`trace_parent`).
package enum TraceParentMode: String, Hashable, Sendable, CaseIterable {
    /// The request belongs to the client's trace.
    case `continue`
    /// It has a trace of its own, which points to the client's: for tools that count tokens twice when both sides report
    /// a call of one trace.
    case link
    /// The client's is not read.
    case ignore
}
