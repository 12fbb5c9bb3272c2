import NIOCore
import NIOHTTP1

/// One chat on its way through an account: the upstream call, its deadlines, and the translation of what comes back.
///
/// Every failure leaves as `APIError`, a cancellation (the client left) as `CancellationError`.
struct ChatCall: Sendable {
    /// How long an upstream may keep a finished stream open before its usage or `[DONE]` is no longer waited for.
    static let tailLimit = Duration.seconds(3)
    /// How long the end of a complete answer's body is waited for, so that its connection can be used again.
    static let drainLimit = Duration.milliseconds(250)

    let account: OCIAccount
    /// The ChatDetails document.
    let details: [UInt8]
    let limits: ChatCompletionsRoute.Limits
    let time: TimeSource
    /// When the request was whole; `request_timeout` counts from here.
    let arrival: Duration
    let envelope: ChunkEnvelope
    let includesUsage: Bool
    /// Runs what follows the signature on the connection's event loop.
    let executor: EventLoopExecutor

    /// What the log and the statistics want to know of a stream.
    struct Summary: Sendable {
        var usage: TokenUsage?
        var firstEvent: Duration?
        /// Events of the upstream that could not be read and were passed over.
        var unreadableEvents = 0
    }

    // MARK: The three ways

    /// The answer as one document, in the OpenAI form.
    func whole() async throws -> OpenAIAnswer {
        try await within(requestDeadline()) { _ in
            try GenericToOpenAI.translate(try await document(), in: envelope)
        }
    }

    /// Takes the answer as one document and tells it as a stream (`force_non_stream`).
    func replay(to stream: EventStream) async throws -> Summary {
        try await within(requestDeadline()) { deadline in
            let answer = try GenericAnswerAsStream.frames(of: try await document(), in: envelope, includesUsage: includesUsage)
            let firstEvent = time.now()
            deadline.move(to: firstEvent + limits.silence, for: .slowClient)
            try await stream.send(ByteBuffer(bytes: answer.frames))
            stream.finish()
            return Summary(usage: answer.usage, firstEvent: firstEvent)
        }
    }

    /// Passes the upstream's stream on, event by event.
    func relay(to stream: EventStream) async throws -> Summary {
        try await within(firstEventDeadline()) { deadline in
            let request = try await account.signedChat(details)
            return try await withTaskExecutorPreference(executor) {
                try await relay(request, to: stream, deadline)
            }
        }
    }

    private func relay(_ request: TransportRequest, to stream: EventStream, _ deadline: MovingDeadline) async throws -> Summary {
        let response = try await successful(try await account.transport.send(request))
        var relay = StreamRelay(envelope: envelope, includesUsage: includesUsage)
        var summary = Summary()
        var body = response.body.makeAsyncIterator()
        do {
            while !relay.isComplete, let bytes = try await body.next(isolation: nil) {
                let failure = relay.take(bytes)
                try await forward(&relay, to: stream, &summary, deadline)
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
        summary.usage = relay.usage
        summary.unreadableEvents = relay.unreadableEvents
        deadline.move(to: time.now() + Self.drainLimit, for: .drain)
        await drain(&body)
        return summary
    }

    // MARK: Steps

    /// Sends what is ready, in one piece, and says until when the next bytes are waited for.
    private func forward(
        _ relay: inout StreamRelay, to stream: EventStream, _ summary: inout Summary, _ deadline: MovingDeadline
    ) async throws {
        let frames = relay.takeFrames()
        if !frames.isEmpty {
            let now = time.now()
            if summary.firstEvent == nil { summary.firstEvent = now }
            deadline.move(to: now + limits.silence, for: .slowClient)
            try await stream.send(ByteBuffer(bytes: frames))
        }
        if relay.isFinished {
            deadline.move(to: time.now() + Self.tailLimit, for: .tail)
        } else if summary.firstEvent != nil {
            deadline.move(to: time.now() + limits.silence, for: .silence)
        }
    }

    /// Reads the rest of a complete answer, which is next to nothing: the end of its chunked body. Without it the
    /// connection could not be used again.
    private func drain(_ body: inout any AsyncIteratorProtocol<ByteBuffer, any Error>) async {
        while let rest = try? await body.next(isolation: nil), rest.readableBytes < 1024 {}
    }

    private func document() async throws -> [UInt8] {
        let request = try await account.signedChat(details)
        return try await withTaskExecutorPreference(executor) {
            try await successful(try await account.transport.send(request)).collect(upTo: limits.answer)
        }
    }

    /// The response if it is one; the upstream's refusal as an error otherwise.
    private func successful(_ response: TransportResponse) async throws -> TransportResponse {
        guard response.status != 200 else { return response }
        // Error bodies are small; what is longer is not read, and an unreadable one says nothing.
        let body = (try? await response.collect(upTo: 256 << 10)) ?? []
        try Task.checkCancellation()
        throw OCIErrorToOpenAI.translate(
            status: response.status, retryAfter: response.headers.first(name: "retry-after"), body: body, account: account.id)
    }

    // MARK: Deadlines

    private func requestDeadline() -> MovingDeadline {
        MovingDeadline(at: arrival + limits.request, for: .request, on: time)
    }

    private func firstEventDeadline() -> MovingDeadline {
        let firstToken = time.now() + limits.firstToken
        guard limits.firstToken > .zero, firstToken < arrival + limits.request else { return requestDeadline() }
        return MovingDeadline(at: firstToken, for: .firstToken, on: time)
    }

    private func within<Success: Sendable>(
        _ deadline: MovingDeadline, _ operation: @escaping @Sendable (MovingDeadline) async throws -> Success
    ) async throws -> Success {
        do {
            return try await withDeadline(deadline) { try await operation(deadline) }
        } catch {
            // The client is gone: whatever else failed is a consequence, and nobody is left to be told.
            try Task.checkCancellation()
            throw UpstreamFault.apiError(error, account: account.id) ?? CancellationError()
        }
    }
}
