import NIOCore
import ProxyCluster

/// A connection to the engine over a channel of NIO.
final class ChannelConnection: EngineConnection {
    private let channel: any Channel
    private let handler: NIOLoopBound<EngineHandler>

    init(_ channel: any Channel, _ handler: NIOLoopBound<EngineHandler>) {
        self.channel = channel
        self.handler = handler
    }

    func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP {
        let (channel, handler) = (channel, handler)
        return try await withTaskCancellationHandler {
            try await channel.eventLoop.flatSubmit {
                let answer = handler.value.ask(RESPCommand(command), in: channel)
                let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) {
                    // An answer that comes later would be taken for that of the next command.
                    handler.value.fail(.timedOut)
                    channel.close(promise: nil)
                }
                answer.whenComplete { _ in deadline.cancel() }
                return answer
            }.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    func ended() async { try? await channel.closeFuture.get() }

    func close() { channel.close(promise: nil) }
}
