import ProxyRouting

/// One chat of the process itself, asked when its first event is wanted. Whoever drops it has left, and the call to the upstream ends.
actor ChatEventReader {
    private enum Phase: Sendable {
        case unasked, over
        case answering(InProcessConnection)
    }

    private let ask: @Sendable () async throws -> InProcessConnection
    private var phase = Phase.unasked
    private var reader = ChatResponseReader()
    /// Told and not yet taken, the next one last.
    private var events: [ChatEvent] = []
    /// Comes behind `events`.
    private var failure: ChatFailure?

    /// - Parameter ask: sends the chat.
    init(_ ask: @escaping @Sendable () async throws -> InProcessConnection) { self.ask = ask }

    deinit {
        if case .answering(let connection) = phase { connection.leave() }
    }

    /// The next event; nil behind the last.
    ///
    /// - Throws: `ChatFailure`; `CancellationError` when the task is cancelled.
    func next() async throws -> ChatEvent? {
        while true {
            if let event = events.popLast() { return event }
            if let failure = failure.take() { throw failure }
            switch phase {
            case .unasked: phase = .answering(try await asked())
            // To the end of the request, so that its books are closed when the stream has ended.
            case .answering(let connection): try await read(connection)
            case .over: return nil
            }
        }
    }

    private func asked() async throws -> InProcessConnection {
        // Whatever comes of it, it is asked once.
        phase = .over
        do {
            return try await ask()
        } catch let failure as Failure {
            throw ChatFailure(failure)
        }
    }

    private func read(_ connection: InProcessConnection) async throws {
        let reading = await connection.read()
        guard !Task.isCancelled else {
            phase = .over
            throw CancellationError()
        }
        reader.read(reading)
        if reading.isOver { (phase, failure) = (.over, reader.failure) }
        events = reader.takeEvents().reversed()
    }
}
