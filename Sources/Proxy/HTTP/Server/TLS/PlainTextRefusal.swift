import NIOCore
import NIOHTTP1

/// Tells somebody who speaks plain HTTP to the TLS port so, in plain HTTP: a TLS alert would look like nonsense to them.
///
/// It sits next to the socket, looks at the first byte, and steps aside for anything else than a letter.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let gate: any RequestGate
    /// For how long the client may take to read it.
    private let patience: TimeAmount
    private var end: Scheduled<Void>?

    init(gate: any RequestGate, patience: TimeAmount) {
        self.gate = gate
        self.patience = patience
    }

    /// Written here by hand: the codec sits behind TLS.
    private func answer(to peer: ClientPeer) -> ByteBuffer {
        var answer = gate.refusal(of: .plainText, head: nil, from: peer)
        answer.headers.replaceOrAdd(name: "content-length", value: "\(answer.body.readableBytes)")
        answer.headers.replaceOrAdd(name: "connection", value: "close")
        var bytes = ByteBuffer(string: "HTTP/1.1 \(answer.status.code) \(answer.status.reasonPhrase)\r\n")
        for (name, value) in answer.headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n")
        bytes.writeBuffer(&answer.body)
        return bytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        let bytes = unwrapInboundIn(data)
        let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) ?? 0
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first & 0xDF) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        let peer = ClientPeer(remote: context.remoteAddress, local: context.localAddress)
        context.writeAndFlush(wrapOutboundOut(answer(to: peer)), promise: nil)
        context.close(mode: .output, promise: nil)
        // What still comes is thrown away: closing at once would reset the connection, and the answer with it.
        end = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard end != nil, event as? ChannelEvent == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }
}
