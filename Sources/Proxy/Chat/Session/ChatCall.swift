import NIOCore
import NIOHTTP1
import ProxyRouting

/// One chat as it is called at an upstream: the call, its deadlines, and the translation of what comes back. It may be made
/// several times, at one account after the other.
///
/// Failures leave as they were met, so that `OutcomeClassifier` can tell them apart; a client that has left is a
/// `CancellationError`.
///
/// A class, and so is its frame: what a stream holds on to lies in the memory of its task, where a value of this size would be copied with
/// each function that it goes through.
final class ChatCall: Sendable {
    /// How long an upstream may be silent behind the finish reasons of all choices before usage and `[DONE]` are no longer waited for.
    ///
    /// Some count tokens, or call a tool, seconds after they have named a reason; a client has its text by then, and sees signs of life. Nobody
    /// who ends properly is waited for at all. It is less than the shortest time that clients wait between two events (docs/decisions/0023).
    static let tailLimit = Duration.seconds(15)

    let document: CallDocument
    let reader: ChatReader
    /// How the upstream is called, whatever the client asked for.
    let isStreaming: Bool
    /// The upstream is asked for the usage of its stream, which the client has not asked for and is not told.
    let asksUsage: Bool
    let callContext: CallContext

    init(
        document: CallDocument, reader: ChatReader, isStreaming: Bool, asksUsage: Bool = false, callContext: CallContext
    ) {
        self.asksUsage = asksUsage
        self.document = document
        self.reader = reader
        self.isStreaming = isStreaming
        self.callContext = callContext
    }

    /// What all calls of one request have in common.
    final class CallContext: Sendable {
        let limits: ChatCompletionsRoute.Limits
        let time: TimeSource
        /// `request_timeout` after the arrival.
        let deadline: Duration
        let client: any ClientDialect
        /// How many were asked for.
        let choices: Int
        /// Another upstream may have to go on where one breaks off.
        let mayBeRescued: Bool
        /// Of what upstreams tell; nil where nobody is charged for it.
        let meter: TextMeter?
        /// Runs what follows the signature on the connection's event loop.
        let executor: EventLoopExecutor

        init(
            limits: ChatCompletionsRoute.Limits, time: TimeSource, deadline: Duration, client: any ClientDialect,
            choices: Int = 1, mayBeRescued: Bool = false, meter: TextMeter? = nil, executor: EventLoopExecutor
        ) {
            self.meter = meter
            self.limits = limits
            self.time = time
            self.deadline = deadline
            self.client = client
            self.choices = choices
            self.mayBeRescued = mayBeRescued
            self.executor = executor
        }
    }

    private var limits: ChatCompletionsRoute.Limits { callContext.limits }
    private var time: TimeSource { callContext.time }

    // MARK: The three ways

    /// Begins the answer as a stream, however the upstream gives it.
    ///
    /// - Returns: what is to be finished; nil when all has been sent.
    nonisolated(nonsending) func stream(at backend: any Backend, to stream: EventStream, _ report: AttemptReport)
        async throws -> LiveStream?
    {
        let (deadline, afterHead) = isStreaming ? firstEventDeadline() : (requestDeadline(), nil)
        deadline.arm()
        do {
            if let afterHead { return try await relay(at: backend, to: stream, report, deadline, afterHead) }
            try await replay(at: backend, to: stream, report, deadline)
            deadline.disarm()
            return nil
        } catch {
            deadline.disarm()
            throw error
        }
    }

    /// The answer as one document.
    nonisolated(nonsending) func document(at backend: any Backend, _ report: AttemptReport) async throws
        -> ClientResponse
    {
        let deadline = requestDeadline()
        deadline.arm()
        defer { deadline.disarm() }
        let body = try await body(at: backend, report, until: deadline)
        let answer = try await report.reading(body.count) {
            try reader.answer(body, of: backend.id, to: callContext.client, meter: callContext.meter)
        }
        report.change { content in
            (content.usage, content.oddities) = (answer.usage, answer.oddities)
            if let told = answer.told { content.told = told }
        }
        return answer
    }

    /// Takes the answer as one document and tells it as a stream (`force_non_stream`).
    private nonisolated(nonsending) func replay(
        at backend: any Backend, to stream: EventStream, _ report: AttemptReport, _ deadline: MovingDeadline
    ) async throws {
        let body = try await body(at: backend, report, until: deadline)
        let answer = try await report.reading(body.count) {
            try reader.frames(of: body, of: backend.id, to: callContext.client, meter: callContext.meter)
        }
        try await stream.sendWhole(answer, report, deadline, callContext)
    }

