import NIOCore
import NIOHTTP1

/// A connection to a client, as it is known to those who answer on it.
struct ClientConnection: Sendable {
    let channel: any Channel
    /// Of the channel's event loop, where its requests are answered.
    let executor: EventLoopExecutor
    private let writer: NIOLoopBound<any ResponseWriter>

    /// On the channel's event loop only.
    init(_ channel: any Channel, writer: any ResponseWriter, executor: EventLoopExecutor) {
        self.channel = channel
        self.executor = executor
        self.writer = NIOLoopBound(writer, eventLoop: channel.eventLoop)
    }

    var eventLoop: any EventLoop { executor.eventLoop }

    /// On the event loop: writes. The parts go straight to the connection's handler, which costs a tenth of their way through a pipeline.
    func write(_ body: (any ResponseWriter) -> Void) {
        body(writer.value)
    }

    /// Does `work` on the event loop: at once, if this is it.
    func onLoop(_ work: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { work() } else { eventLoop.execute(work) }
    }

    /// Writes a whole answer, from anywhere.
    func send(_ answer: Response, withoutBody: Bool = false) {
        // Mostly there already, and then nothing has to be made that goes there.
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.send(answer, withoutBody: withoutBody) } }
        write { $0.write(answer, withoutBody: withoutBody) }
    }
}

/// Writes the parts of an answer to its connection, on the event loop. What has been written leaves with the next `flush`, or with the end.
protocol ResponseWriter: AnyObject {
    /// The final one: after it come pieces of the body, and the end.
    func write(_ head: HTTPResponseHead)
    /// - Parameter promise: succeeds when the socket has taken the piece, and all before it.
    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?)
    /// A small piece, copied.
    func write(_ piece: [UInt8])
    func writeEnd()
    func flush()
}

extension ResponseWriter {
    func write(_ answer: Response, withoutBody: Bool = false) {
        write(HTTPResponseHead(version: .http1_1, status: answer.status, headers: answer.headers))
        if !withoutBody, answer.body.readableBytes > 0 { write(answer.body, promise: nil) }
        writeEnd()
    }
}
