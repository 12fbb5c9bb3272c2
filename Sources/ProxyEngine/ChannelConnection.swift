import NIOCore
import ProxyCluster

/// A connection to the engine over a channel of NIO.
final class ChannelConnection: EngineConnection {
    let channel: any Channel
    private let handler: NIOLoopBound<EngineHandler>

    init(_ channel: any Channel, _ handler: NIOLoopBound<EngineHandler>) {
        self.channel = channel
        self.handler = handler
    }

    func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP {
        let (channel, handler) = (channel, handler)
        let bytes = RESPCommand(command).bytes
        return try await withTaskCancellationHandler {
            try await channel.eventLoop.flatSubmit { handler.value.ask(bytes, within: limit, in: channel) }.get()
        } onCancel: {
            close()
        }
    }

    /// Finds out when the engine is gone without a word, which ends the connection. By a question, as only an answer shows that the engine
    /// itself is there: the system's keep-alive would be content with its machine, or with a proxy on the way.
    func watch(every pause: Duration, within limit: Duration) {
        let (channel, handler) = (channel, handler)
        channel.eventLoop.execute { handler.value.watch(every: pause, within: limit, in: channel) }
    }

    func ended() async { try? await channel.closeFuture.get() }

    func close() {
        let (channel, handler) = (channel, handler)
        channel.eventLoop.execute { handler.value.end(.closed, channel) }
    }
}
