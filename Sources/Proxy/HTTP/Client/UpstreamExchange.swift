import NIOCore
import NIOHTTP1

/// One request and its answer, between the task that waits for it and the connection that carries it.
///
/// What a socket read brings is gathered and handed over as one buffer; while the reader has not taken it, nothing more is read.
//
// @unchecked: everything that changes is touched on `loop` alone. Each method begins with an assertion of that; the initializer
// hands the object over before anybody else knows it.
@safe final class UpstreamExchange: @unchecked Sendable {
    let loop: any EventLoop
    let origin: Origin
    /// Until the answer comes: it may have to be sent once more.
    private(set) var request: RequestBytes?

    private enum Phase {
        case connecting
        case awaitingHead
        case streaming
        case ended
        case failed(any Error)
    }
    private var phase = Phase.connecting

    /// Who waits for the body.
    @safe private enum Reader {
        /// A task, for the next bytes, or nil at the end.
        case next(UnsafeContinuation<ByteBuffer?, any Error>)
        /// A sink, for all that comes; and a task, for the moment at which the sink takes no more (true) or the body has ended (false).
        case sink(any BodySink, UnsafeContinuation<Bool, any Error>)
    }
    /// Of a request whose body goes on: keeps its word when a connection can take more of it.
    private let started: EventLoopPromise<Void>?
    private var upload: (any RequestSink)?
    private var headWaiter: UnsafeContinuation<TransportResponse, any Error>?
    private var reader: Reader?
    /// Of the body: what has arrived and has not been taken.
    private var pending: ByteBuffer?
    /// Ends what is under way: the attempt to connect, or the connection.
    private var onCancel: (any Cancellable)?
    private var source: (any BodySource)?
    /// Nobody reads on: what is left of the body is thrown away, until this ends the call.
    private var drain: Scheduled<Void>?
    /// Bytes that may be left then.
    private static let drainable = 1024
    private var drained = 0

    private let observer: (any RequestObserver)?

    init(
        _ request: RequestBytes, to origin: Origin, on loop: any EventLoop, observer: (any RequestObserver)? = nil
    ) {
        self.request = request
        self.observer = observer
        self.origin = origin
        self.loop = loop
        started = request.goesOn ? loop.makePromise() : nil
    }

    /// Its body is sent as it comes, once.
    var isUpload: Bool { started != nil }

    // MARK: The caller's side

    /// - Returns: false when it has been cancelled before it began.
    func begin(_ waiter: UnsafeContinuation<TransportResponse, any Error>) -> Bool {
        loop.assertInEventLoop()
        if case .failed(let error) = phase {
            unsafe waiter.resume(throwing: error)
            return false
        }
        unsafe headWaiter = waiter
        return true
    }

    /// What a reader gets without waiting.
    enum Ready {
        case bytes(ByteBuffer)
        case end
        case nothingYet
    }

    /// Takes what is there. The room that it leaves lets the connection read on.
    ///
    /// - Throws: what the body ended with.
    func take() throws -> Ready {
        loop.assertInEventLoop()
        if let bytes = pending.take() {
            source?.readOn()
            return .bytes(bytes)
        }
        switch phase {
        case .ended: return .end
        case .failed(let error): throw error
        case .connecting, .awaitingHead, .streaming: return .nothingYet
        }
    }

    /// Resumes `reader` with the next bytes of the body, nil at its end.
    func read(_ reader: UnsafeContinuation<ByteBuffer?, any Error>) {
        loop.assertInEventLoop()
        do {
            switch try take() {
            case .bytes(let bytes): unsafe reader.resume(returning: bytes)
            case .end: unsafe reader.resume(returning: nil)
            case .nothingYet where self.reader != nil: unsafe reader.resume(throwing: Self.isReadTwice)
            case .nothingYet: self.reader = unsafe .next(reader)
            }
        } catch {
            unsafe reader.resume(throwing: error)
        }
    }

    /// Hands what comes of the body to `sink`, in the moment in which it comes. `waiter` is resumed when the sink takes no more, with true,
    /// or at the body's end, with false.
    func pour(into sink: some BodySink, _ waiter: UnsafeContinuation<Bool, any Error>) {
        do {
            if let goesOn = try pour(into: sink) { return unsafe waiter.resume(returning: goesOn) }
            guard reader == nil else { return unsafe waiter.resume(throwing: Self.isReadTwice) }
            reader = unsafe .sink(sink, waiter)
        } catch {
            unsafe waiter.resume(throwing: error)
        }
    }

    /// Hands what has come of the body to `sink`.
    ///
    /// - Returns: true when the sink takes no more, false at the body's end, nil when more is to come.
    /// - Throws: what the body ended with.
    func pour(into sink: some BodySink) throws -> Bool? {
        while true {
            switch try take() {
            case .bytes(let bytes): if !sink.take(bytes) { return true }
            case .end: return false
            case .nothingYet: return nil
            }
        }
    }

    /// The answer was complete before its body ended, and nobody reads on. What is left, the end of a chunked body as a rule, is read and thrown
    /// away, so that the connection can carry another exchange; it is closed when there is more than that, or nothing for `limit`.
    func drain(within limit: TimeAmount) {
        loop.assertInEventLoop()
        guard !isOver, drain == nil, !isAwaited else { return }
        drain = loop.assumeIsolated().scheduleTask(in: limit) { self.cancel() }
        discard()
    }

    private func discard() {
        guard let bytes = pending.take() else { return }
        drained += bytes.readableBytes
        if drained > Self.drainable { cancel() } else { source?.readOn() }
    }

