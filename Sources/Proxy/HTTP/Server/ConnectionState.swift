/// What one client connection may do next: HTTP/1.1 as a server speaks it, without any I/O.
///
/// One request at a time is read whole, handed to the responder, answered; then comes the next. What the client sends
/// meanwhile waits. A long form may be handed over before it is whole; then its rest is read while it is answered. The rules are those of nginx where RFC 9112 leaves a choice:
///
/// * a request that will be refused is refused when its head is there, not after its body has been carried in;
/// * after an early refusal the rest of the body is thrown away for a while before the connection closes, since closing
///   at once would reset it and the client would never read why;
/// * a client that closes its sending half while it waits has left.
struct ConnectionState {
    /// A refused body of up to this many bytes is read to its end, which keeps the connection usable.
    static let politelyReadBody = 64 * 1024

    /// What the head of a request says about what follows, and what the gate says about the head.
    struct Head: Equatable {
        /// Announced length of the body in bytes; nil when it comes in chunks.
        var contentLength: Int?
        var expectsContinue = false
        /// False for `connection: close` and for HTTP/1.0 without keep-alive.
        var keepAlive = true
        /// The gate refuses this request whatever its body says.
        var isRefused = false
        /// Bytes that the body may have; nil: as many as that of the request before.
        var bodyLimit: Int?
    }

    /// Bytes of a refused body that are read at most: a client that writes all before it reads gets its answer only behind them.
    static let longestDroppedBody = 1 << 30

    /// Why the connection itself answers, in place of the responder.
    enum Refusal: Equatable {
        /// The gate said so when it saw the head.
        case byGate
        case bodyTooLarge
        /// No byte of the body came for the body timeout.
        case bodyTimedOut
        /// The bytes are no HTTP/1.1 request, or their framing is ambiguous.
        case malformed
        /// The process ends before the request is whole.
        case shuttingDown
    }

    /// What the shell has to do.
    enum Action: Equatable {
        case nothing
        /// Write `100 Continue`.
        case sendContinue
        /// The request is whole: hand it to the responder.
        case deliver
        /// The rest of the body that the responder reads is complete.
        case endBody
        /// The rest will not come, or must not: the responder is to be told.
        case failBody(Refusal)
        /// Answer with this; `closing` says that the connection ends after it.
        case refuse(Refusal, closing: Bool)
        /// The client left while its request was being answered: cancel the work.
        case abandon
        /// The process ends before the answer does: cancel the work, which then says so to the client.
        case cut
        /// Take the next request, which may have arrived already.
        case readNext
        /// Say goodbye with a FIN, read on for a while, then close.
        case lingerAndClose
        /// Close now.
        case close
    }

    /// What is to become of bytes that come from the client.
    enum Intake: Equatable {
        /// They are a request, or a part of one.
        case read
        /// They belong to a request that is not looked at yet.
        case keep
        /// Nobody will ever look at them: they are counted (`received(bodyBytes:)`) and thrown away.
        case drop
    }

    enum Phase: Equatable {
        /// Between two requests, or in the middle of a head.
        case awaitingHead
        case receivingBody(received: Int, refused: Bool)
        /// A request is with the responder, or its answer is being written.
        case answering
        /// The same, while the rest of its body comes.
        case streaming(received: Int)
        /// Answered before the body was there; what still comes is thrown away.
        case discarding(discarded: Int, answered: Bool)
        case lingering(discarded: Int)
        case closed
    }

    private(set) var phase = Phase.awaitingHead
    /// The connection ends with the answer that is due.
    private(set) var closesAfterAnswer = false
    /// Bytes that the body of the present request may have.
    private var bodyLimit: Int
    /// Bytes that are thrown away at most of what is no request: a refused body as far as it was announced, else some times what a body may have.
    private var dropLimit: Int
    /// Bytes that the body of the present request has, when they are announced.
    private var length: Int?
    /// Bytes of an announced body that is refused; nil when there is none.
    private var announced: Int?
    /// Bytes that have come behind a request that is the last one by its own word; nil when others may follow.
    private var surplus: Int?

