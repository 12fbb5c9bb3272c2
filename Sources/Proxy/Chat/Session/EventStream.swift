import NIOCore
import NIOHTTP1
import ProxyRouting
import Synchronization

/// The client's side of one streamed answer: headers, events, reassurance in between, and one proper end.
///
/// Its state lives on the connection's event loop. So the decision that matters most, whether a failure can still be an
/// ordinary HTTP error or has to become an event since the headers are out, is taken in the one place where headers are
/// sent, and never races with the keep-alive timer. The methods may be called from anywhere, by one task at a time.
final class EventStream: Sendable {
    private let connection: ClientConnection
    private let state: NIOLoopBoundBox<State>
    private let sentBytes = Atomic(0)
    /// What the headers say of the key is known when the first call has been let in.
    private let charge: RequestCharge?
    /// The same of where the request has been, where they say it.
    private let route: RequestTrace?

    /// Bytes of the body that have been handed to the connection.
    var sent: Int { sentBytes.load(ordering: .relaxed) }

    /// A class, so that a look at a part of it copies nothing.
    private final class State {
        /// Until they have been sent.
        var headers: HTTPHeaders
        let keepAlive: KeepAlive
        /// Writes a failure in place of the end of the answer that has begun.
        var ending: ((Failure) -> [UInt8])?
        /// Of the answer, where the upstream has named it.
        var answerID: String?
        let openedAt: NIODeadline
        var schedule: KeepAliveSchedule
        var timer: Scheduled<Void>?
        var hasEnded = false

        init(headers: HTTPHeaders, keepAlive: @escaping KeepAlive, openedAt: NIODeadline, schedule: KeepAliveSchedule) {
            self.headers = headers
            self.keepAlive = keepAlive
            self.openedAt = openedAt
            self.schedule = schedule
        }

        func elapsed(_ now: NIODeadline) -> Duration { .nanoseconds((now - openedAt).nanoseconds) }
    }

    /// A sign of life in the client's own language, with the id of the answer, if it has one of its own. It is seldom needed, so it is made
    /// when it is. On the event loop.
    typealias KeepAlive = @Sendable (_ kind: KeepAliveSchedule.Reassurance, _ id: String?) -> [UInt8]

    /// - Parameters:
    ///   - headers: what goes out with the first byte.
    ///   - keepAliveInterval: the silence after which the client is reassured; zero is never.
    init(
        on connection: ClientConnection, headers: HTTPHeaders, keepAliveInterval: Duration,
        charge: RequestCharge? = nil, route: RequestTrace? = nil, keepAlive: @escaping KeepAlive
    ) {
        self.route = route
        self.charge = charge
        self.connection = connection
        let now = connection.eventLoop.now
        state = .makeBoxSendingValue(
            State(
                headers: headers, keepAlive: keepAlive, openedAt: now,
                schedule: KeepAliveSchedule(interval: keepAliveInterval, at: .zero)),
            eventLoop: connection.eventLoop)
    }

    /// Starts to watch for silence. Call it when the request begins to wait for its upstream.
    func open() {
        connection.onLoop { self.scheduleWake() }
    }

    /// Sends whole events, and the headers before the first of them. Returns when the connection can take more: a
    /// client that reads slowly slows the upstream down, and no more than the socket's high-water mark is kept here.
    ///
    /// - Throws: `CancellationError` when the connection is gone or the task was cancelled; `MovingDeadline.Exceeded`.
    nonisolated(nonsending) func send(_ events: ByteBuffer, until deadline: MovingDeadline? = nil) async throws {
        try Task.checkCancellation()
        guard connection.channel.isWritable else {
            return try await written(until: deadline) { self.writeEvents(events, promise: $0) }
        }
        connection.onLoop { self.writeEvents(events, promise: nil) }
    }

    /// Sends whole events from the event loop, at once.
    ///
    /// - Returns: whether the connection takes more. If not, `room` tells when it does.
    func write(_ events: [UInt8]) -> Bool {
        willWriteEvents()
        sentBytes.wrappingAdd(events.count, ordering: .relaxed)
        connection.write {
            $0.write(events)
            $0.flush()
        }
        return connection.channel.isWritable
    }

    /// From now on, what has begun ends so when it fails. On the event loop.
    func ends(with ending: @escaping (Failure) -> [UInt8]) { state.value.ending = ending }

    /// From now on, events that are made here have this id: all events of an answer have one. On the event loop.
    func name(_ id: String) { state.value.answerID = id }

