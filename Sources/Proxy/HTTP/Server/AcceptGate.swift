import Logging
import NIOCore

/// Sits in front of a listening socket: bounds the open connections by what the present configuration says, and keeps each in mind.
/// Those beyond the bound wait in the kernel to be accepted, and so do all while the process has no descriptor left.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    /// Connections that one look at the socket accepts. With NIO's 4 a thousand clients that come at once wait for seconds, as everything
    /// else on the event loop has its turn in between.
    static let burst = 256
    /// After an `accept` that failed.
    private static let pause = TimeAmount.milliseconds(200)
    /// While there is no room: a reload may have made some.
    private static let interval = TimeAmount.seconds(1)
    private static let complaints = TimeAmount.minutes(1)

    private let gate: any RequestGate
    private let connections: ClientConnections
    private let drain: Drain
    private let logger: Logger
    /// When there was no room: the next look, if no connection ends before.
    private var look: Scheduled<Void>?
    private var complained: NIODeadline?

    init(gate: any RequestGate, connections: ClientConnections, drain: Drain, logger: Logger) {
        self.gate = gate
        self.connections = connections
        self.drain = drain
        self.logger = logger
    }

    func read(context: ChannelHandlerContext) {
        let room = gate.limits.connections - connections.count
        guard room > 0 else { return hold(context) }
        // Near the bound a whole burst would be too many.
        try? context.channel.syncOptions?.setOption(.maxMessagesPerRead, value: UInt(min(Self.burst, room)))
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connections.add(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }

    /// Looks again when a connection ends, by whichever socket it came in, and now and then.
    private func hold(_ context: ChannelHandlerContext) {
        guard look == nil else { return }
        let loop = context.eventLoop
        let (gate, bound) = (NIOLoopBound(self, eventLoop: loop), NIOLoopBound(context, eventLoop: loop))
        connections.whenOneEnds(for: self) { loop.execute { gate.value.resume(bound.value) } }
        look = loop.assumeIsolated().scheduleTask(in: Self.interval) { self.resume(context) }
    }

    private func resume(_ context: ChannelHandlerContext) {
        guard let look, context.channel.isActive else { return }
        look.cancel()
        self.look = nil
        // From the beginning of the drain on nobody is accepted.
        if !drain.isDraining { context.channel.read() }
    }

    /// An `accept` has failed, most often as there is no descriptor left. The connection is still there, so trying again at once would keep a
    /// core busy.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        let now = context.eventLoop.now
        if complained.map({ now - $0 > Self.complaints }) ?? true {
            complained = now
            logger.error(
                "Cannot accept connections: \(error); raise the limit of open files (LimitNOFILE= in the unit, or ulimit -n) or lower max_client_connections"
            )
        }
        setReading(false, context)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            guard context.channel.isActive, !self.drain.isDraining else { return }
            self.setReading(true, context)
        }
    }

    private func setReading(_ isReading: Bool, _ context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
}
