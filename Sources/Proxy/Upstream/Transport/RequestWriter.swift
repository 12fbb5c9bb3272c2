import NIOCore
import NIOHTTP1

/// Writes requests as the bytes of HTTP/1.1 (RFC 9112), head and body in one piece, which leaves in one write.
///
/// The head says how long the body is (`NIOTransport` sees to it), so nothing is framed here. Only heads come through the channel, for the
/// sake of NIO's decoder, which has to know what an answer belongs to.
final class RequestWriter: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = IOData

    /// Bytes of a body that is not copied behind its head.
    private static let largeBody = 16 * 1024

    /// Of the request whose head comes next.
    var body: ByteBuffer?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(let head) = Self.unwrapOutboundIn(data) else { return promise?.fail(ChannelError.operationUnsupported) ?? () }
        let body = body.take() ?? ByteBuffer()
        let isLarge = body.readableBytes > Self.largeBody
        var bytes = context.channel.allocator.buffer(capacity: 512 + (isLarge ? 0 : body.readableBytes))
        bytes.write(head)
        guard isLarge else {
            bytes.writeImmutableBuffer(body)
            return context.write(Self.wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
        }
        context.write(Self.wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
        context.write(Self.wrapOutboundOut(.byteBuffer(body)), promise: promise)
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ head: HTTPRequestHead) {
        writeString(head.method.rawValue)
        writeStaticString(" ")
        writeString(head.uri)
        writeStaticString(" HTTP/1.1\r\n")
        for (name, value) in head.headers {
            writeString(name)
            writeStaticString(": ")
            writeString(value)
            writeStaticString("\r\n")
        }
        writeStaticString("\r\n")
    }
}
