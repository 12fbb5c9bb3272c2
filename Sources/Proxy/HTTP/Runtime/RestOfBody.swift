import NIOCore
import Synchronization

/// The rest of a request's body, where the request is passed on while it still comes. What its reader has not taken is kept here, and while that is much, nothing more
/// is read from the client.
///
/// The connection's side is for its event loop. It is read by one task at a time, from anywhere.
final class RestOfBody: Sendable {
    /// Bytes that may wait for the reader before the client has to.
    static let roomy = 64 * 1024

    private struct State {
        /// What has come and has not been taken, as one: a client may send it byte by byte.
        var pending: ByteBuffer?
        /// How it has ended, once it has.
        var end: Result<Void, any Error>?
        /// Who waits for what comes next, by the number of its call.
        var reader: (call: Int, task: CheckedContinuation<ByteBuffer?, any Error>)?
        /// The call that was cancelled before it came here.
        var cancelled: Int?
        /// Lets the client send on.
        var onRoom: (() -> Void)?
    }

    let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>
    private let takenBytes = Atomic(0)
    private let calls = Atomic(0)
    private let hasBeenRead = Atomic(false)
    /// Bytes of the whole body, with what came before; nil when nobody has told.
    let length: Int?

    /// - Parameter onRoom: is called on the event loop when more may come.
    init(on loop: any EventLoop, length: Int?, onRoom: @escaping () -> Void) {
        self.loop = loop
        self.length = length
        state = NIOLoopBoundBox(State(onRoom: onRoom), eventLoop: loop)
    }

    /// Bytes that have been read of it.
    var taken: Int { takenBytes.load(ordering: .relaxed) }
    /// Its reader has come to its end.
    var isRead: Bool { hasBeenRead.load(ordering: .relaxed) }

    // MARK: The connection's side

    var isFull: Bool { state.value.pending?.readableBytes ?? 0 >= Self.roomy }

    /// Somebody waits for what comes next.
    var isAwaited: Bool { state.value.reader != nil }

    func put(_ piece: ByteBuffer) {
        guard state.value.end == nil, piece.readableBytes > 0 else { return }
        if let reader = state.value.reader.take() { return hand(piece, to: reader.task) }
        if state.value.pending == nil {
            state.value.pending = piece
        } else {
            state.value.pending?.writeImmutableBuffer(piece)
        }
    }

    /// The body is complete.
    func finish() { end(.success(())) }

    /// The rest of it will not come. What has come is not read any more either.
    func fail(_ error: any Error) {
        guard state.value.end == nil else { return }
        state.value.pending = nil
        end(.failure(error))
    }

    private func end(_ end: Result<Void, any Error>) {
        guard state.value.end == nil else { return }
        state.value.end = end
        state.value.onRoom = nil
        if let reader = state.value.reader.take() { tell(end, to: reader.task) }
    }

    // MARK: The reader's side

    /// All that has come since the last call, or the next that comes; nil at the end.
    ///
    /// - Throws: `RequestFault` when the client sends no more, or too much; `CancellationError`.
    nonisolated(nonsending) func next() async throws -> ByteBuffer? {
        let call = calls.wrappingAdd(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reader in
                if loop.inEventLoop { take(call, reader) } else { loop.execute { self.take(call, reader) } }
            }
        } onCancel: {
            loop.execute { self.cancel(call) }
        }
    }

    private func cancel(_ call: Int) {
        if state.value.reader?.call == call {
            state.value.reader.take()?.task.resume(throwing: CancellationError())
        } else {
            state.value.cancelled = call
        }
    }

    private func take(_ call: Int, _ reader: CheckedContinuation<ByteBuffer?, any Error>) {
        guard state.value.cancelled != call else { return reader.resume(throwing: CancellationError()) }
        let wasFull = isFull
        if let piece = state.value.pending.take() {
            hand(piece, to: reader)
            if wasFull { state.value.onRoom?() }
        } else if let end = state.value.end {
            tell(end, to: reader)
        } else {
            state.value.reader = (call, reader)
        }
    }

    private func hand(_ piece: ByteBuffer, to reader: CheckedContinuation<ByteBuffer?, any Error>) {
        takenBytes.wrappingAdd(piece.readableBytes, ordering: .relaxed)
        reader.resume(returning: piece)
    }

    private func tell(_ end: Result<Void, any Error>, to reader: CheckedContinuation<ByteBuffer?, any Error>) {
        if case .success = end { hasBeenRead.store(true, ordering: .relaxed) }
        reader.resume(with: end.map { nil })
    }
}
