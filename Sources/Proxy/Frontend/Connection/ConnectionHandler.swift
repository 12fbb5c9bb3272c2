import NIOCore
import NIOHTTP1

/// The shell of `ConnectionState`: assembles requests on the event loop, keeps the timers, closes the connection.
///
/// It sits directly behind NIO's HTTP codec. The answer's parts pass through it on their way out, which is how it knows
/// that an answer is complete, whoever wrote it.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let doors: Doors
    /// That of the present request, or of the last one.
    private var door: FrontDoor
    private let limits: ConnectionLimits
    private let requests: AsyncStream<ClientRequest>.Continuation
    private let departure: EventLoopPromise<Void>

    private var state: ConnectionState
    /// The request that is being received.
    private var head: HTTPRequestHead?
    /// Whether the client of the present request understands a chunked answer.
    private var understandsChunks = true
    private var admission = Admission.refuse(.notHTTP)
    private var body = ByteBuffer()
    private var peer = ClientRequest.Peer()
    /// Parts of pipelined requests that came while an answer was due.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var isTakingWaiting = false
    private var readIsHeld = false
    private var timer: Scheduled<Void>?
    /// The last moment at which the client gave a sign of life that the running timer has to respect.
    private var lastActivity = NIODeadline.now()

    init(
        doors: Doors, limits: ConnectionLimits,
        requests: AsyncStream<ClientRequest>.Continuation, departure: EventLoopPromise<Void>
    ) {
        self.doors = doors
        door = doors.current
        self.limits = limits
        self.requests = requests
        self.departure = departure
        self.state = ConnectionState(bodyLimit: door.limits.body)
    }

    // MARK: Inbound

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        peer = ClientRequest.Peer(remote: context.remoteAddress, local: context.localAddress)
        startTimer(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard takesParts(context), waiting.isEmpty else { return waiting.append(part) }
        receive(part, context)
    }

    /// The next request can be looked at: the last one has been answered, and the client takes its answers. A client that
    /// asks on without reading would have them all kept here.
    private func takesParts(_ context: ChannelHandlerContext) -> Bool { !state.isAnswering && context.channel.isWritable }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takeWaiting(context)
        context.fireChannelWritabilityChanged()
    }

    private func receive(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): receive(head, context)
        case .body(let bytes):
            lastActivity = context.eventLoop.now
            let action = state.received(bodyBytes: bytes.readableBytes)
            if admission.readsBody, case .receivingBody(_, refused: false) = state.phase {
                body.append(bytes, expecting: head.flatMap { Framing.announcedLength(of: $0.headers) })
            }
            perform(action, context)
        case .end: perform(state.receivedEnd(), context)
        }
    }

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        // After the last answer nobody is answered; above all, no head may start the timer anew.
        guard state.phase == .awaitingHead else { return }
        self.head = head
        body = ByteBuffer()
        guard !Framing.isAmbiguous(head) else { return perform(state.receivedGarbage(), context) }
        door = doors.current
        admission = door.screen(head)
        understandsChunks = head.version.isAtLeast1_1
        let facts = ConnectionState.Head(
            contentLength: Framing.announcedLength(of: head.headers) ?? (head.headers.contains(name: "transfer-encoding") ? nil : 0),
            expectsContinue: head.version.isAtLeast1_1 && Framing.expectsContinue(head.headers),
            keepAlive: head.isKeepAlive && head.version.isAtLeast1_1 && !Framing.endsHTTP(head),
            isRefused: admission.isRefusal, bodyLimit: door.bodyLimit(of: admission))
        perform(state.received(facts), context)
        startTimer(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError {
            perform(state.receivedGarbage(), context)
        } else if case ByteToMessageDecoderError.dataReceivedInErrorState(_, let bytes) = error {
            // What follows the garbage: thrown away, as closing now would take the answer from the client.
            perform(state.received(bodyBytes: bytes.readableBytes), context)
        } else {
            // The connection broke (reset, time-out of the network): there is nobody left to talk to.
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: perform(state.inputClosed(), context)
        case is ChannelShouldQuiesceEvent:
            state.quiesce()
            if state.phase == .awaitingHead { startTimer(context) }
        case is GraceIsOver: perform(state.graceIsOver(), context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(state.becameInactive(), context)
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    /// Back-pressure on a client that pipelines: a few parts may wait, more are left in the socket.
    func read(context: ChannelHandlerContext) {
        if waiting.count > 16 { readIsHeld = true } else { context.read() }
    }

    // MARK: Outbound

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        switch part {
        case .head(var head):
            if !understandsChunks { head.version = .http1_0 }
            if state.closesAfterAnswer, head.status.code >= 200 { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            // Answered is what the socket has taken. Until then no time is counted against the client, no next request is looked at, and a
            // server that stops waits: whether the client takes the answer at all is for the socket's own limit to tell.
            let written = promise ?? context.eventLoop.makePromise()
            context.writeAndFlush(data, promise: written)
            written.futureResult.assumeIsolated().whenSuccess { self.perform(self.state.answered(), context) }
        }
    }

    // MARK: Actions

    private func perform(_ action: ConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: break
        case .sendContinue:
            context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
        case .deliver: deliver(context)
        case .refuse(let refusal, closing: _): refuse(refusal, context)
        case .abandon, .cut: departure.succeed()
        case .readNext: readNext(context)
        case .lingerAndClose:
            dropWaiting(context)
            context.close(mode: .output, promise: nil)
            startTimer(context)
        case .close: context.close(promise: nil)
        }
    }

    /// What came after the last request will not be answered, and must not keep the socket from being read to its end.
    private func dropWaiting(_ context: ChannelHandlerContext) {
        waiting.removeAll()
        body = ByteBuffer()
        guard readIsHeld else { return }
        readIsHeld = false
        context.read()
    }

    private func deliver(_ context: ChannelHandlerContext) {
        guard let head else { return }
        stopTimer()
        let request = ClientRequest(head: head, body: body, door: door, admission: admission, peer: peer)
        self.head = nil
        body = ByteBuffer()
        requests.yield(request)
    }

    private func refuse(_ refusal: ConnectionState.Refusal, _ context: ChannelHandlerContext) {
        let error: APIError =
            switch refusal {
            case .byDoor: admission.refusal ?? .notHTTP
            case .bodyTooLarge: .bodyTooLarge(limit: door.bodyLimit(of: admission))
            case .bodyTimedOut: .bodyTimedOut
            case .malformed: .notHTTP
            case .shuttingDown: .shuttingDown
            }
        let answer = door.refusal(error, to: head, from: peer)
        let withoutBody = head?.method == .HEAD
        head = nil
        write(context: context, data: wrapOutboundOut(.head(.init(version: .http1_1, status: answer.status, headers: answer.headers))), promise: nil)
        if !withoutBody { write(context: context, data: wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil) }
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func readNext(_ context: ChannelHandlerContext) {
        startTimer(context)
        takeWaiting(context)
    }

    /// A loop and no recursion, although each refusal among the waiting requests leads here again: there may be thousands.
    private func takeWaiting(_ context: ChannelHandlerContext) {
        guard !isTakingWaiting else { return }
        isTakingWaiting = true
        while takesParts(context), let part = waiting.popFirst() { receive(part, context) }
        isTakingWaiting = false
        if waiting.isEmpty, readIsHeld {
            readIsHeld = false
            context.read()
        }
    }

    // MARK: Timers

    private func startTimer(_ context: ChannelHandlerContext) {
        stopTimer()
        lastActivity = context.eventLoop.now
        guard let allowance = allowance else { return }
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.value.eventLoop)
        timer = context.value.eventLoop.scheduleTask(in: allowance) { handler.value.timerFired(context.value) }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    /// How long the present phase may last without a sign of life.
    private var allowance: TimeAmount? {
        switch state.phase {
        case .awaitingHead: state.closesAfterAnswer ? limits.drainTimeout : limits.headTimeout
        case .receivingBody(_, refused: false): limits.bodyTimeout
        case .receivingBody(_, refused: true), .discarding, .lingering: limits.lingerTimeout
        case .answering, .closed: nil
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        // The timer is not moved for each byte; when it fires it asks how long the silence really was.
        guard let allowance else { return }
        let now = context.eventLoop.now
        let due = lastActivity + allowance
        guard case .receivingBody(_, refused: false) = state.phase, due > now else { return perform(state.timedOut(), context) }
        let remaining = due - now
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: remaining) { handler.value.timerFired(bound.value) }
    }

    private func end() {
        stopTimer()
        requests.finish()
        departure.succeed()
    }
}

extension ByteBuffer {
    /// Appends a piece of a body whose whole length may be known; the first piece is taken over without a copy.
    fileprivate mutating func append(_ piece: ByteBuffer, expecting total: Int?) {
        guard readableBytes > 0 else {
            self = piece
            if let total, total > piece.readableBytes { reserveCapacity(minimumWritableBytes: total - piece.readableBytes) }
            return
        }
        var piece = piece
        writeBuffer(&piece)
    }
}
