import DequeModule
import NIOCore
import NIOSSL
import ProxyCluster

/// Commands out and answers in, on one connection: what is asked first is answered first. Messages of a subscription go elsewhere.
///
/// On the event loop only.
final class EngineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let loop: any EventLoop
    private var reader: RESPReader
    private var asked: Deque<EventLoopPromise<RESP>> = []
    private let hear: (@Sendable ([UInt8]) -> Void)?
    private var failure: EngineFailure?

    /// Commands that wait for an answer.
    static let mostAsked = 64

    /// - Parameters:
    ///   - limits: of an answer.
    ///   - hear: gets the messages of a subscription; nil where there is none.
    init(on loop: any EventLoop, limits: RESPReader.Limits = .init(), hear: (@Sendable ([UInt8]) -> Void)? = nil) {
        self.loop = loop
        self.hear = hear
        reader = RESPReader(limits: limits)
    }

    /// Sends a command. When it has not been answered in time, the channel is closed: an answer that comes later would be taken for that
    /// of the next command.
    func ask(_ command: [UInt8], within limit: Duration, in channel: any Channel) -> EventLoopFuture<RESP> {
        if let failure { return loop.makeFailedFuture(failure) }
        guard asked.count < Self.mostAsked else {
            return loop.makeFailedFuture(EngineFailure.unable("too many commands wait for its answer"))
        }
        let promise = loop.makePromise(of: RESP.self)
        asked.append(promise)
        channel.writeAndFlush(ByteBuffer(bytes: command), promise: nil)
        let deadline = loop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            self.end(.timedOut, channel)
        }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        return promise.futureResult
    }

    /// Asks again and again whether the engine is there, until the channel ends: what only listens would not notice that nobody talks.
    func watch(every pause: Duration, within limit: Duration, in channel: any Channel) {
        guard failure == nil else { return }
        loop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) {
            self.ask(RESPCommand("PING").bytes, within: limit, in: channel).assumeIsolated().whenSuccess { _ in
                self.watch(every: pause, within: limit, in: channel)
            }
        }
    }

    /// Whoever waits gets this; nothing more is asked.
    func end(_ failure: EngineFailure, _ channel: any Channel) {
        fail(failure)
        // Without TLS's goodbye, for which it would wait 5 s for an engine that is silent: nobody needs it here.
        if let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
    }

    private func fail(_ failure: EngineFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        while let promise = asked.popFirst() { promise.fail(failure) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        let bytes = unwrapInboundIn(data)
        do {
            for answer in try reader.feed(bytes.readableBytesView) { take(answer, context.channel) }
        } catch {
            end(Self.failure(of: error, in: bytes), context.channel)
        }
    }

    private static func failure(of failure: RESPReader.Failure, in bytes: ByteBuffer) -> EngineFailure {
        switch failure {
        case .tooLarge: .unable("its answer is larger than any that is read")
        // How TLS says that it has not understood.
        case .malformed where bytes.readableBytesView.first == 0x15:
            .tls("it speaks TLS: the address must begin with rediss://")
        case .malformed: .malformed
        }
    }

    private func take(_ answer: RESP, _ channel: any Channel) {
        guard failure == nil else { return }
        if let hear, let parts = answer.array, parts.count == 3, parts[0].bytes == Array("message".utf8) {
            if let message = parts[2].bytes { hear(message) }
            return
        }
        if let promise = asked.popFirst() { return promise.succeed(answer) }
        // Nobody has asked: it has too many clients, or does not like this one.
        end(EngineFailure(refusal: answer), channel)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(EngineFailure(error), context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }
}
