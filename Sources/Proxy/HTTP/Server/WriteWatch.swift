import NIOCore

/// Ends a connection whose client takes nothing of what is written for too long, where the kernel does not.
final class WriteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?
    /// Bytes that waited for the socket at the last look, and since when it has been that many.
    private var waiting = 0
    private var since = NIODeadline.now()

    /// - Parameter limit: how long no byte may be taken.
    init(limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) { schedule(context) }

    private func schedule(_ context: ChannelHandlerContext) {
        // A quarter of the limit is how late the end may come.
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limit.nanoseconds / 4)) {
            self.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        let left = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if left == 0 || left != waiting {
            // Whoever is blocked is written no more to, so as long as this changes something has been taken.
            (waiting, since) = (left, now)
        } else if now - since >= limit {
            return context.close(promise: nil)
        }
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }
}
