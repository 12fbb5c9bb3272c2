import Synchronization

@testable import ProxyTelemetry

/// A collector in the same process: it answers as it is told, and writes down what it was sent and what was told.
final class FakeCollector: Sendable {
    enum Answer: Sendable {
        case reply(Int, retryAfter: Duration? = nil, body: [UInt8] = [])
        case refuse
        /// Never: until it is cancelled, or its time is up.
        case silence
    }
    struct Refused: Error, CustomStringConvertible { var description: String { "connection refused" } }

    struct Request: Sendable {
        let moment: Duration
        let url: String
        let headers: [String: String]
        let timeout: Duration
        /// The ids of its spans.
        let spans: [UInt64]
    }

    private struct State {
        var answers: [Answer] = []
        var requests: [Request] = []
        var told: [String] = []
    }

    let clock = ManualClock()
    private let state = Mutex(State())

    /// One after the other; then 200.
    init(_ answers: [Answer] = []) { state.withLock { $0.answers = answers } }

    var requests: [Request] { state.withLock(\.requests) }
    var told: [String] { state.withLock(\.told) }

    func exporter(
        capacity: Int = 100, batch: Int = 10, headers: [SecretHeader] = [],
        whenTold: @escaping @Sendable () -> Void = {}
    ) throws -> SpanExporter {
        var settings = TelemetrySettings(
            endpoint: "http://c/v1/traces?key=secret-word", resource: TelemetryResource(Samples.identity))
        settings.batching.capacity = capacity
        settings.batching.batch = batch
        settings.headers = headers
        let exporter = SpanExporter(
            settings,
            SpanExporter.Surroundings(
                now: { self.clock.now }, sleep: { try await self.clock.sleep(until: $0) }, random: { 1 },
                send: { try await self.take($0, $1, $2, $3) },
                tell: { level, text in
                    self.state.withLock { $0.told.append("\(level): \(text)") }
                    whenTold()
                }))
        guard let exporter else { throw Refused() }
        return exporter
    }

    private func take(
        _ url: String, _ headers: [(name: String, value: String)], _ body: [UInt8], _ timeout: Duration
    ) async throws -> SpanExporter.Reply {
        let spans = try WireMessage(body).messages(1)[0].messages(2)[0].messages(2).map { span in
            span.bytes(2)[0].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let now = clock.now
        let request = Request(
            moment: now, url: url, headers: Dictionary(headers.map { ($0.name, $0.value) }) { $0 + "," + $1 },
            timeout: timeout, spans: spans)
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? .reply(200) : state.answers.removeFirst()
        }
        switch answer {
        case .reply(let status, let retryAfter, let body):
            return SpanExporter.Reply(status: status, retryAfter: retryAfter, body: body)
        case .refuse: throw Refused()
        case .silence:
            try await clock.sleep(until: now + timeout)
            throw Refused()
        }
    }
}