    /// Passes the upstream's stream on, event by event, until the first has left.
    private nonisolated(nonsending) func relay(
        at backend: any Backend, to stream: EventStream, _ report: AttemptReport, _ deadline: MovingDeadline,
        _ afterHead: AfterHead
    ) async throws -> LiveStream {
        let request = report.watching(
            try await backend.request(document, isStreaming: true, until: deadline))
        if callContext.executor.isCurrent {
            return try await begin(request, at: backend, to: stream, report, deadline, afterHead)
        }
        return try await callContext.executor.run {
            try await self.begin(request, at: backend, to: stream, report, deadline, afterHead)
        }
    }

    private nonisolated(nonsending) func begin(
        _ request: TransportRequest, at backend: any Backend, to stream: EventStream, _ report: AttemptReport,
        _ deadline: MovingDeadline,
        _ afterHead: AfterHead
    ) async throws -> LiveStream {
        let head = try await backend.send(request, until: deadline)
        deadline.prolong(by: afterHead.time, for: afterHead.cause)
        let response = try await backend.successful(head, noting: report)
        let relay = reader.relay(
            of: backend.id, to: callContext.client, choices: callContext.choices, keepsText: callContext.mayBeRescued,
            meter: callContext.meter, hidesUsage: asksUsage)
        let live = LiveStream(
            response, through: relay, of: backend.id, reader, to: stream, report, deadline, callContext)
        try await live.begin()
        return live
    }

    // MARK: Steps

    private nonisolated(nonsending) func body(
        at backend: any Backend, _ report: AttemptReport, until deadline: MovingDeadline
    ) async throws -> [UInt8] {
        let request = report.watching(
            try await backend.request(document, isStreaming: false, until: deadline))
        if callContext.executor.isCurrent {
            return try await collect(request, at: backend, report, until: deadline)
        }
        return try await callContext.executor.run {
            try await self.collect(request, at: backend, report, until: deadline)
        }
    }

    private nonisolated(nonsending) func collect(
        _ request: TransportRequest, at backend: any Backend, _ report: AttemptReport, until deadline: MovingDeadline
    ) async throws -> [UInt8] {
        let response = try await backend.successful(
            try await backend.send(request, until: deadline), noting: report)
        guard response.isLabelledAsStream else { return try await response.collect(upTo: limits.answer) }
        return try await gather(response, of: backend.id)
    }

    /// A stream in place of a document: it is read up to its end, behind which a connection may stay open.
    @inline(never)
    private nonisolated(nonsending) func gather(_ response: TransportResponse, of upstream: String) async throws
        -> [UInt8]
    {
        // Whatever it says is said by who reads the whole.
        let relay = reader.relay(of: upstream, to: callContext.client, choices: callContext.choices)
        var hasFailed = false
        var body: [UInt8] = []
        var pieces = response.body.makeAsyncIterator()
        while let piece = try await pieces.next(isolation: nil) {
            guard body.count + piece.readableBytes <= limits.answer else {
                throw TransportError.tooLarge(limit: limits.answer)
            }
            body.append(contentsOf: piece.readableBytesView)
            if !hasFailed {
                hasFailed = relay.take(piece) != nil
                relay.takeFrames { _ in }
            }
            guard !relay.isComplete else { break }
        }
        try Task.checkCancellation()
        pieces.drain(within: LiveStream.drainLimit)
        return body
    }

    // MARK: Deadlines

    private func requestDeadline() -> MovingDeadline {
        MovingDeadline(at: callContext.deadline, for: .request, on: time)
    }

    /// What is waited for when the head of a stream's answer is there: how much longer, and why no longer than that.
    private struct AfterHead {
        let time: Duration
        let cause: DeadlineCause
    }

    private func firstEventDeadline() -> (MovingDeadline, AfterHead) {
        let now = time.now()
        var (instant, cause) = (callContext.deadline, DeadlineCause.request)
        if limits.firstToken > .zero, now + limits.firstToken < instant {
            (instant, cause) = (now + limits.firstToken, .firstToken)
        }
        let head = now + limits.head
        guard limits.head > .zero, head < instant else {
            return (MovingDeadline(at: instant, for: cause, on: time), AfterHead(time: .zero, cause: cause))
        }
        return (MovingDeadline(at: head, for: .head, on: time), AfterHead(time: instant - head, cause: cause))
    }
}
