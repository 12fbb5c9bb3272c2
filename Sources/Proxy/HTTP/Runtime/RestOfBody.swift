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
        var pending = CircularBuffer<ByteBuffer>()
        var pendingBytes = 0
        /// How it has ended, once it has.
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
        /// Its task was cancelled before it came here.
        var readerIsGone = false
        /// Lets the client send on.
        var onRoom: (() -> Void)?
    }

    private let loop: any EventLoop
    private let state: NIOLoopBoundBox<State>
    private let takenBytes = Atomic(0)
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

    // MARK: The connection's side

    var isFull: Bool { state.value.pendingBytes >= Self.roomy }

    func put(_ piece: ByteBuffer) {
        guard state.value.end == nil, piece.readableBytes > 0 else { return }
        if let reader = state.value.reader.take() { return hand(piece, to: reader) }
        state.value.pending.append(piece)
        state.value.pendingBytes += piece.readableBytes
    }

    /// The body is complete.
    func finish() { end(.success(())) }

    /// The rest of it will not come. What has come is not read any more either.
    func fail(_ error: any Error) {
        guard state.value.end == nil else { return }
        state.value.pending.removeAll()
        state.value.pendingBytes = 0
        end(.failure(error))
    }

    private func end(_ end: Result<Void, any Error>) {
        guard state.value.end == nil else { return }
        state.value.end = end
        state.value.onRoom = nil
        state.value.reader.take()?.resume(with: end.map { nil })
    }

    // MARK: The reader's side

    /// The next piece, nil at the end.
    ///
    /// - Throws: `RequestFault` when the client sends no more, or too much; `CancellationError`.
    nonisolated(nonsending) func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reader in
                if loop.inEventLoop { take(reader) } else { loop.execute { self.take(reader) } }
            }
        } onCancel: {
            loop.execute {
                self.state.value.readerIsGone = self.state.value.reader == nil
                self.state.value.reader.take()?.resume(throwing: CancellationError())
            }
        }
    }

    private func take(_ reader: CheckedContinuation<ByteBuffer?, any Error>) {
        guard !state.value.readerIsGone else {
            state.value.readerIsGone = false
            return reader.resume(throwing: CancellationError())
        }
        guard let piece = state.value.pending.popFirst() else {
            if let end = state.value.end { return reader.resume(with: end.map { nil }) }
            state.value.reader = reader
            return
        }
        let wasFull = isFull
        state.value.pendingBytes -= piece.readableBytes
        hand(piece, to: reader)
        if wasFull, !isFull { state.value.onRoom?() }
    }

    private func hand(_ piece: ByteBuffer, to reader: CheckedContinuation<ByteBuffer?, any Error>) {
        takenBytes.wrappingAdd(piece.readableBytes, ordering: .relaxed)
        reader.resume(returning: piece)
    }
}
