import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// One connection: it carries one exchange after the other, and tells its owner when it is free and when it is gone.
///
/// It is the only handler that speaks HTTP, from bytes to the exchange in one step. Those that unpack are put behind it with the first
/// compressed answer. It reads whenever there is room for what comes, and while it is kept: so what comes unasked is seen.
final class UpstreamConnection: ChannelDuplexHandler, BodySource, RequestSink, Cancellable {
    typealias InboundIn = ByteBuffer
    /// To those that unpack.
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Its channel is writable when the socket has taken everything. That is told by two events; to ask NIO how many bytes are left goes through a dozen
    /// casts, and costs ten times as much.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 1, high: 1)

    let origin: Origin
    /// Holds this connection, and is held by it, until it has been closed.
    private let owner: any ConnectionOwner
    private let unpackedLimit: Int?
    private let crossing: TimeAmount
    private var context: ChannelHandlerContext?
    private var exchange: UpstreamExchange?
    private var decoder = ResponseDecoder()
    /// What has come of a line that is not whole.
    private var rest: ByteBuffer?
    /// The present answer is compressed, and goes through those that unpack.
    private var isPacked = false
    private var hasUnpackers = false
    /// It has carried an exchange before. The other side may be closing it in the moment in which the next one begins.
    private var isKept = false
    /// When the present exchange began.
    private var begunAt = NIODeadline.uptimeNanoseconds(0)
    private var isRequestWritten = false
    private var isRequestInChunks = false
    /// A channel that becomes inactive then has failed to write.
    private var isFlushing = false
    private var isKeptAlive = false
    private var isReadHeld = false
    /// The first thing that went wrong.
    private var failure: (any Error)?
    /// Something has come for the present exchange, whatever it is.
    private var hasAnswered = false
    /// That it counts in, while it is kept.
    var quota: IdleQuota?

    init(to origin: Origin, by connector: Connector, owner: any ConnectionOwner) {
        self.origin = origin
        unpackedLimit = connector.unpackedLimit
        crossing = connector.crossing
        self.owner = owner
    }

    var isUsable: Bool { exchange == nil && failure == nil && context?.channel.isActive == true }

    // MARK: One exchange

