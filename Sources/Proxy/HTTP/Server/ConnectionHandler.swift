import NIOCore
import NIOHTTP1

/// The shell of `ConnectionState`: assembles requests on the event loop, keeps the timers, closes the connection.
///
/// It sits next to the socket, or to TLS, and takes requests out of what comes in (`RequestDecoder`) when it can use them. It writes the
/// answers, which is how it knows that one is complete, and gathers their bytes until they are flushed.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private let gate: any RequestGate
    private let limits: ConnectionLimits
    private let requests: any RequestReceiver
    private let departure: EventLoopPromise<Void>
    /// Nothing stands between it and the socket that may keep what is written.
    private let isNextToSocket: Bool

    /// As long as it is in its channel.
    private var context: ChannelHandlerContext?
    /// The socket, to be asked how much it has not taken yet, when nothing is in between.
    private var socket: (any NIOSynchronousChannelOptions)?
    private var state: ConnectionState
    private var decoder: RequestDecoder
    /// What has come and has not been decoded: half a line, or requests that came while an answer was due.
    private var unread = ByteBuffer()
    private var isDecoding = false
    /// Requests in a row that were there when the one before had been answered, since anything has come.
    private var pipelined = 0
    private var readIsHeld = false
    /// The request that is being received.
    private var head: HTTPRequestHead?
    /// Bytes of its body, when they are announced.
    private var bodyLength: Int?
    /// Whether the client of the present request understands a chunked answer.
    private var understandsChunks = true
    /// Of the request that is being received.
    private var ticket: (any RequestTicket)?
    private var body: [UInt8] = []
    /// What is read of it behind that, by who answers the request already.
    private var rest: RestOfBody?
    /// The request that is being answered, until the end of its answer is written or its client has left.
    private var answering: ClientRequest?
    private var peer = ClientPeer()
    private var encoder = ResponseEncoder()
    /// What is answered is a HEAD: whatever is sent behind the answer's head would be taken for the next one (RFC 9110, 9.3.2).
    private var takesNoBody = false
    /// Of the answer: what has not been handed to the socket yet, until the next flush.
    private var unsent: ByteBuffer?
    /// When the present phase has lasted too long; nil when it may last.
    private var due: NIODeadline?
    /// When a connection that is only read on ends in any case.
    private var lingersUntil: NIODeadline?
    /// When the body that comes has to be there, as far as it has come.
    private var bodyDue = NIODeadline.distantFuture
    /// Looks at `due`. It is not moved with each step, of which a request has several: when it fires too early, it is set anew.
    private var timer: (fires: NIODeadline, task: Scheduled<Void>)?

    init(
        gate: any RequestGate, limits: ConnectionLimits,
        requests: any RequestReceiver, departure: EventLoopPromise<Void>, isNextToSocket: Bool = false
    ) {
        self.gate = gate
        self.limits = limits
        self.requests = requests
        self.departure = departure
        self.isNextToSocket = isNextToSocket
        self.state = ConnectionState(bodyLimit: gate.limits.body)
        decoder = RequestDecoder(limits: limits)
    }

    // MARK: Inbound

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if isNextToSocket { socket = context.channel.syncOptions }
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        peer = ClientPeer(remote: context.remoteAddress, local: context.localAddress)
        peer.isEncrypted = !isNextToSocket
        startTimer(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard state.intake != .drop else {
            // As long as the body goes on, its client is not waiting for us: but not for ever.
            if state.isDroppingAnnouncedBody, let end = lingersUntil {
                due = min(context.eventLoop.now + limits.lingerTimeout, end)
            }
            return perform(state.received(bodyBytes: bytes.readableBytes), context)
        }
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeImmutableBuffer(bytes) }
        pipelined = 0
        decode(context)
        // A few bytes must not keep the whole buffer that they came in.
        if unread.readableBytes > 0, unread.storageCapacity > 2 * unread.readableBytes + 1024 {
            unread = context.channel.allocator.buffer(buffer: unread)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        decode(context)
        context.fireChannelWritabilityChanged()
    }

    /// Takes requests out of what has come: the next one when the last has been answered and the client takes its answers. A client that
    /// asks on without reading would have them all kept here.
    ///
    /// A loop and no recursion, although each refusal leads here again: there may be thousands in one read. After some, the others on this
    /// event loop get their turn (`decodeLater`).
    private func decode(_ context: ChannelHandlerContext) {
        guard !isDecoding else { return }
        isDecoding = true
        var ends = 0
        do {
            while ends < Self.requestsAtOnce, state.intake == .read,
                state.phase != .awaitingHead || context.channel.isWritable, let part = try decoder.next(from: &unread)
            {
                if case .end = part { ends += 1 }
                receive(part, context)
            }
        } catch {
            head = error.head ?? head
            perform(state.receivedGarbage(), context)
        }
        isDecoding = false
        if ends == Self.requestsAtOnce { decodeLater(context) }
        if unread.readableBytes == 0 || state.intake == .drop { unread = ByteBuffer() }
        // Not with each head: most requests are whole when they are there, and need none.
        setTimer(context)
        readOn(context)
    }

    /// Requests that are looked at in one turn of the event loop.
    private static let requestsAtOnce = 64
    /// Requests of a pipeline that are answered before the event loop looks at its sockets again.
    private static let pipelinedAtOnce = 8

    /// Takes the next request when the event loop has looked at its other sockets. It does so only when it has nothing else to do, and tasks that
    /// lead to tasks keep it from that: a client that sends a thousand requests at once would have the loop for itself. What is scheduled for later
    /// does not.
    private func decodeLater(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(50)) {
            if let context = self.context { self.decode(context) }
        }
    }

    /// A request has been answered, and more have come in the meantime.
    private func decodeNext(_ context: ChannelHandlerContext) {
        // Else it goes on by itself.
        guard !isDecoding else { return }
        pipelined += 1
        guard pipelined >= Self.pipelinedAtOnce else { return decode(context) }
        pipelined = 0
        decodeLater(context)
    }

    private func receive(_ part: RequestDecoder.Part, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head, let framing): receive(head, framing, context)
        case .body(let bytes):
            if state.isReadingBody {
                // What comes fast at first saves up nothing for later.
                bodyDue = min(
                    bodyDue + .nanoseconds(Int64(bytes.readableBytes) * (1_000_000_000 / limits.slowestBody)),
                    context.eventLoop.now + limits.bodyTimeout)
                due = bodyDue
            }
            let action = state.received(bodyBytes: bytes.readableBytes)
            if let rest, state.isReadingBody {
                rest.put(bytes)
                // It is not the client that keeps us waiting.
                if rest.isFull { due = nil }
                return
            }
            if let ticket, ticket.readsBody, case .receivingBody(_, refused: false) = state.phase {
                // In chunks, it takes its room piece by piece.
                if bodyLength == nil, !ticket.claim(bodyBytes: bytes.readableBytes) {
                    return perform(state.refuseBody(), context)
                }
                body.append(bytes, expecting: ticket.streamsBody ? nil : bodyLength)
                if ticket.streamsBody, body.count >= Self.firstPart { return deliverInPart(context) }
            }
            perform(action, context)
        case .end: perform(state.receivedEnd(), context)
        }
    }

    /// Bytes of a long form with which it is handed over: the fields before a file, as a rule.
    static let firstPart = 64 * 1024

    private func receive(_ head: HTTPRequestHead, _ framing: Framing, _ context: ChannelHandlerContext) {
        self.head = head
        (body, bodyLength) = ([], framing.length)
        self.ticket?.release()
        let ticket = gate.receive(head, bodyLength: framing.length, from: peer)
        self.ticket = ticket
        understandsChunks = head.version.isAtLeastHTTP11
        takesNoBody = head.method == .HEAD
        let facts = ConnectionState.Head(
            contentLength: framing.length, expectsContinue: framing.expectsContinue, keepAlive: framing.keepsConnection,
            isRefused: ticket.isRefused,
            bodyLimit: ticket.bodyLimit)
        perform(state.received(facts), context)
        due = allowance.map { context.eventLoop.now + $0 }
        bodyDue = due ?? .distantFuture
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The connection broke (reset, time-out of the network): there is nobody left to talk to.
        context.close(promise: nil)
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
        self.context = nil
        socket = nil
    }

    /// Back-pressure on a client that pipelines: a few requests may wait, more are left in the socket.
    func read(context: ChannelHandlerContext) {
        if unread.readableBytes > limits.headers || rest?.isFull == true { readIsHeld = true } else { context.read() }
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard readIsHeld, unread.readableBytes <= limits.headers, rest?.isFull != true else { return }
        readIsHeld = false
        context.read()
    }

    // MARK: Outbound

    private func write(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        var head = head
        if !understandsChunks { head.version = .http1_0 }
        if head.status.code >= 200 { state.beginsAnswer() }
        let closes = state.closesAfterAnswer && head.status.code >= 200
        gather(Self.usualAnswer) { encoder.write(head, closes: closes, to: &$0) }
    }

    /// Bytes of a head and of what often follows it.
    private static let usualAnswer = 2000
    /// Bytes of a piece of a body that is not copied behind its frame.
    private static let largePiece = 16 * 1024

    private func write(_ piece: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let length = piece.readableBytes
        guard !takesNoBody else {
            if let promise { writeUnsent(context, promise) }
            return
        }
        guard length >= Self.largePiece else {
            gather(length + 16) {
                encoder.writeOpening(of: length, to: &$0)
                $0.writeImmutableBuffer(piece)
                encoder.writeClosing(of: length, to: &$0)
            }
            if let promise { writeUnsent(context, promise) }
            return
        }
        gather(16) { encoder.writeOpening(of: length, to: &$0) }
        writeUnsent(context, nil)
        context.write(wrapOutboundOut(piece), promise: nil)
        gather(2) { encoder.writeClosing(of: length, to: &$0) }
        if let promise { writeUnsent(context, promise) }
    }

    /// Answered is what the socket has taken. Until then no time is counted against the client, no next request is looked at, and a
    /// server that stops waits: whether the client takes the answer at all is for the socket's own limit to tell.
    private func writeEnd(_ context: ChannelHandlerContext) {
        // Before its sender can see the end, and send the next.
        answering?.ticket.release()
        answering = nil
        if !takesNoBody { gather(5) { encoder.writeEnd(to: &$0) } }
        takesNoBody = false
        if let socket {
            // It has mostly taken it at once, and then the question is cheaper than a promise.
            flush(context: context)
            if let left = try? socket.getOption(.bufferedWritableBytes), left == 0 {
                return perform(state.answered(), context)
            }
            unsent = ByteBuffer()
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        writeUnsent(context, written)
        context.flush()
        written.futureResult.assumeIsolated().whenSuccess { self.perform(self.state.answered(), context) }
    }

    /// - Parameter capacity: bytes that `body` writes, more or less.
    private func gather(_ capacity: Int, _ body: (inout ByteBuffer) -> Void) {
        var bytes = unsent.take() ?? ByteBufferAllocator().buffer(capacity: capacity)
        body(&bytes)
        unsent = bytes
    }

    private func writeUnsent(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard let bytes = unsent.take(), bytes.readableBytes > 0 || promise != nil else { return }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        writeUnsent(context, nil)
        context.flush()
    }

    // MARK: Actions

    private func perform(_ action: ConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: break
        case .sendContinue:
            gather(Self.usualAnswer) { encoder.write(HTTPResponseHead(version: .http1_1, status: .continue), to: &$0) }
            flush(context: context)
        case .deliver: deliver(context)
        case .endBody:
            due = nil
            rest.take()?.finish()
        case .failBody(let refusal):
            due = nil
            rest.take()?.fail(fault(of: refusal, limit: state.limitOfBody))
            readOn(context)
        case .refuse(let refusal, closing: _): refuse(refusal, context)
        case .abandon, .cut:
            rest.take()?.fail(CancellationError())
            departure.succeed()
        case .readNext:
            startTimer(context)
            if unread.readableBytes > 0 { decodeNext(context) }
        case .lingerAndClose:
            rest.take()?.fail(CancellationError())
            dropUnread(context)
            context.close(mode: .output, promise: nil)
            lingersUntil = context.eventLoop.now + limits.bodyTimeout
            startTimer(context)
        case .close: context.close(promise: nil)
        }
    }

    /// What came after the last request will not be answered, and must not keep the socket from being read to its end.
    private func dropUnread(_ context: ChannelHandlerContext) {
        unread = ByteBuffer()
        body = []
        readOn(context)
    }

    /// Hands a request over whose body goes on.
    private func deliverInPart(_ context: ChannelHandlerContext) {
        state.deliverInPart()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        rest = RestOfBody(on: context.eventLoop, length: bodyLength) { bound.value.resumeBody() }
        let wanted = due
        deliver(context)
        due = wanted
    }

    /// There is room again for what comes of a body. For what the client could not send, it is not to blame.
    private func resumeBody() {
        guard let context, rest != nil else { return }
        bodyDue = context.eventLoop.now + limits.bodyTimeout
        due = bodyDue
        setTimer(context)
        readOn(context)
    }

    private func deliver(_ context: ChannelHandlerContext) {
        guard let head, let ticket else { return }
        due = nil
        let request = ClientRequest(head: head, body: body, rest: rest, ticket: ticket, peer: peer)
        answering = request
        (self.head, self.ticket) = (nil, nil)
        body = []
        requests.put(request)
    }

    private func refuse(_ refusal: ConnectionState.Refusal, _ context: ChannelHandlerContext) {
        let answer = answer(to: refusal)
        body = []
        ticket?.release()
        ticket = nil
        head = nil
        write(HTTPResponseHead(version: .http1_1, status: answer.status, headers: answer.headers), context)
        write(answer.body, context, nil)
        writeEnd(context)
    }

    private func answer(to refusal: ConnectionState.Refusal) -> Response {
        if refusal == .byGate, let ticket { return ticket.refusal() }
        return gate.refusal(
            of: fault(of: refusal, limit: ticket?.bodyLimit ?? gate.limits.body), head: head, from: peer)
    }

    private func fault(of refusal: ConnectionState.Refusal, limit: Int) -> RequestFault {
        switch refusal {
        case .bodyTooLarge: .bodyTooLarge(limit: limit)
        case .bodyTimedOut: .bodyTimedOut
        case .byGate, .malformed: .malformed
        case .shuttingDown: .shuttingDown
        }
    }

    // MARK: Timers

    private func startTimer(_ context: ChannelHandlerContext) {
        due = allowance.map { context.eventLoop.now + $0 }
        setTimer(context)
    }

    /// Sees to it that the timer fires when it is due, or before.
    private func setTimer(_ context: ChannelHandlerContext) {
        guard let due else { return }
        if let timer {
            guard timer.fires > due else { return }
            timer.task.cancel()
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = (due, context.eventLoop.scheduleTask(deadline: due) { handler.value.timerFired(bound.value) })
    }

    /// How long the present phase may last without a sign of life.
    private var allowance: TimeAmount? {
        switch state.phase {
        case .awaitingHead: state.closesAfterAnswer ? limits.drainTimeout : limits.headTimeout
        case .receivingBody(_, refused: false), .streaming: limits.bodyTimeout
        case .receivingBody(_, refused: true), .discarding, .lingering: limits.lingerTimeout
        case .answering, .closed: nil
        }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        guard let due else { return }
        guard due <= context.eventLoop.now else { return setTimer(context) }
        perform(state.timedOut(), context)
    }

    private func end() {
        rest.take()?.fail(CancellationError())
        ticket?.release()
        ticket = nil
        answering = nil
        due = nil
        timer?.task.cancel()
        timer = nil
        requests.finish()
        departure.succeed()
    }
}

extension ConnectionHandler: ResponseWriter {
    func write(_ head: HTTPResponseHead) {
        if let context { write(head, context) }
    }

    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let context else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
        write(piece, context, promise)
    }

    func write(_ piece: [UInt8]) {
        guard context != nil, !takesNoBody else { return }
        gather(piece.count + 16) {
            encoder.writeOpening(of: piece.count, to: &$0)
            $0.writeBytes(piece)
            encoder.writeClosing(of: piece.count, to: &$0)
        }
    }

    func writeEnd() {
        if let context { writeEnd(context) }
    }

    func flush() {
        if let context { flush(context: context) }
    }
}

extension [UInt8] {
    /// Appends a piece of a body whose whole length may be known.
    fileprivate mutating func append(_ piece: ByteBuffer, expecting total: Int?) {
        if isEmpty, let total, total > piece.readableBytes { self = BodyArrays.array(capacity: total) }
        append(contentsOf: piece.readableBytesUInt8Span)
    }
}
