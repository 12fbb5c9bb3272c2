import NIOCore
import NIOHTTP1

/// One chat as it is called at an upstream: the call, its deadlines, and the translation of what comes back. It may be made
/// several times, at one account after the other.
///
/// Failures leave as they were met, so that `OutcomeClassifier` can tell them apart; a client that has left is a
/// `CancellationError`.
///
/// A class, and so is its frame: what a stream holds on to lies in the memory of its task, where a value of this size would be copied with
/// each function that it goes through.
final class ChatCall: Sendable {
    /// How long an upstream may keep a finished stream open before its usage or `[DONE]` is no longer waited for.
    static let tailLimit = Duration.seconds(3)
    /// How long the end of a complete answer's body is waited for, so that its connection can be used again.
    static let drainLimit = Duration.milliseconds(250)

    let document: CallDocument
    let reader: ChatReader
    /// How the upstream is called, whatever the client asked for.
    let isStreaming: Bool
    let frame: Frame

    init(document: CallDocument, reader: ChatReader, isStreaming: Bool, frame: Frame) {
        self.document = document
        self.reader = reader
        self.isStreaming = isStreaming
        self.frame = frame
    }

    /// What all calls of one request have in common.
    final class Frame: Sendable {
        let limits: ChatCompletionsRoute.Limits
        let time: TimeSource
        /// `request_timeout` after the arrival.
        let deadline: Duration
        let envelope: ChunkEnvelope
        let includesUsage: Bool
        /// Runs what follows the signature on the connection's event loop.
        let executor: EventLoopExecutor

        init(
            limits: ChatCompletionsRoute.Limits, time: TimeSource, deadline: Duration, envelope: ChunkEnvelope, includesUsage: Bool,
            executor: EventLoopExecutor
        ) {
            self.limits = limits
            self.time = time
            self.deadline = deadline
            self.envelope = envelope
            self.includesUsage = includesUsage
            self.executor = executor
        }
    }

    private var limits: ChatCompletionsRoute.Limits { frame.limits }
    private var time: TimeSource { frame.time }
    private var executor: EventLoopExecutor { frame.executor }

    // MARK: The three ways

    /// The answer as a stream, however the upstream gives it.
    @inline(never)
    nonisolated(nonsending) func stream(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        if isStreaming {
            try await relay(at: backend, to: stream, report)
        } else {
            try await replay(at: backend, to: stream, report)
        }
    }

    /// The answer as one document, in the OpenAI form.
    nonisolated(nonsending) func whole(at backend: any Backend, _ report: AttemptReport) async throws -> OpenAIAnswer {
        try await withDeadline(requestDeadline()) {
            let answer = try self.reader.answer(try await self.body(at: backend), of: backend.id, in: self.frame.envelope)
            report.change { $0.usage = answer.usage }
            return answer
        }
    }

    /// Takes the answer as one document and tells it as a stream (`force_non_stream`).
    @inline(never)
    private nonisolated(nonsending) func replay(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        let deadline = requestDeadline()
        try await withDeadline(deadline) {
            let answer = try self.reader.frames(
                of: try await self.body(at: backend), of: backend.id, in: self.frame.envelope, includesUsage: self.frame.includesUsage)
            let now = self.time.now()
            report.change {
                $0.usage = answer.usage
                $0.firstEvent = now
            }
            deadline.move(to: now + self.limits.silence, for: .slowClient)
            try await stream.send(ByteBuffer(bytes: answer.frames))
            stream.finish()
        }
    }

    /// Passes the upstream's stream on, event by event.
    @inline(never)
    private nonisolated(nonsending) func relay(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        let deadline = firstEventDeadline()
        try await withDeadline(deadline) {
            let request = try await backend.request(self.document, isStreaming: self.isStreaming)
            try await self.executor.run {
                try await self.relay(request, of: backend, to: stream, report, deadline)
            }
        }
    }

    @inline(never)
    private nonisolated(nonsending) func relay(
        _ request: TransportRequest, of backend: any Backend, to stream: EventStream, _ report: AttemptReport, _ deadline: MovingDeadline
    ) async throws {
        let response = try await backend.successful(try await backend.send(request))
        let pump = StreamPump(
            reader.relay(of: backend.id, in: frame.envelope, includesUsage: frame.includesUsage), to: stream, report, deadline, frame)
        defer { report.change { ($0.usage, $0.unreadableEvents) = (pump.relay.usage, pump.relay.unreadableEvents) } }
        var body = response.body.makeAsyncIterator()
        do {
            while try await pour(&body, into: pump) {
                if let failure = pump.failure { throw failure }
                if pump.relay.isComplete { break }
                try await pump.room()
            }
            // The body of a cancelled call may look like one that has ended.
            try Task.checkCancellation()
        } catch where deadline.passed == .tail {
            // It has said all but its goodbye.
        }
        if let failure = pump.end() { throw failure }
        stream.finish()
        deadline.move(to: time.now() + Self.drainLimit, for: .drain)
        await drain(&body)
    }

    // MARK: Steps

    /// Lets the pump take what comes.
    ///
    /// - Returns: false at the end of the body; true when the pump has taken no more before.
    private nonisolated(nonsending) func pour(_ body: inout any AsyncIteratorProtocol<ByteBuffer, any Error>, into pump: StreamPump) async throws -> Bool {
        if let body = body as? AnswerBody.AsyncIterator, body.arrives(on: executor.eventLoop) { return try await body.pour(into: pump) }
        while let bytes = try await body.next(isolation: nil) {
            if !pump.take(bytes) { return true }
        }
        return false
    }

    /// Reads the rest of a complete answer, which is next to nothing: the end of its chunked body. Without it the
    /// connection could not be used again.
    private nonisolated(nonsending) func drain(_ body: inout any AsyncIteratorProtocol<ByteBuffer, any Error>) async {
        while let rest = try? await body.next(isolation: nil), rest.readableBytes < 1024 {}
    }

    private nonisolated(nonsending) func body(at backend: any Backend) async throws -> [UInt8] {
        let request = try await backend.request(document, isStreaming: isStreaming)
        return try await executor.run {
            try await backend.successful(try await backend.send(request)).collect(upTo: limits.answer)
        }
    }

    // MARK: Deadlines

    private func requestDeadline() -> MovingDeadline {
        MovingDeadline(at: frame.deadline, for: .request, on: time)
    }

    private func firstEventDeadline() -> MovingDeadline {
        let firstToken = time.now() + limits.firstToken
        guard limits.firstToken > .zero, firstToken < frame.deadline else { return requestDeadline() }
        return MovingDeadline(at: firstToken, for: .firstToken, on: time)
    }
}
