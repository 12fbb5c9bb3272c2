import NIOCore
import NIOHTTP1
import Synchronization

@testable import Proxy

/// An upstream that a test plays: it sees each request and decides what comes back, piece by piece.
final class FakeTransport: HTTPTransport {
    typealias Responder = @Sendable (TransportRequest) async throws -> TransportResponse

    private let responder: Responder
    private let seen = Mutex<[TransportRequest]>([])

    init(_ responder: @escaping Responder) {
        self.responder = responder
    }

    /// Always the same whole answer.
    convenience init(status: Int = 200, headers: HTTPHeaders = ["content-type": "application/json"], body: String) {
        self.init { _ in TransportResponse(status: status, headers: headers, body: Pieces([body])) }
    }

    var requests: [TransportRequest] { seen.withLock { $0 } }

    func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws -> TransportResponse {
        seen.withLock { $0.append(request) }
        guard let deadline else { return try await responder(request) }
        return try await withDeadline(deadline) { try await self.responder(request) }
    }

    /// A body that is there at once.
    struct Pieces: AsyncSequence, Sendable {
        let pieces: [ByteBuffer]

        init(_ pieces: [String]) { self.pieces = pieces.map { ByteBuffer(string: $0) } }
        init(bytes pieces: [ArraySlice<UInt8>]) { self.pieces = pieces.map { ByteBuffer(bytes: $0) } }

        struct AsyncIterator: AsyncIteratorProtocol {
            var pieces: ArraySlice<ByteBuffer>
            mutating func next() async throws -> ByteBuffer? { pieces.popFirst() }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: pieces[...]) }
    }

    /// A body that a test feeds.
    struct Feed: AsyncSequence, Sendable {
        private let stream: AsyncThrowingStream<ByteBuffer, any Error>
        private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation

        init() { (stream, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self) }

        func send(_ text: String) { continuation.yield(ByteBuffer(string: text)) }
        func end(throwing error: (any Error)? = nil) { continuation.finish(throwing: error) }
        func makeAsyncIterator() -> AsyncThrowingStream<ByteBuffer, any Error>.AsyncIterator { stream.makeAsyncIterator() }
    }
}
