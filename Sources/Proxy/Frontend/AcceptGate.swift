import NIOCore

/// Sits in front of a listening socket: bounds the open connections by what the present configuration says, and keeps each in mind.
/// Those beyond the bound wait in the kernel to be accepted.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    /// Connections that one look at the socket accepts. With NIO's 4 a thousand clients that come at once wait for seconds, as everything
    /// else on the event loop has its turn in between.
    static let burst = 256

    private let doors: Doors
    private let connections: ClientConnections
    private var isHeld = false

    init(doors: Doors, connections: ClientConnections) {
        self.doors = doors
        self.connections = connections
    }

    func read(context: ChannelHandlerContext) {
        let room = doors.current.limits.connections - connections.count
        guard room > 0 else {
            isHeld = true
            return
        }
        // Near the bound a whole burst would be too many.
        try? context.channel.syncOptions?.setOption(.maxMessagesPerRead, value: UInt(min(Self.burst, room)))
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let child = unwrapInboundIn(data)
        connections.add(child)
        let loop = context.eventLoop
        let gate = NIOLoopBound(self, eventLoop: loop)
        let bound = NIOLoopBound(context, eventLoop: loop)
        child.closeFuture.hop(to: loop).whenComplete { _ in gate.value.resume(bound.value) }
        context.fireChannelRead(data)
    }

    private func resume(_ context: ChannelHandlerContext) {
        guard isHeld, context.channel.isActive else { return }
        isHeld = false
        context.channel.read()
    }
}