    func carry(_ exchange: UpstreamExchange) {
        guard let context, self.exchange == nil, let request = exchange.request else {
            return exchange.fail(TransportError.closed)
        }
        self.exchange = exchange
        (isRequestWritten, isKeptAlive, isPacked, hasAnswered) = (false, false, false, false)
        begunAt = context.eventLoop.now
        decoder.begin(answersHEAD: request.asksForHead)
        exchange.starts(on: self)
        context.write(Self.wrapOutboundOut(request.head), promise: nil)
        guard !request.goesOn else {
            isRequestInChunks = request.isInChunks
            if let body = request.body { writePiece(body, nil, context) }
            context.flush()
            return exchange.takesMore(by: self)
        }
        if let body = request.body { context.write(Self.wrapOutboundOut(body), promise: nil) }
        isFlushing = true
        context.flush()
        isFlushing = false
        // Most requests fit into the socket's buffer. For the others a promise tells, which what is written behind them keeps.
        isRequestWritten = context.channel.isWritable
        guard !isRequestWritten else { return exchange.wasWritten() }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in self.wroteRequest(of: exchange, result) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: written)
    }

    // MARK: A request that goes on

    func write(_ piece: ByteBuffer, _ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(TransportError.closed) }
        writePiece(piece, promise, context)
        context.flush()
    }

    private func writePiece(_ piece: ByteBuffer, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        guard isRequestInChunks else { return context.write(Self.wrapOutboundOut(piece), promise: promise) }
        guard piece.readableBytes > 0 else { return promise?.succeed() ?? () }
        context.write(
            Self.wrapOutboundOut(ByteBuffer(string: String(piece.readableBytes, radix: 16) + "\r\n")), promise: nil)
        context.write(Self.wrapOutboundOut(piece), promise: nil)
        context.write(Self.wrapOutboundOut(ByteBuffer(string: "\r\n")), promise: promise)
    }

    func endRequest(_ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(TransportError.closed) }
        let end = ByteBuffer(string: isRequestInChunks ? "0\r\n\r\n" : "")
        isRequestWritten = true
        context.writeAndFlush(Self.wrapOutboundOut(end), promise: promise)
    }

    private func wroteRequest(of exchange: UpstreamExchange, _ result: Result<Void, any Error>) {
        guard self.exchange === exchange else { return }
        switch result {
        case .success:
            isRequestWritten = true
            exchange.wasWritten()
        // The answer may be there before the request is out. The channel closes by itself once it has read that.
        case .failure(let error): failure = failure ?? error
        }
    }

    func readOn() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    func cancel() {
        exchange = nil
        close()
    }

    /// Closes it at once. TLS says goodbye, but does not wait for the other side to do so.
    func close() {
        guard let context else { return }
        owner.isClosing(self)
        context.channel.closeAtOnce()
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A kept connection has no business to send anything, and half a head would be taken for the beginning of the next answer.
        guard exchange != nil else { return close() }
        hasAnswered = true
        var bytes = Self.unwrapInboundIn(data)
        if var before = rest.take() {
            before.writeBuffer(&bytes)
            bytes = before
        }
        do {
            while exchange != nil, let part = try decoder.next(from: &bytes) {
                receive(part, behind: bytes.readableBytes, context)
            }
        } catch {
            return fail(error)
        }
        if bytes.readableBytes > 0, exchange != nil { rest = bytes }
    }

    /// - Parameter behind: bytes that have come behind the part.
    private func receive(_ part: ResponseDecoder.Part, behind: Int, _ context: ChannelHandlerContext) {
        guard let exchange else { return }
        switch part {
        case .head(let head):
            if mayHaveMissedRequest, head.status == Self.requestTimeout { return repeatElsewhere(exchange) }
            // From here on every answer of this connection would be another's.
            if let echo = exchange.request?.echo, echo.isContradicted(by: head) {
                return fail(TransportError.connectionLost("the response belongs to another request"))
            }
            isKeptAlive = head.keepsConnection
            var head = head
            if let unpackedLimit, head.headers.contains(name: "content-encoding") {
                do {
                    isPacked = try ContentCoding.readPacking(of: &head.headers)
                    if isPacked { try addUnpackers(context, limit: unpackedLimit) }
                } catch { return fail(error) }
            }
            exchange.received(head)
            if isPacked {
                let head = HTTPResponseHead(
                    version: .http1_1, status: .init(statusCode: head.status), headers: head.headers)
                context.fireChannelRead(Self.wrapInboundOut(.head(head)))
            }
        case .body(let bytes):
            guard isPacked else { return exchange.received(bytes) }
            context.fireChannelRead(Self.wrapInboundOut(.body(bytes)))
        case .end:
            if isPacked { context.fireChannelRead(Self.wrapInboundOut(.end(nil))) }
            // What follows was not asked for.
            if behind > 0 { isKeptAlive = false }
            finish(exchange)
        }
    }

    private func addUnpackers(_ context: ChannelHandlerContext, limit: Int) throws {
        guard !hasUnpackers else { return }
        hasUnpackers = true
        try context.pipeline.syncOperations.addHandlers(
            [NIOHTTPResponseDecompressor(limit: .size(limit)), UnpackedAnswers(of: self, limit: limit)],
            position: .after(self))
    }

    /// Of a compressed answer.
    func received(unpacked bytes: ByteBuffer) {
        exchange?.received(bytes)
    }

    private func finish(_ exchange: UpstreamExchange) {
        // Unpacking may have failed on the last bytes.
        guard self.exchange === exchange, failure == nil || !isPacked else { return }
        self.exchange = nil
        let canBeKept = isKeptAlive && isRequestWritten && failure == nil && context?.channel.isActive == true
        isKept = true
        exchange.end()
        if canBeKept {
            owner.isFree(self)
            readOn()
        } else {
            close()
        }
    }

    private func fail(_ error: any Error) {
        failure = failure ?? error
        close()
    }

    /// What some balancers say on a connection that they close since nothing has come on it for long (RFC 9110, 15.5.9): it crossed the request,
    /// which nobody has read.
    private static let requestTimeout = 408

    /// The end of a kept connection crosses a request within moments. One that comes later has perhaps ended what the request had begun, which
    /// is not begun twice.
    private var mayHaveMissedRequest: Bool { isKept && context.map { $0.eventLoop.now - begunAt < crossing } ?? true }

    /// The exchange has met the end of a kept connection.
    private func repeatElsewhere(_ exchange: UpstreamExchange) {
        self.exchange = nil
        close()
        owner.sendAnew(exchange)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.handOver()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if exchange?.hasRoom ?? true {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        caught(error)
    }

    func caught(_ error: any Error) {
        failure = failure ?? error
        // The end of a connection without TLS's goodbye is no more than its end; that comes by itself.
        if case NIOSSLError.uncleanShutdown = error { return }
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isFlushing {
            failure = failure ?? TransportError.connectionLost("the connection was lost while the request was sent")
        }
        // Without a length, the answer ends with the connection. Cut off, it has not ended.
        if let exchange, !isCutShort, decoder.endsWithInput() {
            receive(.end, behind: 0, context)
            exchange.handOver()
        }
        owner.isGone(self)
        if let exchange = self.exchange.take() {
            if mayHaveMissedRequest, !hasAnswered {
                owner.sendAnew(exchange)
            } else {
                exchange.fail(failure.map(TransportError.whileExchanging) ?? TransportError.closed)
            }
        }
        context.fireChannelInactive()
    }

    private var isCutShort: Bool {
        if case NIOSSLError.uncleanShutdown? = failure { true } else { failure is IOError || isFlushing }
    }
}

/// Who keeps the connections of an event loop.
protocol ConnectionOwner: AnyObject {
    /// It can carry another exchange.
    func isFree(_ connection: UpstreamConnection)
    /// It must not be given out any more.
    func isClosing(_ connection: UpstreamConnection)
    func isGone(_ connection: UpstreamConnection)
    /// The connection had been used before, and was ended before it brought an answer. A new one is no such connection, so nothing is sent a
    /// third time.
    func sendAnew(_ exchange: UpstreamExchange)
}

/// Hands what has been unpacked of an answer back to its connection. It stands behind the handler that unpacks.
final class UnpackedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let connection: UpstreamConnection
    private let limit: Int

    init(of connection: UpstreamConnection, limit: Int) {
        self.connection = connection
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .body(let bytes) = Self.unwrapInboundIn(data) { connection.received(unpacked: bytes) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case NIOHTTPDecompression.DecompressionError.limit = error {
            return connection.caught(TransportError.tooLarge(limit: limit))
        }
        connection.caught(error)
    }
}
