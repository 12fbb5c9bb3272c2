import ProxyRouting
import ProxyTelemetry
import Synchronization

/// What has become of one request, in the order in which it happened: who was passed over and why, what was waited for, and each attempt. Append-only; what
/// people see of it (the line in the log) is a view.
///
/// Parts of a request may run side by side, each with a call of its own.
final class RequestTrace: Sendable {
    enum Event: Sendable {
        /// Those that could serve the request and were out of use or full, before what follows.
        ///
        /// - Parameter names: theirs, in the same order.
        case passedOver([PassedOver], names: [String], call: Int)
        /// It stood in the queue.
        case waited(Duration, call: Int)
        /// It gave those that had failed it time to get well.
        case paused(Duration, call: Int)
        /// No upstream was to be had.
        case refused(RouteRefusal, call: Int)
        case began(call: Int, AttemptReport, at: Duration)
        case ended(call: Int, AttemptOutcome, at: Duration)
        /// The model that was asked for has retired, and this one answers in its place (`[SUCCESSORS]`).
        case succeeded(by: String)
        /// Another model takes over.
        case fellBack(to: String)
        /// No other model could, either.
        case gaveUp
        /// Another upstream has been asked to go on with a broken answer, and what came of it.
        case rescue(model: String, result: String)
    }

    /// Whose it is.
    struct Head: Sendable {
        var id = ""
        /// Of the process's clock, and in microseconds since 1970.
        var arrival = Duration.zero
        var arrivedAt: Int64 = 0
        /// The path as the table of endpoints has it, and its label.
        var path = ""
        var label = ""
        /// The name of the client's key.
        var key = ""

        /// Microseconds since 1970 of a moment of the process's clock.
        func wallMicroseconds(of instant: Duration) -> Int64 { arrivedAt + (instant - arrival).microseconds }
    }

    /// What it asks for, when that has been read.
    struct Question: Sendable {
        var model: String?
        var isStreaming = false
    }

    let head: Head
    /// Its spans' trace; nil where nobody traces.
    let start: TraceStart?
    private let log = Mutex<[Event]>([])
    private let asked = Mutex(Question())

    init(_ head: Head = Head(), start: TraceStart? = nil) {
        self.head = head
        self.start = start
    }

    var question: Question { asked.withLock { $0 } }

    /// For who looks while it runs.
    func ask(for model: String?, isStreaming: Bool = false) {
        asked.withLock { $0 = Question(model: model, isStreaming: isStreaming) }
    }

    var events: [Event] { log.withLock { $0 } }

    /// Looks at them where they are.
    func read<Result>(_ look: ([Event]) -> Result) -> Result { log.withLock { look($0) } }

    func append(_ event: Event) {
        log.withLock { events in
            // What nearly all requests come to is one attempt.
            if events.isEmpty { events.reserveCapacity(4) }
            events.append(event)
        }
    }

    // MARK: Views

    /// Where the request has been, and failed.
    var failedUpstreams: Set<String> {
        var open: [Int: String] = [:]
        var failed: Set<String> = []
        for event in events {
            switch event {
            case .began(let call, let report, _): open[call] = report.call.upstream
            case .ended(let call, let outcome, _) where outcome != .succeeded && outcome != .abandoned:
                if let upstream = open[call] { failed.insert(upstream) }
            default: break
            }
        }
        return failed
    }

    /// What the log says of the attempts.
    struct Summary: Sendable {
        /// Where the last attempt of each call went, in the order of the calls, each once: `default,account_2`.
        var account: String?
        var attempts = 0
        /// When the client got the first event of a stream.
        var firstEvent: Duration?
        var usage: TokenUsage?
        /// The model that took over.
        var fallback: String?
        /// What the last rescue came to, and its model.
        var rescue: String?
    }

    var summary: Summary {
        var summary = Summary()
        // Nearly all requests have one call: lists are for the others.
        var only: LastAttempt?
        var several: [LastAttempt] = []
        log.withLock { events in
            for event in events {
                switch event {
                case .began(let call, let report, _):
                    summary.attempts += 1
                    var attempt = LastAttempt(call: call, report: report)
                    if summary.attempts > 1 {
                        let before = several.first { $0.call == call } ?? only.flatMap { $0.call == call ? $0 : nil }
                        attempt.begun = before.flatMap { $0.begun ?? $0.report.content.firstEvent }
                    }
                    if several.isEmpty, only.map({ $0.call == call }) ?? true {
                        only = attempt
                    } else {
                        if let first = only.take() { several.append(first) }
                        several.removeAll { $0.call == call }
                        several.append(attempt)
                    }
                case .fellBack(let model): summary.fallback = model
                case .gaveUp: summary.fallback = nil
                case .rescue(let model, let result): summary.rescue = "\(result) \(model)"
                case .passedOver, .waited, .paused, .refused, .ended, .succeeded: break
                }
            }
        }
        if let only { summary.take(only) }
        guard !several.isEmpty else { return summary }
        several.sort { $0.call < $1.call }
        for attempt in several { summary.take(attempt) }
        return summary
    }

    /// The last attempt of a call so far.
    fileprivate struct LastAttempt {
        let call: Int
        let report: AttemptReport
        /// Of an attempt of the same call that broke off and was rescued.
        var begun: Duration?
    }
}

extension RequestTrace.Summary {
    fileprivate mutating func take(_ attempt: RequestTrace.LastAttempt) {
        let upstream = attempt.report.call.upstream
        if let known = account {
            let isKnown = known.split(separator: ",").contains(Substring(upstream))
            if !isKnown { account = known + "," + upstream }
        } else {
            account = upstream
        }
        attempt.report.read { content in
            firstEvent = attempt.begun ?? content.firstEvent
            if let more = content.allUsage { usage = usage.map { $0 + more } ?? more }
        }
    }
}
