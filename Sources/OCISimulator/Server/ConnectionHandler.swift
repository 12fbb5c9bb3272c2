import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection of a client: reads requests one after the other and plays the script of each answer on the event
/// loop, without a task. A request that is sent before the one before is answered closes the connection (no client of
/// the service pipelines).
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// An answer in progress.
    private struct Exchange {
        /// Nil for the control API, which is not recorded.
        let id: Int?
        let account: String?
        let script: ReplyScript
        let isKeepAlive: Bool
        /// Of the next chunk.
        var index = 0
        /// When the chunk before was due: intervals add up without drift.
        var due = NIODeadline.now()
        var timer: Scheduled<Void>?
        /// The client reads slowly: the next chunk waits for room.
        var isBlocked = false
        /// The delay of the next chunk is over.
        var hasWaited = false
        var hasHead = false
    }

    private let service: SimulatedService
    private let control: ControlAPI
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var exchange: Exchange?

    init(service: SimulatedService, control: ControlAPI) {
        self.service = service
        self.control = control
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard exchange == nil else { return context.close(promise: nil) }
            self.head = head
            body = ByteBuffer()
        case .body(var part):
            // One byte over the limit is enough to know.
            guard body.readableBytes <= service.configuration.maximumBodySize else { return }
            body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            self.head = nil
            let bytes = Array(body.readableBytesView)
            body = ByteBuffer()
            handle(head, bytes, context)
        }
    }

    private func handle(_ head: HTTPRequestHead, _ body: [UInt8], _ context: ChannelHandlerContext) {
        if head.uri.hasPrefix(ControlAPI.prefix) {
            let answer = control.answer(
                method: head.method.rawValue, target: head.uri, body: body, on: context.eventLoop)
            answer.assumeIsolated().whenComplete { result in
                let script: ReplyScript
                switch result {
                case .success(let answer): script = .json(answer.status, answer.body)
                case .failure(let error): script = .json(500, ["error": .string("\(error)")])
                }
                self.start(
                    Exchange(id: nil, account: nil, script: script, isKeepAlive: head.isKeepAlive), context)
            }
            return
        }
        let request = SignedRequest(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
            body: body)
        let (id, account, script) = service.answer(request)
        start(Exchange(id: id, account: account, script: script, isKeepAlive: head.isKeepAlive), context)
    }

    // MARK: Answers

    private func start(_ exchange: Exchange, _ context: ChannelHandlerContext) {
        self.exchange = exchange
        after(exchange.script.delay, context) { self.begin(context) }
    }

    /// Runs `step` on the event loop after `delay`, at once when that is zero.
    private func after(_ delay: Duration, _ context: ChannelHandlerContext, _ step: @escaping () -> Void) {
        guard delay > .zero else { return step() }
        at(.now() + TimeAmount(delay), context, step)
    }

    private func at(_ deadline: NIODeadline, _ context: ChannelHandlerContext, _ step: @escaping () -> Void) {
        exchange?.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { step() }
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard let exchange, context.channel.isActive else { return }
        switch exchange.script.form {
        case .nothing: end(context)
        case .whole(let body, let cut):
            writeHead(context, length: body.count)
            let sent = body.prefix(cut ?? body.count)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))), promise: nil)
            end(context)
        case .stream(_, let firstDelay, _):
            writeHead(context, length: nil)
            // Without a delay, head and first event go out together.
            if firstDelay > .zero { context.flush() }
            self.exchange?.due = .now() + TimeAmount(firstDelay)
            after(firstDelay, context) { self.step(context) }
        }
    }

    private func writeHead(_ context: ChannelHandlerContext, length: Int?) {
        guard let script = exchange?.script else { return }
        var headers = HTTPHeaders(script.headers.map { ($0.name, $0.value) })
        if let length {
            headers.add(name: "content-length", value: String(length))
        } else {
            headers.add(name: "transfer-encoding", value: "chunked")
        }
        if exchange?.isKeepAlive == false { headers.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: script.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        exchange?.hasHead = true
        if let id = exchange?.id { service.log.update(id) { $0.status = script.status } }
    }

    /// Sends the chunks that are due, and sets the timer for the next.
    private func step(_ context: ChannelHandlerContext) {
        guard var exchange, context.channel.isActive,
            case .stream(let chunks, _, let interval) = exchange.script.form
        else { return }
        exchange.isBlocked = false
        let first = exchange.index
        var pause: Duration?
        while exchange.index < chunks.count {
            let chunk = chunks[exchange.index]
            if chunk.delay > .zero, !exchange.hasWaited {
                pause = chunk.delay
                break
            }
            if exchange.index > first, chunk.isPaced, interval > .zero, hasPaced(chunks[..<exchange.index]) { break }
            guard context.channel.isWritable else {
                exchange.isBlocked = true
                break
            }
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: chunk.bytes)))), promise: nil)
            exchange.index += 1
            exchange.hasWaited = false
        }
        let sent = exchange.index - first
        if sent > 0, let id = exchange.id { service.log.update(id) { $0.eventsSent += sent } }
        let isDone = exchange.index == chunks.count
        let isBlocked = exchange.isBlocked
        exchange.due = pause.map { .now() + TimeAmount($0) } ?? exchange.due + TimeAmount(interval)
        if pause != nil { exchange.hasWaited = true }
        let due = exchange.due
        self.exchange = exchange
        guard !isDone else { return end(context) }
        context.flush()
        // The flush may have found the connection broken, or room for chunks that were blocked.
        guard self.exchange != nil, !isBlocked else { return }
        at(due, context) { self.step(context) }
    }

    /// True when a paced chunk went out: what precedes the first one goes out together with it.
    private func hasPaced(_ chunks: ArraySlice<ReplyScript.Chunk>) -> Bool { chunks.contains { $0.isPaced } }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, exchange?.isBlocked == true { step(context) }
        context.fireChannelWritabilityChanged()
    }

    private func end(_ context: ChannelHandlerContext) {
        guard let exchange else { return }
        switch exchange.script.ending {
        case .complete:
            context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenSuccess {
                self.report(.completed)
                if !exchange.isKeepAlive { context.close(promise: nil) }
            }
        case .stall:
            context.flush()
        case .close, .reset:
            context.flush()
            let isReset = exchange.script.ending == .reset
            report(isReset ? .reset : .cut)
            if isReset { Self.dropLinger(context) }
            context.close(promise: nil)
        }
    }

    /// Makes `close` send RST in place of FIN.
    private static func dropLinger(_ context: ChannelHandlerContext) {
        guard let options = context.channel as? any SocketOptionProvider else { return }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in
            // The socket is closed already; then there is nothing left to reset.
        }
    }

    private func report(_ ending: RequestRecord.Ending) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.timer?.cancel()
        guard let id = exchange.id else { return }
        service.log.end(
            id, ending, account: exchange.account, status: exchange.hasHead ? exchange.script.status : nil)
    }

    // MARK: The end of the connection

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is HangUp {
            report(.cut)
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        report(.clientClosed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Malformed HTTP, or a connection that the client reset; the answer, if any, is over either way.
        context.close(promise: nil)
    }
}

/// Tells a connection that its listener hangs up on it.
struct HangUp: Sendable {}
