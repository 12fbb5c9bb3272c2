import NIOCore

/// A streamed answer on its way from the upstream to the client: first until its first event has left, when no other upstream can take its
/// place any more, then to its end.
///
/// Two steps, since they need different things: to begin may take several attempts, each with its call, its signature and its failures; what
/// follows is one wait, for as long as the stream lasts, and should hold no memory of all that.
final class LiveStream {
    /// How long the end of a complete answer's body is waited for, so that its connection can be used again.
    static let drainLimit = Duration.milliseconds(250)

    private let pump: StreamPump
    private let stream: EventStream
    private var body: any AsyncIteratorProtocol<ByteBuffer, any Error>
    private let report: AttemptReport
    private let deadline: MovingDeadline
    private let frame: ChatCall.Frame
    private var hasEnded = false

    /// - Parameter deadline: armed; it is disarmed when the stream ends.
    init(
        _ response: TransportResponse, through relay: any AnswerRelay, to stream: EventStream, _ report: AttemptReport,
        _ deadline: MovingDeadline, _ frame: ChatCall.Frame
    ) {
        pump = StreamPump(relay, to: stream, report, deadline, frame)
        body = response.body.makeAsyncIterator()
        self.stream = stream
        self.report = report
        self.deadline = deadline
        self.frame = frame
    }

    deinit { deadline.disarm() }

    /// Returns when the first event has left, or the whole answer.
    ///
    /// - Throws: the failure of an answer that has none.
    nonisolated(nonsending) func begin() async throws { try await pass(untilBegun: true) }

    /// Passes on what comes, to the end.
    ///
    /// - Throws: what the answer ended with in place of its end; `CancellationError` when the client has left.
    nonisolated(nonsending) func finish() async throws {
        guard !hasEnded else { return }
        if frame.executor.isCurrent { return try await goOn() }
        // nonisolated(unsafe): it stays in this task, which goes to another thread and back.
        nonisolated(unsafe) let stream = self
        try await frame.executor.run { try await stream.goOn() }
    }

    private nonisolated(nonsending) func goOn() async throws {
        defer { deadline.disarm() }
        try await pump.room()
        try await pass(untilBegun: false)
    }

    private nonisolated(nonsending) func pass(untilBegun: Bool) async throws {
        defer { report.change { ($0.usage, $0.unreadableEvents) = (pump.relay.usage, pump.relay.unreadableEvents) } }
        do {
            while try await pour() {
                if let failure = pump.failure { throw failure }
                if pump.relay.isComplete { break }
                if untilBegun, pump.hasBegun { return }
                try await pump.room()
            }
            // The body of a cancelled call may look like one that has ended.
            try Task.checkCancellation()
        } catch where deadline.passed == .tail {
            // It has said all but its goodbye.
        }
        hasEnded = true
        if let failure = pump.end() { throw failure }
        stream.finish()
        deadline.move(to: frame.time.now() + Self.drainLimit, for: .drain)
        await drain()
        deadline.disarm()
    }

    /// Lets the pump take what comes.
    ///
    /// - Returns: false at the end of the body; true when the pump has taken no more before.
    private nonisolated(nonsending) func pour() async throws -> Bool {
        if let body = body as? AnswerBody.AsyncIterator, body.arrives(on: frame.executor.eventLoop) { return try await body.pour(into: pump) }
        while let bytes = try await body.next(isolation: nil) {
            if !pump.take(bytes) { return true }
        }
        return false
    }

    /// Reads the rest of a complete answer, which is next to nothing: the end of its chunked body. Without it the
    /// connection could not be used again.
    private nonisolated(nonsending) func drain() async {
        while let rest = try? await body.next(isolation: nil), rest.readableBytes < 1024 {}
    }
}