    /// Returns when the client has taken what there was for it.
    ///
    /// - Throws: as `send`.
    nonisolated(nonsending) func waitForCapacity(until deadline: MovingDeadline? = nil) async throws {
        try Task.checkCancellation()
        guard !connection.channel.isWritable else { return }
        try await written(until: deadline) { promise in
            self.connection.write {
                $0.write(ByteBuffer(), promise: promise)
                $0.flush()
            }
        }
    }

    /// Makes a write on the event loop and waits for it.
    private nonisolated(nonsending) func written(
        until deadline: MovingDeadline?, _ write: @escaping @Sendable (EventLoopPromise<Void>) -> Void
    ) async throws {
        let flushed = connection.eventLoop.makePromise(of: Void.self)
        connection.onLoop { write(flushed) }
        do {
            guard let deadline else { return try await flushed.completion() }
            try await deadline.binding(.call { flushed.fail($0) }) { try await flushed.completion() }
        } catch {
            if let error = error as? MovingDeadline.Exceeded { throw error }
            // The client's side, whatever the reason: nothing that speaks against the upstream.
            throw CancellationError()
        }
    }

    /// Sends the last events, which are few: without waiting for room, and even when the task has been cancelled.
    func send(last events: ByteBuffer) {
        guard events.readableBytes > 0 else { return }
        connection.onLoop { self.writeEvents(events, promise: nil) }
    }

    /// Ends the answer. All that ought to be said has been sent.
    func finish() {
        connection.onLoop { self.writeEnd() }
    }

    /// Ends the answer with a failure: as `answer` while no header has been sent, else as an event and the proper end
    /// of the body (never `[DONE]`, which says that an answer is complete).
    ///
    /// - Parameter event: for an answer of which nothing has been told.
    /// - Returns: the status that the client has seen: the answer's, or 200.
    func fail(_ failure: Failure, _ answer: Response, orEvent event: @escaping @Sendable () -> [UInt8]) async throws
        -> Int
    {
        try await connection.eventLoop.submit {
            guard !self.state.value.hasEnded else { return 200 }
            if self.state.value.schedule.hasHeaders {
                let event = self.state.value.ending?(failure) ?? event()
                self.writeEvents(ByteBuffer(bytes: event), promise: nil)
                self.writeEnd()
                return 200
            }
            self.stop()
            self.sentBytes.wrappingAdd(answer.body.readableBytes, ordering: .relaxed)
            self.connection.send(answer)
            return Int(answer.status.code)
        }.get()
    }

    /// The client has left: nothing will be said any more.
    func abandon() { connection.onLoop { self.stop() } }

    // MARK: On the event loop

    private func writeEvents(_ events: ByteBuffer, promise: EventLoopPromise<Void>?) {
        willWriteEvents()
        write(events, promise: promise)
    }

    private func willWriteEvents() {
        let state = state.value
        if !state.schedule.hasHeaders { writeHead() }
        state.schedule.sentEvents(at: state.elapsed(connection.eventLoop.now))
    }

    private func writeHead() {
        if let charge { for (name, value) in charge.fields { state.value.headers.add(name: name, value: value) } }
        if let line = route?.routeLine { state.value.headers.add(name: "x-ociai-route", value: line) }
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: state.value.headers)
        state.value.headers = [:]
        connection.write { $0.write(head) }
    }

    private func write(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        sentBytes.wrappingAdd(bytes.readableBytes, ordering: .relaxed)
        connection.write {
            $0.write(bytes, promise: promise)
            $0.flush()
        }
    }

    private func writeEnd() {
        guard !state.value.hasEnded else { return }
        if !state.value.schedule.hasHeaders { writeHead() }
        stop()
        connection.write { $0.writeEnd() }
    }

    private func stop() {
        state.value.hasEnded = true
        state.value.ending = nil
        state.value.timer?.cancel()
        state.value.timer = nil
    }

    private func scheduleWake() {
        guard !state.value.hasEnded, state.value.schedule.isOn else { return }
        let wait = state.value.schedule.due - state.value.elapsed(connection.eventLoop.now)
        state.value.timer = connection.eventLoop.scheduleTask(in: TimeAmount(max(wait, .zero))) { self.wake() }
    }

    private func wake() {
        guard !state.value.hasEnded, connection.channel.isActive else { return }
        // A client that does not even take what is there needs no comment on top.
        if connection.channel.isWritable {
            switch state.value.schedule.wake(at: state.value.elapsed(connection.eventLoop.now)) {
            case .headers:
                writeHead()
                connection.write { $0.flush() }
            case .some(let kind):
                write(ByteBuffer(bytes: state.value.keepAlive(kind, state.value.answerID)), promise: nil)
            case nil: break
            }
        }
        scheduleWake()
    }
}
