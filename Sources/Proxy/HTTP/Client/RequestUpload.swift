import NIOCore

/// What of a request's body is not there when the request begins, on its way to one upstream. `run` sends it, beside the task that sends the request and reads its answer: an
/// upstream may answer before it has read all.
final class RequestUpload: Sendable {
    let body: RestOfBody
    /// Bytes of the whole body, the beginning included; nil when nobody knows: then it is sent in chunks.
    let length: Int?
    /// Is told of each piece before it is sent, and may end the upload.
    let onPiece: @Sendable (ByteBuffer) throws -> Void
    private let attached: EventLoopPromise<UpstreamExchange>

    init(_ body: RestOfBody, length: Int?, onPiece: @escaping @Sendable (ByteBuffer) throws -> Void) {
        self.body = body
        self.length = length
        self.onPiece = onPiece
        attached = body.loop.makePromise()
    }

    /// It belongs to that exchange.
    func attach(_ exchange: UpstreamExchange) { attached.succeed(exchange) }

    /// Whoever made it needs it no more.
    func close() { attached.fail(TransportError.closed) }

    /// Sends the rest as it comes. Returns when all has been written, or nobody wants it any more. When the client fails, so does the exchange.
    nonisolated(nonsending) func run() async {
        guard let exchange = try? await attached.futureResult.get() else { return }
        do {
            try await exchange.send(self)
        } catch is CancellationError where Task.isCancelled {
            // The answer is there, or nobody wants it any more.
        } catch {
            exchange.loop.execute { exchange.cannotSendRest(error) }
        }
    }
}
