import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOSSL

/// One connection, the last handler of its channel: it carries one exchange after the other, and tells its owner when it is free
/// and when it is gone.
///
/// It reads whenever there is room for what comes, and while it is kept: so what comes unasked is seen.
final class UpstreamConnection: ChannelDuplexHandler, BodySource, Cancellable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    let origin: Origin
    /// In front of this handler.
    let writer = RequestWriter()
    /// Holds this connection, and is held by it, until it has been closed.
    private let owner: any ConnectionOwner
    private let unpackedLimit: Int?
    private let staleAfter: TimeAmount
    private var context: ChannelHandlerContext?
    private var exchange: UpstreamExchange?
    /// It has carried an exchange before, and been idle since.
    private var idleSince: NIODeadline?
    /// It had lain idle so long that it may have been dead when the present exchange began.
    private var mayBeStale = false
    private var isRequestWritten = false
    private var isKeptAlive = false
    private var isReadHeld = false
    /// The first thing that went wrong.
    private var failure: (any Error)?
    /// Bytes of the answer, as long as its head is awaited.
    private var headBytes = 0
    /// It counts in the quota of its origin.
    var isInQuota = false

    init(to origin: Origin, by connector: Connector, owner: any ConnectionOwner) {
        self.origin = origin
        unpackedLimit = connector.unpackedLimit
        staleAfter = connector.staleAfter
        self.owner = owner
    }

    var isUsable: Bool { exchange == nil && failure == nil && context?.channel.isActive == true }

    // MARK: One exchange

    func carry(_ exchange: UpstreamExchange) {
        guard let context, self.exchange == nil else { return exchange.fail(TransportError.closed) }
        self.exchange = exchange
        (isRequestWritten, isKeptAlive, headBytes) = (false, false, 0)
        mayBeStale = idleSince.map { context.eventLoop.now - $0 >= staleAfter } ?? false
        exchange.starts(on: self)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in self.wroteRequest(of: exchange, result) }
        writer.body = exchange.body
        context.writeAndFlush(Self.wrapOutboundOut(.head(exchange.head)), promise: written)
    }

    private func wroteRequest(of exchange: UpstreamExchange, _ result: Result<Void, any Error>) {
        guard self.exchange === exchange else { return }
        switch result {
        case .success: isRequestWritten = true
        // The answer may be there before the request is out. The channel closes by itself once it has read that.
        case .failure(let error): failure = failure ?? error
        }
    }

    /// Bytes have come, whatever they are.
    ///
    /// - Returns: whether anybody has asked for them.
    func arrived(_ count: Int) -> Bool {
        guard exchange != nil else {
            close()
            return false
        }
        headBytes += count
        return true
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
        guard let exchange else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            if head.status.code == 101 { return fail(TransportError.malformedAnswer("it switches to another protocol, unasked")) }
            guard head.status.code >= 200 else { return }
            isKeptAlive = head.isKeepAlive
            exchange.received(head)
        case .body(let bytes): exchange.received(bytes)
        case .end:
            // Without a length, the answer ends with the connection. Cut off, it has not ended.
            guard failure == nil || !isCutShort else { return }
            finish(exchange)
        }
    }

    private var isCutShort: Bool {
        if case NIOSSLError.uncleanShutdown? = failure { true } else { failure is IOError }
    }

    private func finish(_ exchange: UpstreamExchange) {
        self.exchange = nil
        let canBeKept = isKeptAlive && isRequestWritten && failure == nil && context?.channel.isActive == true
        idleSince = context?.eventLoop.now
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

    func channelReadComplete(context: ChannelHandlerContext) {
        if let exchange {
            if exchange.isAwaitingHead, headBytes > AnswerLimits.head {
                fail(TransportError.headTooLarge)
            } else {
                exchange.handOver()
            }
        }
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
        var error = error
        if case NIOHTTPDecompression.DecompressionError.limit = error, let unpackedLimit { error = TransportError.tooLarge(limit: unpackedLimit) }
        failure = failure ?? error
        // The end of a connection without TLS's goodbye is no more than its end; that comes by itself.
        if case NIOSSLError.uncleanShutdown = error { return }
        close()
    }

    func channelInactive(context: ChannelHandlerContext) {
        owner.isGone(self)
        if let exchange = self.exchange.take() {
            if mayBeStale, headBytes == 0, exchange.isAwaitingHead, !exchange.isRepeated {
                exchange.isRepeated = true
                owner.sendAnew(exchange)
            } else {
                exchange.fail(failure.map(TransportError.whileExchanging) ?? TransportError.closed)
            }
        }
        context.fireChannelInactive()
    }
}

/// Who keeps the connections of an event loop.
protocol ConnectionOwner: AnyObject {
    /// It can carry another exchange.
    func isFree(_ connection: UpstreamConnection)
    /// It must not be given out any more.
    func isClosing(_ connection: UpstreamConnection)
    func isGone(_ connection: UpstreamConnection)
    /// The connection was dead before the request reached anybody.
    func sendAnew(_ exchange: UpstreamExchange)
}

/// Sees bytes before they are parsed: a kept connection has no business to send any, and half a head would be taken for the
/// beginning of the next answer.
final class ArrivalWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: UpstreamConnection

    init(_ connection: UpstreamConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if connection.arrived(Self.unwrapInboundIn(data).readableBytes) { context.fireChannelRead(data) }
    }
}
