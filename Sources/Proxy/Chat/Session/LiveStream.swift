import NIOCore
import ProxyRouting

/// A streamed answer on its way from the upstream to the client: first until its first event has left, when no other upstream can take its
/// place any more, then to its end.
///
/// Two steps, since they need different things: to begin may take several attempts, each with its call, its signature and its failures; what
/// follows is one wait, for as long as the stream lasts, and should hold no memory of all that. So what is seldom needed is kept out of the
/// frames of those that wait (`@inline(never)`).
final class LiveStream {
    /// How long the end of a complete answer's body may take to come, for its connection to be used again.
    static let drainLimit = TimeAmount.milliseconds(250)

    private let pump: StreamPump
    /// What makes the client's stream.
    var relay: any ResponseRelay { pump.relay }
    private let stream: EventStream
    /// Of the upstream's answer, which comes in on the client's event loop.
    private let body: ResponseBody.AsyncIterator
    private let report: AttemptReport
    private let deadline: MovingDeadline
    private let callContext: ChatCall.CallContext
    /// Who reads a document in place of the stream.
    private let reader: ChatReader
    private let upstream: String
    private let isRescue: Bool
    private var hasEnded = false
    /// What the first read has ended with.
    private var brokenAtOnce: (any Error)?

    /// - Parameters:
    ///   - upstream: its id, for messages.
    ///   - deadline: armed; it is disarmed when the stream ends.
    ///   - isRescue: the client has been told a part by another upstream.
    init(
        _ response: TransportResponse, through relay: any ResponseRelay, of upstream: String, _ reader: ChatReader,
        to stream: EventStream,
        _ report: AttemptReport, _ deadline: MovingDeadline, _ callContext: ChatCall.CallContext,
        isRescue: Bool = false
    ) {
        self.reader = reader
        self.upstream = upstream
        self.isRescue = isRescue
        pump = StreamPump(relay, to: stream, report, deadline, callContext, catchesUp: isRescue)
        body = response.body.makeAsyncIterator()
        assert(body.arrives(on: callContext.executor.eventLoop), "the body comes in on another event loop")
        self.stream = stream
        self.report = report
        self.deadline = deadline
        self.callContext = callContext
    }

    deinit { deadline.disarm() }

    /// Returns when the first event has left, or the whole answer.
    ///
    /// - Throws: the failure of an answer that has none.
    nonisolated(nonsending) func begin() async throws {
        do { try await pass(untilBegun: true) } catch {
            // The first events and the break may come in one read. Then it has begun all the same.
            guard pump.hasBegun, !(error is CancellationError) else { throw error }
            brokenAtOnce = error
        }
    }

    /// How a stream that had begun has ended.
    enum Ending {
        case complete
        /// With what it ended in place of its end: a `Failure`, a deadline, or `CancellationError` when the client has left.
        case failed(any Error)
    }

    /// Passes on what comes, to the end.
    nonisolated(nonsending) func finish() async -> Ending {
        if let brokenAtOnce {
            deadline.disarm()
            return .failed(brokenAtOnce)
        }
        guard !hasEnded else { return .complete }
        do {
            if callContext.executor.isCurrent {
                try await goOn()
            } else {
                // nonisolated(unsafe): it stays in this task, which goes to another thread and back.
                nonisolated(unsafe) let stream = self
                try await callContext.executor.run { unsafe try await stream.goOn() }
            }
            return .complete
        } catch {
            return .failed(error)
        }
    }

    private nonisolated(nonsending) func goOn() async throws {
        defer { deadline.disarm() }
        try await pump.waitForCapacity()
        try await pass(untilBegun: false)
    }

    private nonisolated(nonsending) func pass(untilBegun: Bool) async throws {
        defer { if pump.document == nil { pump.tell(report) } }
        do {
            taking: while try await pour() {
                switch pump.pause {
                case .failed(let error): throw error
                case .complete: break taking
                case .begun where untilBegun: return
                case .begun, .clientIsSlow, nil: try await pump.waitForCapacity()
                }
            }
            // The body of a cancelled call may look like one that has ended.
            try Task.checkCancellation()
        } catch {
            // Behind a finish reason the response is complete; only the terminator is missing, or the connection's proper end.
            guard deadline.passed == .tail || error is TransportError && pump.relay.isFinished else { throw error }
        }
        if let document = pump.document { return try await tell(document) }
        // From here on nobody waits: neither the client's next request nor whoever wants the permit.
        deadline.disarm()
        try end()
    }

    @inline(never)
    private func end() throws {
        hasEnded = true
        if let failure = pump.end() { throw failure }
        stream.finish()
        body.drain(within: Self.drainLimit)
    }

    /// Tells a document that came in place of the stream as one.
    @inline(never)
    private nonisolated(nonsending) func tell(_ document: [UInt8]) async throws {
        let relay = relay
        var answer = try await report.reading(document.count) {
            // Behind it, there may be lines of a stream.
            let whole = ResponseForm.document(in: document) ?? document
            guard !isRescue else { return try relay.frames(of: whole) }
            return try reader.frames(
                of: whole, of: upstream, to: callContext.client, meter: callContext.meter)
        }
        answer.oddities.insert(.otherKind)
        try await stream.sendWhole(answer, report, deadline, callContext)
        deadline.disarm()
        hasEnded = true
    }

    /// Lets the pump take what comes.
    ///
    /// - Returns: false at the end of the body; true when the pump has taken no more before.
    private nonisolated(nonsending) func pour() async throws -> Bool { try await body.pour(into: pump) }
}

extension EventStream {
    /// Sends all events of an answer that is there whole, and ends.
    nonisolated(nonsending) func sendWhole(
        _ answer: ChatReader.StreamedResponse, _ report: AttemptReport, _ deadline: MovingDeadline,
        _ callContext: ChatCall.CallContext
    ) async throws {
        let now = callContext.time.now()
        report.change {
            ($0.usage, $0.oddities) = (answer.usage, answer.oddities)
            $0.firstEvent = now
            if let told = answer.told { $0.told = told }
        }
        deadline.move(to: now + callContext.limits.idleTimeout, for: .slowClient)
        try await send(ByteBuffer(bytes: answer.frames), until: deadline)
        finish()
    }
}
