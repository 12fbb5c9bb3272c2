import NIOCore

/// An `InProcessConnection` as those who answer on it know connections: whether it is there, and whether it takes more. It has no pipeline to
/// speak of, since responses are written past it.
final class InProcessChannel: Channel {
    private let connection: InProcessConnection
    private let closing: EventLoopPromise<Void>

    init(_ connection: InProcessConnection) {
        self.connection = connection
        closing = connection.eventLoop.makePromise()
    }

    deinit { closing.succeed() }

    var eventLoop: any EventLoop { connection.eventLoop }
    var isWritable: Bool { connection.isWritable }
    var isActive: Bool { connection.isActive }
    var closeFuture: EventLoopFuture<Void> { closing.futureResult }

    fileprivate func end() {
        connection.close()
        closing.succeed()
    }

    // MARK: What a socket would have

    let allocator = ByteBufferAllocator()
    var pipeline: ChannelPipeline { ChannelPipeline(channel: self) }
    var localAddress: SocketAddress? { nil }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var _channelCore: any ChannelCore { PipelineEnd(self) }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }
}

/// What a pipeline ends at. The connection can be closed there, and nothing else.
private final class PipelineEnd: ChannelCore {
    private let channel: InProcessChannel

    init(_ channel: InProcessChannel) { self.channel = channel }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        channel.end()
        promise?.succeed()
    }

    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { refuse(promise) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { refuse(promise) }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func flush0() {}
    func read0() {}
    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) { refuse(promise) }
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    private func refuse(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
}