    /// Nobody knows the body any more.
    func letGo() {
        loop.assertInEventLoop()
        if drain == nil { cancel() }
    }

    private static let isReadTwice = TransportError.connectionLost("its body is being read by another task")

    /// Ends the call, wherever it is, and closes its connection.
    ///
    /// - Parameter error: what its waiter and its reader get.
    func cancel(_ error: any Error = CancellationError()) {
        loop.assertInEventLoop()
        guard !isOver else {
            // An answer that is complete has no connection any more, but its reader is to know all the same.
            if case .ended = phase, pending != nil { (phase, pending) = (.failed(error), nil) }
            return
        }
        let connection = onCancel
        pending = nil
        fail(error)
        connection?.cancel()
    }

    /// Sends the rest of the request's body as it comes, no faster than the socket takes it. Returns when all has been written.
    ///
    /// - Throws: what `RestOfBody` throws; `TransportError`; `CancellationError`.
    nonisolated(nonsending) func send(_ rest: RequestUpload) async throws {
        try await started?.completion()
        while let piece = try await rest.body.next() {
            try rest.onPiece(piece)
            try await write(piece)
        }
        try await write(nil)
        observer?.wasWritten(true)
    }

    /// The rest of the request's body will not come, or cannot be sent. An answer that is complete stands.
    func cannotSendRest(_ error: any Error) {
        loop.assertInEventLoop()
        if !isOver { cancel(error) }
    }

    /// - Parameter piece: nil for the end.
    private nonisolated(nonsending) func write(_ piece: ByteBuffer?) async throws {
        let written = loop.makePromise(of: Void.self)
        loop.execute {
            guard let upload = self.upload else { return written.fail(TransportError.closed) }
            if let piece { upload.write(piece, written) } else { upload.endRequest(written) }
        }
        try await written.completion()
    }

    // MARK: The connection's side

    var isOver: Bool {
        switch phase {
        case .ended, .failed: true
        case .connecting, .awaitingHead, .streaming: false
        }
    }

    /// Somebody waits for what comes next of the body.
    var isAwaited: Bool { reader != nil }

    /// Whether more of the body may be read.
    var hasRoom: Bool { pending == nil }

    /// A connection is being made.
    func connects(through attempt: some Cancellable) {
        loop.assertInEventLoop()
        observer?.wasWritten(false)
        (phase, onCancel) = (.connecting, attempt)
    }

    /// The request is about to be written.
    func starts(on connection: some BodySource & Cancellable) {
        loop.assertInEventLoop()
        (phase, onCancel, source) = (.awaitingHead, connection, connection)
    }

    /// The socket has taken all of the request.
    func wasWritten() { observer?.wasWritten(true) }

    /// The beginning of a request has been written, and its body goes on.
    func takesMore(by sink: some RequestSink) {
        loop.assertInEventLoop()
        upload = sink
        started?.succeed()
    }

    func received(_ head: ResponseHead) {
        loop.assertInEventLoop()
        guard case .awaitingHead = phase else { return }
        phase = .streaming
        request = nil
        unsafe headWaiter.take()?.resume(
            returning: TransportResponse(status: head.status, headers: head.headers, body: ResponseBody(of: self)))
    }

    func received(_ bytes: ByteBuffer) {
        loop.assertInEventLoop()
        guard case .streaming = phase, bytes.readableBytes > 0 else { return }
        if pending == nil {
            pending = bytes
        } else {
            pending?.writeImmutableBuffer(bytes)
        }
    }

    /// All that the socket had is there.
    func handOver() {
        loop.assertInEventLoop()
        guard pending != nil else { return }
        if drain == nil { serveReader() } else { discard() }
    }

    func end() {
        loop.assertInEventLoop()
        guard case .streaming = phase else { return }
        phase = .ended
        release()
        serveReader()
    }

    /// What has arrived before is still handed over.
    func fail(_ error: any Error) {
        loop.assertInEventLoop()
        guard !isOver else { return }
        // The answer had begun: the upstream can be reached, and has not finished this one.
        if case .streaming = phase, let error = error as? TransportError {
            phase = .failed(error.afterHead)
        } else {
            phase = .failed(error)
        }
        release()
        unsafe headWaiter.take()?.resume(throwing: error)
        serveReader()
    }

    /// Gives who waits for the body what there is: bytes, its end, or its failure.
    private func serveReader() {
        switch reader.take() {
        case .next(let task): unsafe read(task)
        case .sink(let sink, let task): unsafe pour(into: sink, task)
        case nil: break
        }
    }

    private func release() {
        upload = nil
        started?.fail(TransportError.closed)
        drain?.cancel()
        drain = nil
        onCancel = nil
        source = nil
    }
}

/// Something under way that can be ended at once.
protocol Cancellable: AnyObject {
    func cancel()
}

/// Takes the bytes of a body as they come, on the event loop of their connection.
protocol BodySink: AnyObject {
    /// - Returns: whether it takes the next ones likewise. If not, they wait, and the socket is not read.
    func take(_ bytes: ByteBuffer) -> Bool
}

/// What a request's body is written to, piece by piece, on the event loop.
protocol RequestSink: AnyObject {
    /// - Parameter promise: succeeds when the socket has taken it.
    func write(_ piece: ByteBuffer, _ promise: EventLoopPromise<Void>)
    func endRequest(_ promise: EventLoopPromise<Void>)
}

/// What reads a body from the socket.
protocol BodySource: AnyObject {
    /// There is room again.
    func readOn()
}
