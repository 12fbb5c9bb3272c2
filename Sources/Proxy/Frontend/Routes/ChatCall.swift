import NIOCore
import NIOHTTP1

/// One chat as it is called at an upstream: the call, its deadlines, and the translation of what comes back. It may be made
/// several times, at one account after the other.
///
/// Failures leave as they were met, so that `OutcomeClassifier` can tell them apart; a client that has left is a
/// `CancellationError`.
struct ChatCall: Sendable {
    /// How long an upstream may keep a finished stream open before its usage or `[DONE]` is no longer waited for.
    static let tailLimit = Duration.seconds(3)
    /// How long the end of a complete answer's body is waited for, so that its connection can be used again.
    static let drainLimit = Duration.milliseconds(250)

    let document: CallDocument
    let reader: ChatReader
    /// How the upstream is called, whatever the client asked for.
    let isStreaming: Bool
    let frame: Frame

    /// What all calls of one request have in common.
    struct Frame: Sendable {
        let limits: ChatCompletionsRoute.Limits
        let time: TimeSource
        /// `request_timeout` after the arrival.
        let deadline: Duration
        let envelope: ChunkEnvelope
        let includesUsage: Bool
        /// Runs what follows the signature on the connection's event loop.
        let executor: EventLoopExecutor
    }

    private var limits: ChatCompletionsRoute.Limits { frame.limits }
    private var time: TimeSource { frame.time }
    private var executor: EventLoopExecutor { frame.executor }

    // MARK: The three ways

    /// The answer as a stream, however the upstream gives it.
    func stream(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        if isStreaming {
            try await relay(at: backend, to: stream, report)
        } else {
            try await replay(at: backend, to: stream, report)
        }
    }

    /// The answer as one document, in the OpenAI form.
    func whole(at backend: any Backend, _ report: AttemptReport) async throws -> OpenAIAnswer {
        try await withDeadline(requestDeadline()) {
            let answer = try reader.answer(try await body(at: backend), of: backend.id, in: frame.envelope)
            report.change { $0.usage = answer.usage }
            return answer
        }
    }

    /// Takes the answer as one document and tells it as a stream (`force_non_stream`).
    private func replay(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        let deadline = requestDeadline()
        try await withDeadline(deadline) {
            let answer = try reader.frames(of: try await body(at: backend), of: backend.id, in: frame.envelope, includesUsage: frame.includesUsage)
            let now = time.now()
            report.change {
                $0.usage = answer.usage
                $0.firstEvent = now
            }
            deadline.move(to: now + limits.silence, for: .slowClient)
            try await stream.send(ByteBuffer(bytes: answer.frames))
            stream.finish()
        }
    }

    /// Passes the upstream's stream on, event by event.
    private func relay(at backend: any Backend, to stream: EventStream, _ report: AttemptReport) async throws {
        let deadline = firstEventDeadline()
        try await withDeadline(deadline) {
            let request = try await backend.request(document, isStreaming: isStreaming)
            try await withTaskExecutorPreference(executor) {
                try await relay(request, of: backend, to: stream, report, deadline)
            }
        }
    }

    private func relay(
        _ request: TransportRequest, of backend: any Backend, to stream: EventStream, _ report: AttemptReport, _ deadline: MovingDeadline
    ) async throws {
        let response = try await backend.successful(try await backend.send(request))
        var relay = reader.relay(of: backend.id, in: frame.envelope, includesUsage: frame.includesUsage)
        var hasBegun = false
        defer { report.change { ($0.usage, $0.unreadableEvents) = (relay.usage, relay.unreadableEvents) } }
        var body = response.body.makeAsyncIterator()
        do {
            while !relay.isComplete, let bytes = try await body.next(isolation: nil) {
                let failure = relay.take(bytes)
                try await forward(&relay, to: stream, &hasBegun, report, deadline)
                if let failure { throw failure }
            }
            // The body of a cancelled call may look like one that has ended.
            try Task.checkCancellation()
        } catch where deadline.passed == .tail {
            // It has said all but its goodbye.
        }
        let failure = relay.end()
        stream.send(last: ByteBuffer(bytes: relay.takeFrames()))
        if let failure { throw failure }
        stream.finish()
        deadline.move(to: time.now() + Self.drainLimit, for: .drain)
        await drain(&body)
    }

    // MARK: Steps

    /// Sends what is ready, in one piece, and says until when the next bytes are waited for.
    private func forward(
        _ relay: inout any AnswerRelay, to stream: EventStream, _ hasBegun: inout Bool, _ report: AttemptReport, _ deadline: MovingDeadline
    ) async throws {
        let frames = relay.takeFrames()
        if !frames.isEmpty {
            let now = time.now()
            if !hasBegun {
                hasBegun = true
                report.change { $0.firstEvent = now }
            }
            deadline.move(to: now + limits.silence, for: .slowClient)
            try await stream.send(ByteBuffer(bytes: frames))
        }
        if relay.isFinished {
            deadline.move(to: time.now() + Self.tailLimit, for: .tail)
        } else if hasBegun {
            deadline.move(to: time.now() + limits.silence, for: .silence)
        }
    }

    /// Reads the rest of a complete answer, which is next to nothing: the end of its chunked body. Without it the
    /// connection could not be used again.
    private func drain(_ body: inout any AsyncIteratorProtocol<ByteBuffer, any Error>) async {
        while let rest = try? await body.next(isolation: nil), rest.readableBytes < 1024 {}
    }

    private func body(at backend: any Backend) async throws -> [UInt8] {
        let request = try await backend.request(document, isStreaming: isStreaming)
        return try await withTaskExecutorPreference(executor) {
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
