/// Which traces are exported (`OTEL_TRACES_SAMPLER`), decided when a request begins, and which ones besides, when it has
/// ended.
package struct Sampler: Hashable, Sendable {
    package enum Root: Hashable, Sendable {
        case all, none
        /// A share of 0...1 by the trace's id, so that all services which sample by it choose the same ones.
        case ratio(Double)
    }

    /// How a request ended, as far as it matters here.
    package struct Outcome: Hashable, Sendable {
        package var isError: Bool
        /// A broken answer was continued by another upstream.
        package var wasRescued: Bool
        package var duration: Duration

        package init(isError: Bool, wasRescued: Bool = false, duration: Duration = .zero) {
            self.isError = isError
            self.wasRescued = wasRescued
            self.duration = duration
        }
    }

    /// For traces without a parent, and for all when `parentDecides` is false.
    package var root: Root
    /// The client's flag wins, whichever it is (`parentbased_*`).
    package var parentDecides: Bool

    package init(_ root: Root, parentDecides: Bool) {
        self.root = root
        self.parentDecides = parentDecides
    }

    /// The specification's default.
    package static let parentBasedAll = Sampler(.all, parentDecides: true)

    /// Whether a trace is exported, whatever becomes of it.
    ///
    /// - Parameter parentIsSampled: the client's flag; nil for a trace that begins here.
    package func samples(_ trace: TraceID, parentIsSampled: Bool?) -> Bool {
        if parentDecides, let parentIsSampled { return parentIsSampled }
        switch root {
        case .all: return true
        case .none: return false
        case .ratio(let ratio):
            // As the SDKs of Go and Java: the lower 63 bits as a share of all there are.
            let limit = UInt64(min(max(ratio, 0), 1) * 0x1p63)
            return trace.low & (UInt64.max >> 1) < limit
        }
    }

    /// Whether a trace that is not sampled is exported after all: errors, rescues and slow requests are what one looks
    /// for. Its spans have been kept until now anyway. Nothing is when the operator wants none at all.
    ///
    /// - Parameter slow: what is slow, such as the 99th percentile of late; nil is not known.
    package func keepsAnyway(_ outcome: Outcome, slow: Duration? = nil) -> Bool {
        guard root != .none else { return false }
        return outcome.isError || outcome.wasRescued || slow.map { outcome.duration > $0 } ?? false
    }
}
