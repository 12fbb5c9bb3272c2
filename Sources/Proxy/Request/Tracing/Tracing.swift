import ProxyRouting
import ProxyTelemetry
import Synchronization

/// Requests as spans for a collector (OpenTelemetry). There is one of it where the environment turns tracing on; elsewhere a request meets a nil.
final class Tracing: Sendable {
    /// What is known of an upstream beside its name.
    struct Upstream: Sendable {
        var isOCI = true
        /// Of its endpoint.
        var host: String?
        var port: Int?
    }

    let exporter: SpanExporter
    /// Where spans go, as it may be shown.
    let endpoint: String
    private let sampler: Sampler
    private let spans: GenAISpans
    private let upstream: @Sendable (String) -> Upstream?
    private let pace = Mutex(Pace())

    /// How long requests take: those that take longer than nearly all are always sampled.
    private struct Pace {
        var durations = LatencyHistogram()
        var slow: Duration?
    }

    /// - Parameter upstream: by its id.
    init(
        _ exporter: SpanExporter, _ settings: TelemetrySettings, upstream: @escaping @Sendable (String) -> Upstream?
    ) {
        self.exporter = exporter
        endpoint = settings.shownEndpoint
        sampler = settings.sampler
        spans = GenAISpans(writesOldNames: settings.writesOldNames)
        self.upstream = upstream
    }

    /// A request begins.
    ///
    /// - Parameters:
    ///   - parent: the client's `traceparent`.
    ///   - state: its `tracestate`.
    func start(_ parent: String?, _ state: String?, mode: TraceParentMode) -> TraceStart {
        var random = SystemRandomNumberGenerator()
        let incoming = mode == .ignore ? nil : parent.flatMap { TraceContext(traceparent: $0, tracestate: state) }
        return TraceStart(incoming, mode: mode, sampler: sampler, using: &random)
    }

    /// A request has ended.
    func record(
        _ record: AccessRecord, _ trace: RequestTrace, at endpoint: (path: String, label: String), duration: Duration
    ) {
        guard let start = trace.start else { return }
        let facts = SpanFacts(record, trace, at: endpoint, duration: duration, upstream)
        let outcome = Sampler.Outcome(
            isError: facts.isError, wasRescued: !facts.server.rescues.isEmpty, duration: duration)
        let slow = note(duration)
        guard start.isSampled || sampler.keepsAnyway(outcome, slow: slow) else { return }
        exporter.record(
            [spans.server(facts.server, in: start)] + facts.attempts.map { spans.attempt($0, in: start) })
    }

    private func note(_ duration: Duration) -> Duration? {
        pace.withLock { pace in
            pace.durations.record(duration)
            // Not for each request: it looks through all of them.
            if pace.durations.count >= 1000, pace.durations.count % 256 == 0 {
                pace.slow = .seconds(pace.durations.percentile(0.99) / 1000)
            }
            return pace.slow
        }
    }
}

/// The part of an attempt in its request's trace.
final class TracedAttempt: Sendable {
    let span: SpanID
    /// What the upstream is told, where it may know.
    let header: TraceContext?

    init(in start: TraceStart, isPropagated: Bool) {
        var random = SystemRandomNumberGenerator()
        span = SpanID(using: &random)
        header = isPropagated ? start.context(of: span) : nil
    }
}