    /// - Parameter bodyLimit: bytes that are read at most of what is no request.
    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
        dropLimit = bodyLimit
    }

    /// What comes is the rest of a body that was refused, and its client may not read before it has written it.
    var isDroppingAnnouncedBody: Bool {
        guard let announced else { return false }
        return switch phase {
        case .discarding(let discarded, _), .lingering(let discarded): discarded < announced
        default: false
        }
    }

    /// Bytes of a body come that is looked at.
    var isReadingBody: Bool {
        switch phase {
        case .receivingBody(_, refused: false), .streaming: true
        default: false
        }
    }

    /// Bytes that the body of the present request may have.
    var limitOfBody: Int { bodyLimit }

    var intake: Intake {
        switch phase {
        case .awaitingHead, .receivingBody, .streaming: .read
        case .answering: surplus == nil ? .keep : .drop
        case .discarding, .lingering, .closed: .drop
        }
    }

    /// The head of a request has arrived.
    mutating func received(_ head: Head) -> Action {
        guard phase == .awaitingHead else { return .nothing }
        if !head.keepAlive { (closesAfterAnswer, surplus) = (true, 0) }
        length = head.contentLength
        bodyLimit = head.bodyLimit ?? bodyLimit
        dropLimit = bodyLimit
        let tooLarge = (head.contentLength ?? 0) > bodyLimit
        guard head.isRefused || tooLarge else {
            phase = .receivingBody(received: 0, refused: false)
            return head.expectsContinue ? .sendContinue : .nothing
        }
        if let length = head.contentLength, length <= Self.politelyReadBody, !tooLarge,
            !(head.expectsContinue && length > 0)
        {
            phase = .receivingBody(received: 0, refused: true)
            return .nothing
        }
        if let length = head.contentLength {
            dropLimit = max(bodyLimit, min(length, Self.longestDroppedBody))
            announced = min(length, Self.longestDroppedBody)
        }
        return refuseEarly(head.isRefused ? .byGate : .bodyTooLarge)
    }

    /// The request is handed over although its body is not whole.
    mutating func deliverInPart() {
        if case .receivingBody(let received, refused: false) = phase { phase = .streaming(received: received) }
    }

    /// An answer begins. One that does not wait for the whole request ends the connection: nobody knows what else would come.
    mutating func beginsAnswer() {
        if case .streaming = phase { closesAfterAnswer = true }
    }

    /// Bytes of the body have arrived, or bytes that nobody will look at.
    mutating func received(bodyBytes count: Int) -> Action {
        switch phase {
        case .receivingBody(let received, let refused):
            guard received + count <= (refused ? Self.politelyReadBody : bodyLimit) else {
                if !refused { dropLimit = min(4 * bodyLimit, Self.longestDroppedBody) }
                return refuseEarly(refused ? .byGate : .bodyTooLarge)
            }
            phase = .receivingBody(received: received + count, refused: refused)
            return .nothing
        case .streaming(let received):
            guard received + count <= bodyLimit else {
                expectRest(behind: received + count)
                return failBody(.bodyTooLarge)
            }
            phase = .streaming(received: received + count)
            return .nothing
        case .discarding(let discarded, let answered):
            phase = .discarding(discarded: discarded + count, answered: answered)
            return discarded + count > dropLimit && answered ? close() : .nothing
        case .lingering(let discarded):
            phase = .lingering(discarded: discarded + count)
            return discarded + count > dropLimit ? close() : .nothing
        case .answering:
            guard let before = surplus else { return .nothing }
            surplus = before + count
            return before + count > bodyLimit ? close() : .nothing
        case .awaitingHead, .closed:
            return .nothing
        }
    }

    /// There is no room for the rest of the body.
    mutating func refuseBody() -> Action { refuseEarly(.byGate) }

    /// The request is whole.
    mutating func receivedEnd() -> Action {
        if case .streaming = phase {
            phase = .answering
            return .endBody
        }
        guard case .receivingBody(_, let refused) = phase else { return .nothing }
        phase = .answering
        return refused ? .refuse(.byGate, closing: closesAfterAnswer) : .deliver
    }

    /// The bytes cannot be read as HTTP; nothing after them can.
    mutating func receivedGarbage() -> Action {
        switch phase {
        case .awaitingHead, .receivingBody: return refuseEarly(.malformed)
        case .streaming: return failBody(.malformed)
        case .answering:
            // It belongs to a request after the one that is being answered; that one still gets its answer.
            closesAfterAnswer = true
            return .nothing
        case .discarding, .lingering, .closed: return .nothing
        }
    }

    /// The last byte of the answer has been handed to the socket.
    mutating func answered() -> Action {
        switch phase {
        case .answering:
            guard !closesAfterAnswer else { return linger() }
            phase = .awaitingHead
            return .readNext
        case .discarding(let discarded, answered: false):
            return linger(discarded: discarded)
        case .streaming(let received):
            expectRest(behind: received)
            return linger()
        case .awaitingHead, .receivingBody, .discarding, .lingering, .closed:
            return .nothing
        }
    }

    /// The client has closed its sending half, or all of it.
    mutating func inputClosed() -> Action {
        switch phase {
        case .answering, .streaming:
            guard !hasLeft else { return .nothing }
            hasLeft = true
            closesAfterAnswer = true
            return .abandon
        case .awaitingHead, .receivingBody, .lingering, .discarding(_, answered: true): return close()
        case .discarding(_, answered: false):
            closesAfterAnswer = true
            return .nothing
        case .closed: return .nothing
        }
    }
    private var hasLeft = false

    /// The connection is gone.
    mutating func becameInactive() -> Action {
        let wasAnswering =
            switch phase {
            case .answering, .streaming: !hasLeft
            default: false
            }
        phase = .closed
        return wasAnswering ? .abandon : .nothing
    }

    /// The server stops: the present request is the last of this connection. Where there is none, the next one may be on its way, and is
    /// still answered when it comes soon.
    mutating func quiesce() { closesAfterAnswer = true }

    /// The server stops, and has no more time for the present request.
    mutating func graceIsOver() -> Action {
        closesAfterAnswer = true
        switch phase {
        case .awaitingHead: return close()
        case .receivingBody(_, let refused): return refuseEarly(refused ? .byGate : .shuttingDown)
        case .answering, .streaming: return hasLeft ? .nothing : .cut
        case .discarding, .lingering, .closed: return .nothing
        }
    }

    /// Nothing came for as long as the phase allows.
    mutating func timedOut() -> Action {
        switch phase {
        case .awaitingHead, .lingering, .discarding(_, answered: true): return close()
        case .receivingBody(_, let refused): return refuseEarly(refused ? .byGate : .bodyTimedOut)
        case .streaming: return failBody(.bodyTimedOut)
        case .answering, .discarding(_, answered: false), .closed: return .nothing
        }
    }

    private mutating func refuseEarly(_ refusal: Refusal) -> Action {
        closesAfterAnswer = true
        phase = .discarding(discarded: 0, answered: false)
        return .refuse(refusal, closing: true)
    }

    /// What still comes of a body is read for a while and thrown away: its client may write all before it reads.
    private mutating func expectRest(behind received: Int) {
        guard let length else {
            dropLimit = min(4 * bodyLimit, Self.longestDroppedBody)
            return
        }
        let rest = min(max(length - received, 0), Self.longestDroppedBody)
        dropLimit = max(bodyLimit, rest)
        announced = rest
    }

    private mutating func failBody(_ refusal: Refusal) -> Action {
        closesAfterAnswer = true
        phase = .discarding(discarded: 0, answered: false)
        return .failBody(refusal)
    }

    private mutating func linger(discarded: Int = 0) -> Action {
        guard !hasLeft else { return close() }
        phase = .lingering(discarded: discarded)
        return .lingerAndClose
    }

    private mutating func close() -> Action {
        phase = .closed
        return .close
    }
}
