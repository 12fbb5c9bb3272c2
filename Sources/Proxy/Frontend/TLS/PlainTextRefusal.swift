import NIOCore

/// Tells somebody who speaks plain HTTP to the TLS port so, in plain HTTP: a TLS alert would look like nonsense to them.
///
/// It sits next to the socket, looks at the first byte, and steps aside for anything else than a letter.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For how long the client may take to read it.
    private let patience: TimeAmount
    private var end: Scheduled<Void>?

    init(patience: TimeAmount) { self.patience = patience }

    static let answer: [UInt8] = {
        let error = APIError.invalidRequest("This port speaks TLS: use https:// in the base URL.", param: nil, code: "tls_required")
        let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: \(error.body.count)\r\nconnection: close\r\n\r\n"
        return Array(head.utf8) + error.body
    }()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        let bytes = unwrapInboundIn(data)
        let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) ?? 0
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first & 0xDF) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Self.answer)), promise: nil)
        context.close(mode: .output, promise: nil)
        // What still comes is thrown away: closing at once would reset the connection, and the answer with it.
        end = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard end != nil, event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }
}
