import NIOCore
import ProxyRouting

/// What a stream goes through on its way from the upstream's connection to the client's: the relay's translation, and the books. It works
/// on the event loop of both, in the moment in which bytes arrive, so that a chunk costs a read and a write and wakes no task.
///
/// It lets the bytes wait when the client does not take them, when the answer has begun, when it is complete, and when it has failed: then
/// it is the task's turn.
final class StreamPump: BodySink {
    let relay: any ResponseRelay

    /// Why no more bytes are taken for now.
    enum Pause {
        /// The client does not take what has been sent.
        case clientIsSlow
        /// The first event has left.
        case begun
        case complete
        /// The answer ends here.
        case failed(any Error)
    }

    /// Nil as long as more is taken.
    private(set) var pause: Pause?
    /// The first event has left.
    private(set) var hasBegun = false
    private let stream: EventStream
    private let report: AttemptReport
    private let deadline: MovingDeadline
    private let callContext: ChatCall.CallContext
    /// Another upstream has told the client a part: nothing is passed on before this one has caught up.
    private let catchesUp: Bool
    /// When it has said anything at all.
    private var firstHeard: Duration?
    /// Until when what may follow the finish reasons is waited for.
    private var tailEnd: Duration?
    private var firstBytes = FirstBytes()
    /// What has come of a document in place of the stream.
    private(set) var document: [UInt8]?

    init(
        _ relay: any ResponseRelay, to stream: EventStream, _ report: AttemptReport, _ deadline: MovingDeadline,
        _ callContext: ChatCall.CallContext, catchesUp: Bool = false
    ) {
        self.catchesUp = catchesUp
        self.relay = relay
        self.stream = stream
        self.report = report
        self.deadline = deadline
        self.callContext = callContext
    }

    func take(_ bytes: ByteBuffer) -> Bool {
        let hadBegun = hasBegun
        if !hadBegun, isOfDocument(bytes) { return pause == nil }
        if catchesUp, firstHeard == nil { firstHeard = callContext.time.now() }
        let failure = relay.take(bytes)
        let hasRoom = forward()
        pause =
            if let failure { .failed(failure) } else if relay.isComplete { .complete } else if hasBegun != hadBegun {
                .begun
            } else {
                hasRoom ? nil : .clientIsSlow
            }
        return pause == nil
    }

    /// Whether the bytes belong to a document in place of the stream: it is kept, up to its end.
    @inline(never)
    private func isOfDocument(_ bytes: ByteBuffer) -> Bool {
        var start = 0
        if document == nil {
            guard case .document(let place) = firstBytes.look(at: bytes.readableBytesUInt8Span) else {
                return false
            }
            start = place
            document = []
            // From here on it is waited for as for every whole answer.
            if !catchesUp { deadline.move(to: callContext.deadline, for: .request) }
        }
        let known = document?.count ?? 0
        guard known + bytes.readableBytes - start <= callContext.limits.answer else {
            pause = .failed(TransportError.tooLarge(limit: callContext.limits.answer))
            return true
        }
        document?.append(contentsOf: bytes.readableBytesUInt8Span.extracting(droppingFirst: start))
        return true
    }

    /// The upstream's body has ended: sends what is left.
    ///
    /// - Returns: why the answer is not whole.
    func end() -> Failure? {
        let failure = relay.end()
        let rest = relay.takeFrames()
        // A failure before the client has seen anything: another upstream may begin the answer.
        if failure == nil || hasBegun { stream.send(last: ByteBuffer(bytes: rest)) }
        return failure
    }

    /// What the books have to know of the answer.
    @inline(never)
    func tell(_ report: AttemptReport) {
        let (usage, unreadableEvents, oddities) = (relay.usage, relay.unreadableEvents, relay.oddities)
        let told = relay.told
        report.change {
            ($0.usage, $0.unreadableEvents, $0.oddities, $0.told) = (usage, unreadableEvents, oddities, told)
        }
    }

    /// Sends what is ready, in one piece, and says until when what is next is waited for.
    ///
    /// - Returns: whether the client takes more.
    private func forward() -> Bool {
        var hasRoom = true
        let hadBegun = hasBegun
        relay.takeFrames { frames in
            hasBegun = true
            hasRoom = stream.write(frames)
        }
        guard hasBegun || relay.isFinished else { return true }
        let now = callContext.time.now()
        if hasBegun, !hadBegun {
            report.change { $0.firstEvent = firstHeard ?? now }
            if let id = relay.answerID { stream.name(id) }
            stream.ends { [relay] failure in
                relay.fail(failure)
                return relay.takeFrames()
            }
        }
        if !hasRoom {
            deadline.move(to: now + callContext.limits.idleTimeout, for: .slowClient)
        } else {
            waitForUpstream(at: now)
        }
        return hasRoom
    }

    /// Returns when the client takes more.
    ///
    /// - Throws: `CancellationError` when it has left; `MovingDeadline.Exceeded`.
    nonisolated(nonsending) func waitForCapacity() async throws {
        try await stream.waitForCapacity(until: deadline)
        waitForUpstream(at: callContext.time.now())
    }

    private func waitForUpstream(at now: Duration) {
        if !relay.isFinished { tailEnd = nil }
        if relay.isFinished {
            // One that has not caught up keeps the time that it has for that.
            guard hasBegun || !catchesUp else { return }
            let end = tailEnd ?? now + ChatCall.tailLimit
            tailEnd = end
            // What has said nothing is still an attempt, and has no more time than that.
            deadline.move(to: hasBegun ? end : min(end, callContext.deadline), for: .tail)
        } else if hasBegun {
            deadline.move(to: now + callContext.limits.idleTimeout, for: .idleTimeout)
        }
    }
}
