import NIOCore

/// The body of an answer as its connection brings it: each element is what one read of the socket had.
///
/// It can be read once. When the last reference to it goes before its end, its connection is closed.
struct ResponseBody: AsyncSequence, Sendable {
    private let reader: Reader

    init(of exchange: UpstreamExchange) {
        reader = Reader(exchange)
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader) }

    /// The whole body, gathered as it comes: however often the socket is read, the task is resumed once at most.
    ///
    /// - Returns: nil when the task is not on the body's event loop.
    /// - Throws: also `TransportError.tooLarge`.
    nonisolated(nonsending) func collect(upTo limit: Int) async throws -> [UInt8]? {
        guard reader.isOnItsLoop else { return nil }
        let gathered = GatheredBody(limit: limit)
        guard try await !reader.pour(into: gathered) else { throw TransportError.tooLarge(limit: limit) }
        return gathered.bytes
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        /// Whether the body comes in on that event loop.
        func arrives(on loop: any EventLoop) -> Bool { reader.arrives(on: loop) }

        /// Hands what comes to `sink`, in the moment in which it comes: between the two no task is resumed. On the body's event loop only.
        ///
        /// - Returns: false at the end of the body; true when the sink has taken no more before.
        nonisolated(nonsending) func pour(into sink: some BodySink) async throws -> Bool {
            try await reader.pour(into: sink)
        }

        /// Nobody needs what follows: it is read beside, if it is little and comes within `limit`, so that its connection can be used again. Else
        /// that is closed. It may be called from anywhere, while nobody reads.
        func drain(within limit: TimeAmount) { reader.drain(within: limit) }

        mutating func next() async throws -> ByteBuffer? { try await reader.next(isolation: nil) }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
            try await reader.next(isolation: actor)
        }
    }

    fileprivate final class Reader: Sendable {
        private let exchange: UpstreamExchange

        init(_ exchange: UpstreamExchange) {
            self.exchange = exchange
        }

        deinit {
            let exchange = exchange
            if exchange.loop.inEventLoop {
                exchange.letGo()
            } else {
                exchange.loop.execute { exchange.letGo() }
            }
        }

        func drain(within limit: TimeAmount) {
            let exchange = exchange
            if exchange.loop.inEventLoop {
                exchange.drain(within: limit)
            } else {
                exchange.loop.execute { exchange.drain(within: limit) }
            }
        }

        func arrives(on loop: any EventLoop) -> Bool { exchange.loop === loop }
        var isOnItsLoop: Bool { exchange.loop.inEventLoop }

        nonisolated(nonsending) func pour(into sink: some BodySink) async throws -> Bool {
            try Task.checkCancellation()
            let exchange = exchange
            if let goesOn = try exchange.pour(into: sink) { return goesOn }
            return try await withTaskCancellationHandler {
                // Unsafe, but resumed exactly once: as below.
                unsafe try await withUnsafeThrowingContinuation { unsafe exchange.pour(into: sink, $0) }
            } onCancel: {
                exchange.loop.execute { exchange.cancel() }
            }
        }

        func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
            try Task.checkCancellation()
            let exchange = exchange
            if exchange.loop.inEventLoop {
                switch try exchange.take() {
                case .bytes(let bytes): return bytes
                case .end: return nil
                case .nothingYet: break
                }
            }
            return try await withTaskCancellationHandler {
                // Unsafe, but resumed exactly once: `UpstreamExchange` takes a continuation out before it resumes it, and each way out of
                // it (bytes, end, failure, cancellation) resumes what it holds.
                unsafe try await withUnsafeThrowingContinuation { continuation in
                    if exchange.loop.inEventLoop {
                        unsafe exchange.read(continuation)
                    } else {
                        exchange.loop.execute { unsafe exchange.read(continuation) }
                    }
                }
            } onCancel: {
                exchange.loop.execute { exchange.cancel() }
            }
        }
    }
}

/// Keeps what comes of a body.
private final class GatheredBody: BodySink {
    private(set) var bytes: [UInt8] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func take(_ piece: ByteBuffer) -> Bool {
        guard bytes.count + piece.readableBytes <= limit else { return false }
        bytes.append(contentsOf: piece.readableBytesUInt8Span)
        return true
    }
}
