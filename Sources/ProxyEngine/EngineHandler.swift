import DequeModule
import NIOCore
import ProxyCluster

/// Commands out and answers in, on one connection: what is asked first is answered first. Messages of a subscription go elsewhere.
final class EngineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let loop: any EventLoop
    private var reader = RESPReader()
    private var asked: Deque<EventLoopPromise<RESP>> = []
    private let hear: (@Sendable ([UInt8]) -> Void)?
    private var failure: EngineFailure?

    /// - Parameter hear: gets the messages of a subscription; nil where there is none.
    init(on loop: any EventLoop, hear: (@Sendable ([UInt8]) -> Void)? = nil) {
        self.loop = loop
        self.hear = hear
    }

    /// Sends a command. On the event loop only.
    func ask(_ command: RESPCommand, in channel: any Channel) -> EventLoopFuture<RESP> {
        if let failure { return loop.makeFailedFuture(failure) }
        let promise = loop.makePromise(of: RESP.self)
        asked.append(promise)
        channel.writeAndFlush(ByteBuffer(bytes: command.bytes), promise: nil)
        return promise.futureResult
    }

    /// Whoever waits gets this; nothing more is asked.
    func fail(_ failure: EngineFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        while let promise = asked.popFirst() { promise.fail(failure) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do {
            for answer in try reader.feed(bytes.readableBytesView) { take(answer, context) }
        } catch {
            fail(.malformed)
            context.close(promise: nil)
        }
    }

    private func take(_ answer: RESP, _ context: ChannelHandlerContext) {
        if let hear, let parts = answer.array, parts.count == 3, parts[0].bytes == Array("message".utf8) {
            if let message = parts[2].bytes { hear(message) }
            return
        }
        guard let promise = asked.popFirst() else {
            // Nobody has asked.
            fail(.malformed)
            return context.close(promise: nil)
        }
        promise.succeed(answer)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(EngineFailure(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }
}
