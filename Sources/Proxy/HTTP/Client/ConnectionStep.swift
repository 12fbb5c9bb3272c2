import NIOCore

/// Waits for one thing that has to happen before a connection can be used: the end of TLS's handshake, a proxy's consent. It fails when
/// the connection does.
protocol ConnectionStep: ChannelInboundHandler, RemovableChannelHandler {
    /// Succeeds when it has happened.
    var promise: EventLoopPromise<Void> { get }
}

extension ConnectionStep {
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
