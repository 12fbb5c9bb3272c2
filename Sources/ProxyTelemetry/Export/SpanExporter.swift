import Synchronization

/// Sends spans to a collector, in batches, from one task (`run`). Whoever has spans never waits for it.
///
/// It is a shell: what is sent when is `SpanQueue`'s, what becomes of a failure `RetryPlan`'s, what is told `ExportNews`'.
/// With telemetry off there is none of it: the initializer gives nil, and `exporter?.record(...)` is a test for nil.
package final class SpanExporter: Sendable {
    /// What a collector answered.
    package struct Reply: Sendable {
        package var status: Int
        /// What `Retry-After` says, from now on.
        package var retryAfter: Duration?
        /// The first 64 KiB are enough.
        package var body: [UInt8]

        package init(status: Int, retryAfter: Duration? = nil, body: [UInt8] = []) {
            self.status = status
            self.retryAfter = retryAfter
            self.body = body
        }
    }

    package enum Level: Hashable, Sendable { case info, warning }

    /// What it is given of the world.
    package struct Surroundings: Sendable {
        /// The monotonic moment.
        package var now: @Sendable () -> Duration
        /// Waits until the moment has come. Throws when the task is cancelled.
        package var sleep: @Sendable (_ until: Duration) async throws -> Void
        /// 0..<1.
        package var random: @Sendable () -> Double
        /// Posts a body, and is through within the timeout, or when the task is cancelled. Throws when there is no
        /// answer; what it throws is told, so it must not say headers or the query.
        package var send:
            @Sendable (_ url: String, _ headers: [(name: String, value: String)], _ body: [UInt8], _ timeout: Duration)
                async throws -> Reply
        /// Into the log.
        package var tell: @Sendable (_ level: Level, _ text: String) -> Void

        package init(
            now: @escaping @Sendable () -> Duration,
            sleep: @escaping @Sendable (_ until: Duration) async throws -> Void,
            random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
            send:
                @escaping @Sendable (
                    _ url: String, _ headers: [(name: String, value: String)], _ body: [UInt8], _ timeout: Duration
                ) async throws -> Reply,
            tell: @escaping @Sendable (_ level: Level, _ text: String) -> Void
        ) {
            self.now = now
            self.sleep = sleep
            self.random = random
            self.send = send
            self.tell = tell
        }
    }

    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var queue: SpanQueue
        var figures = ExportFigures()
        var news: ExportNews
        /// Before it the collector does not want to be asked.
        var quietUntil = Duration.zero
        /// When the end is near: until when everything must be sent. Nothing more is taken in.
        var drainEnd: Duration?
        /// The drain is over as well.
        var isOver = false
        var isRunning = false
        /// The run, when it has nothing to do.
        var idle: Waiter?
        /// There was something to do before it lay down.
        var isWoken = false
        /// Who waits for the end of the run.
        var ending: Waiter?
    }

    private let settings: TelemetrySettings
    private let surroundings: Surroundings
    private let encoder: OTLPTraces
    private let headers: [(name: String, value: String)]
    private let plan: RetryPlan
    private let state: Mutex<State>

    /// Nil without settings: telemetry is off.
    package init?(_ settings: TelemetrySettings?, _ surroundings: Surroundings, plan: RetryPlan = RetryPlan()) {
        guard let settings else { return nil }
        self.settings = settings
        self.surroundings = surroundings
        self.plan = plan
        encoder = OTLPTraces(settings.resource, valueLengthLimit: settings.valueLengthLimit)
        var headers = settings.headers.map { (name: $0.name, value: $0.value) }
        headers.append(("content-type", "application/x-protobuf"))
        if !headers.contains(where: { $0.name == "user-agent" }) {
            headers.append(("user-agent", "\(settings.resource.scopeName)/\(settings.resource.scopeVersion)"))
        }
        self.headers = headers
        state = Mutex(
            State(queue: SpanQueue(settings.batching), news: ExportNews(endpoint: settings.shownEndpoint)))
    }

    // MARK: Taking in

    /// Takes the spans of one request, or drops and counts them when too many wait. Never waits itself.
    package func record(_ spans: [TraceSpan]) {
        guard !spans.isEmpty else { return }
        let now = surroundings.now()
        let waiter = state.withLock { state -> Waiter? in
            guard state.drainEnd == nil else {
                state.figures.drop(spans.count, .shutdown)
                return nil
            }
            return state.queue.append(spans, at: now) ? Self.wake(&state) : nil
        }
        waiter?.resume()
    }

    package var figures: ExportFigures {
        state.withLock { state in
            var figures = state.figures
            figures.queued = state.queue.count
            figures.drop(state.queue.dropped, .queueFull)
            return figures
        }
    }

    // MARK: Running

    /// Sends what is due, until the task is cancelled or `drain` takes over. What is cancelled half-way waits again.
    package func run() async {
        state.withLock { $0.isRunning = true }
        defer {
            let ending = state.withLock { state in
                state.isRunning = false
                return state.ending.take()
            }
            ending?.resume()
        }
        while !Task.isCancelled {
            let now = surroundings.now()
            let (step, told) = state.withLock { state in
                (Self.step(&state, at: now), state.news.overflowed(total: state.queue.dropped, at: now))
            }
            tell(.warning, told)
            switch step {
            case .end: return
            case .wait(let moment): await wait(until: moment)
            case .send(let batch): await export(batch, isDraining: false)
            }
        }
    }

    private enum Step {
        case send([TraceSpan])
        /// Until the moment, or until somebody wakes it.
        case wait(until: Duration?)
        case end
    }

    private static func step(_ state: inout State, at now: Duration) -> Step {
        if state.drainEnd != nil { return .end }
        guard let due = state.queue.due else { return .wait(until: nil) }
        let moment = max(due, state.quietUntil)
        guard moment <= now, let batch = state.queue.takeAny() else { return .wait(until: moment) }
        state.figures.underWay = batch.count
        return .send(batch)
    }

    /// Sends what waits, for a last time: from now on nothing is taken in, and `run` ends. What is left when the time is
    /// up is dropped and counted. Cancellation does the same at once.
    ///
    /// - Parameter limit: for all of it.
    package func drain(within limit: Duration) async {
        let end = surroundings.now() + limit
        let waiter = state.withLock { state -> Waiter? in
            state.drainEnd = end
            return Self.wake(&state)
        }
        waiter?.resume()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [sleep = surroundings.sleep] in try? await sleep(end) }
            group.addTask {
                await self.runHasEnded()
                await self.flush()
            }
            await group.next()
            group.cancelAll()
        }
        let (lost, told) = state.withLock { state in
            state.isOver = true
            let lost = state.queue.removeAll()
            state.figures.drop(lost, .shutdown)
            return (lost, lost > 0 ? "\(lost) spans were not sent to \(settings.shownEndpoint) before the end" : nil)
        }
        if lost > 0 { tell(.warning, told) }
    }

    private func flush() async {
        while !Task.isCancelled {
            let batch = state.withLock { state in
                let batch = state.queue.takeAny()
                state.figures.underWay = batch?.count ?? 0
                return batch
            }
            guard let batch else { return }
            await export(batch, isDraining: true)
        }
    }

    // MARK: One batch

    /// Sends a batch, several times if it must be. Cancelled, it puts it back.
    private func export(_ batch: [TraceSpan], isDraining: Bool) async {
        let body = encoder.request(batch)
        let bound = surroundings.now() + settings.batching.bound
        var tries = 0
        while true {
            let end = state.withLock { min(bound, $0.drainEnd ?? bound) }
            tries += 1
            let (result, reply, cause) = await send(body, until: end)
            if Task.isCancelled, result == .failed { return putBack(batch) }
            let now = surroundings.now()
            switch plan.verdict(on: result, afterTries: tries, at: now, end: end, random: surroundings.random()) {
            case .accepted: return accepted(batch.count, reply, at: now)
            case .drop(let reason, let quietUntil): return dropped(batch.count, reason, quietUntil, cause: cause)
            case .again(let moment):
                await pause(until: moment, isDraining: isDraining)
                if Task.isCancelled { return putBack(batch) }
            }
        }
    }

    private func send(_ body: [UInt8], until end: Duration) async -> (RetryPlan.Result, Reply?, cause: String) {
        let left = end - surroundings.now()
        guard left > .zero else { return (.failed, nil, "there was no time left") }
        do {
            let reply = try await surroundings.send(settings.endpoint, headers, body, min(settings.timeout, left))
            let result = RetryPlan.Result.answered(status: reply.status, retryAfter: reply.retryAfter)
            return (result, reply, "it answered \(reply.status)\(Self.hint(reply.status))")
        } catch {
            return (.failed, nil, BoundedText.printable(String(describing: error), toBytes: 200))
        }
    }

    /// What to look at first.
    private static func hint(_ status: Int) -> String {
        switch status {
        case 401, 403: "; what does OTEL_EXPORTER_OTLP_HEADERS lack?"
        case 404, 405: "; is its path right, which mostly ends in /v1/traces?"
        case 413: "; a smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE may help"
        case 415: "; does it take http/protobuf?"
        default: ""
        }
    }

    private func accepted(_ count: Int, _ reply: Reply?, at now: Duration) {
        let partial = (reply?.body).flatMap { PartialSuccess(response: $0) }
        let rejected = min(partial?.rejected ?? 0, count)
        let (again, warning) = state.withLock { state in
            state.figures.underWay = 0
            state.figures.exported += count - rejected
            state.figures.drop(rejected, .rejected)
            return (state.news.succeeded(), partial.flatMap { state.news.partial($0, at: now) })
        }
        tell(.info, again)
        tell(.warning, warning)
    }

    private func dropped(_ count: Int, _ reason: ExportFigures.Reason, _ quietUntil: Duration?, cause: String) {
        let warning = state.withLock { state in
            state.figures.underWay = 0
            // Whatever else hinders it, the end is what it could not wait for.
            state.figures.drop(count, state.drainEnd != nil && reason == .unavailable ? .shutdown : reason)
            if let quietUntil { state.quietUntil = quietUntil }
            return state.news.failed(count, cause: cause)
        }
        tell(.warning, warning)
    }

    private func putBack(_ batch: [TraceSpan]) {
        let now = surroundings.now()
        state.withLock { state in
            state.figures.underWay = 0
            if state.isOver {
                state.figures.drop(batch.count, .shutdown)
            } else {
                state.queue.putBack(batch, at: now)
            }
        }
    }

    private func tell(_ level: Level, _ text: String?) {
        if let text { surroundings.tell(level, text) }
    }

    // MARK: Waiting

    /// Between two tries. The end, when it comes near, cuts it short for the run; the drain itself has no other.
    private func pause(until moment: Duration, isDraining: Bool) async {
        guard !isDraining else {
            try? await surroundings.sleep(moment)
            return
        }
        while !Task.isCancelled, surroundings.now() < moment, state.withLock({ $0.drainEnd == nil }) {
            await wait(until: moment)
        }
    }

    /// Until the moment, until somebody wakes it, or until the task is cancelled.
    private func wait(until moment: Duration?) async {
        await withTaskGroup(of: Void.self) { group in
            if let moment {
                group.addTask { [sleep = surroundings.sleep] in
                    // Who is cancelled was woken by somebody else.
                    guard (try? await sleep(moment)) != nil else { return }
                    self.state.withLock { Self.wake(&$0) }?.resume()
                }
            }
            await lieDown()
            group.cancelAll()
        }
    }

    private func lieDown() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let goesOn = state.withLock { state in
                    if state.isWoken || Task.isCancelled {
                        state.isWoken = false
                        return true
                    }
                    state.idle = waiter
                    return false
                }
                if goesOn { waiter.resume() }
            }
        } onCancel: {
            state.withLock { Self.wake(&$0) }?.resume()
        }
    }

    /// Who is to be resumed, after the lock. If nobody lies down yet, the next one does not.
    private static func wake(_ state: inout State) -> Waiter? {
        guard let waiter = state.idle.take() else {
            state.isWoken = true
            return nil
        }
        return waiter
    }

    private func runHasEnded() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let goesOn = state.withLock { state in
                    guard state.isRunning, !Task.isCancelled else { return true }
                    state.ending = waiter
                    return false
                }
                if goesOn { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.ending.take() }?.resume()
        }
    }
}
