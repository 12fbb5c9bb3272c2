import Testing

@testable import Proxy

@Suite struct ConnectionStateTests {
    private typealias Head = ConnectionState.Head

    private func fresh(limit: Int = 1_000_000) -> ConnectionState { ConnectionState(bodyLimit: limit) }

    /// A connection on which a request has just been delivered.
    private func answering(keepAlive: Bool = true) -> ConnectionState {
        var state = fresh()
        #expect(state.received(Head(contentLength: 5, keepAlive: keepAlive)) == .nothing)
        #expect(state.received(bodyBytes: 5) == .nothing)
        #expect(state.receivedEnd() == .deliver)
        return state
    }

    @Test func `One request follows the other`() {
        var state = answering()
        #expect(state.answered() == .readNext)
        #expect(state.received(Head(contentLength: 0)) == .nothing)
        #expect(state.receivedEnd() == .deliver)
    }

    @Test func `A connection ends with its answer when the client says so`() {
        var state = answering(keepAlive: false)
        #expect(state.closesAfterAnswer)
        #expect(state.answered() == .lingerAndClose)
        #expect(state.inputClosed() == .close)
    }

    @Test func `A client that waits for a word gets it`() {
        var state = fresh()
        #expect(state.received(Head(contentLength: 5, expectsContinue: true)) == .sendContinue)
    }

    @Test func `A refused head is answered before its body when the body is large or of unknown length`() {
        for length in [nil, ConnectionState.politelyReadBody + 1] {
            var state = fresh()
            #expect(state.received(Head(contentLength: length, isRefused: true)) == .refuse(.byGate, closing: true))
            #expect(state.answered() == .lingerAndClose)
        }
    }

    @Test func `A refused head with a small body leaves the connection usable`() {
        var state = fresh()
        #expect(state.received(Head(contentLength: 10, isRefused: true)) == .nothing)
        #expect(state.received(bodyBytes: 10) == .nothing)
        #expect(state.receivedEnd() == .refuse(.byGate, closing: false))
        #expect(state.answered() == .readNext)
    }

    @Test func `A refused client that waits for a word is refused at once`() {
        var state = fresh()
        #expect(
            state.received(Head(contentLength: 10, expectsContinue: true, isRefused: true))
                == .refuse(.byGate, closing: true))
    }

    @Test func `An announced body over the limit is refused before its first byte`() {
        var state = fresh(limit: 100)
        #expect(
            state.received(Head(contentLength: 101, expectsContinue: true)) == .refuse(.bodyTooLarge, closing: true))
    }

    @Test func `A chunked body is refused at the byte that is too much`() {
        var state = fresh(limit: 100)
        #expect(state.received(Head(contentLength: nil)) == .nothing)
        #expect(state.received(bodyBytes: 100) == .nothing)
        #expect(state.received(bodyBytes: 1) == .refuse(.bodyTooLarge, closing: true))
        #expect(state.received(bodyBytes: 50) == .nothing)
        #expect(state.receivedEnd() == .nothing)
        #expect(state.answered() == .lingerAndClose)
    }

    @Test func `The rest of a refused body is read for a while but not for ever`() {
        var state = fresh(limit: 100)
        _ = state.received(Head(contentLength: 101))
        #expect(state.answered() == .lingerAndClose)
        #expect(state.received(bodyBytes: 100) == .nothing && state.isDroppingAnnouncedBody)
        #expect(state.received(bodyBytes: 1) == .nothing && !state.isDroppingAnnouncedBody)
        #expect(state.received(bodyBytes: 1) == .close)
    }

    /// A client that writes all before it reads gets its answer behind the last byte that it has announced, up to a bound.
    @Test(arguments: [(101, 101), (40 << 20, 40 << 20), (1 << 30, 1 << 30), (1 << 40, 1 << 30)])
    func `The rest of a refused body is read as far as it was announced`(length: Int, read: Int) {
        for answersFirst in [true, false] {
            var state = fresh(limit: 100)
            #expect(state.received(Head(contentLength: length)) == .refuse(.bodyTooLarge, closing: true))
            if !answersFirst { #expect(state.received(bodyBytes: 1) == .nothing) }
            #expect(state.answered() == .lingerAndClose)
            #expect(state.received(bodyBytes: read - (answersFirst ? 0 : 1)) == .nothing)
            #expect(state.received(bodyBytes: 1) == .close)
        }
    }

    @Test func `Of a chunked body some times the limit is read`() {
        var state = fresh(limit: 100)
        _ = state.received(Head(contentLength: nil))
        #expect(state.received(bodyBytes: 101) == .refuse(.bodyTooLarge, closing: true))
        #expect(state.answered() == .lingerAndClose)
        #expect(state.received(bodyBytes: 400) == .nothing && !state.isDroppingAnnouncedBody)
        #expect(state.received(bodyBytes: 1) == .close)
    }

    @Test func `A client that leaves while its answer is due is noticed once`() {
        var half = answering()
        #expect(half.inputClosed() == .abandon)
        #expect(half.inputClosed() == .nothing)
        #expect(half.becameInactive() == .nothing)

        var whole = answering()
        #expect(whole.becameInactive() == .abandon)
    }

    @Test func `An answer to a client that has left ends the connection`() {
        var state = answering()
        #expect(state.inputClosed() == .abandon)
        #expect(state.answered() == .close)
    }

    @Test func `A client that leaves between requests or inside one is let go`() {
        var idle = fresh()
        #expect(idle.inputClosed() == .close)
        var half = fresh()
        _ = half.received(Head(contentLength: 10))
        #expect(half.inputClosed() == .close)
    }

    @Test func `Garbage is refused once and ends the connection`() {
        var state = fresh()
        #expect(state.receivedGarbage() == .refuse(.malformed, closing: true))
        #expect(state.receivedGarbage() == .nothing)
        #expect(state.answered() == .lingerAndClose)
    }

    @Test func `Garbage behind a request does not cost its answer`() {
        var state = answering()
        #expect(state.receivedGarbage() == .nothing)
        #expect(state.answered() == .lingerAndClose)
    }

    @Test func `What comes behind the last request is thrown away to a bound`() {
        var state = fresh()
        _ = state.received(Head(contentLength: 0, keepAlive: false, bodyLimit: 100))
        #expect(state.intake == .read)
        _ = state.receivedEnd()
        #expect(state.intake == .drop)
        #expect(state.received(bodyBytes: 100) == .nothing && state.received(bodyBytes: 1) == .close)

        var kept = answering()
        #expect(kept.intake == .keep)
        kept.quiesce()
        #expect(kept.intake == .keep, "until the answer is out")
        #expect(kept.answered() == .lingerAndClose && kept.intake == .drop)
    }

    @Test func `Silence ends an idle connection and refuses a half sent body`() {
        var idle = fresh()
        #expect(idle.timedOut() == .close)
        var half = fresh()
        _ = half.received(Head(contentLength: 10))
        #expect(half.timedOut() == .refuse(.bodyTimedOut, closing: true))
        var refused = fresh()
        _ = refused.received(Head(contentLength: 10, isRefused: true))
        #expect(refused.timedOut() == .refuse(.byGate, closing: true), "it hears what is wrong with it")
        var busy = answering()
        #expect(busy.timedOut() == .nothing)
    }

    @Test func `A stopping server lets the answer finish`() {
        var idle = answering()
        #expect(idle.answered() == .readNext)
        idle.quiesce()
        #expect(idle.phase == .awaitingHead, "its next request may be on the way")
        #expect(idle.timedOut() == .close)
        var busy = answering()
        busy.quiesce()
        #expect(busy.closesAfterAnswer)
        #expect(busy.answered() == .lingerAndClose)
    }

    /// A client that has just connected is about to ask; closing would be a refusal.
    @Test func `A stopping server answers the first request of a connection`() {
        var state = fresh()
        state.quiesce()
        #expect(state.received(Head(contentLength: 0)) == .nothing)
        #expect(state.receivedEnd() == .deliver)
        #expect(state.answered() == .lingerAndClose)
        var silent = fresh()
        silent.quiesce()
        #expect(silent.timedOut() == .close)
    }

    @Test func `At the end of the grace every phase ends`() {
        var idle = fresh()
        #expect(idle.graceIsOver() == .close)

        var busy = answering()
        #expect(busy.graceIsOver() == .cut)
        #expect(busy.inputClosed() == .abandon, "the client may still leave while it is told")
        var told = answering()
        _ = told.graceIsOver()
        #expect(told.answered() == .lingerAndClose)

        var half = fresh()
        _ = half.received(Head(contentLength: 10))
        #expect(half.graceIsOver() == .refuse(.shuttingDown, closing: true))
        #expect(half.answered() == .lingerAndClose)

        var left = answering()
        _ = left.inputClosed()
        #expect(left.graceIsOver() == .nothing)

        var lingering = answering(keepAlive: false)
        _ = lingering.answered()
        #expect(lingering.graceIsOver() == .nothing)
    }

    // MARK: A request that is handed over in part

    /// A connection on which a request has been delivered whose body still comes.
    private func streaming(length: Int? = 1000) -> ConnectionState {
        var state = fresh(limit: 2000)
        #expect(state.received(Head(contentLength: length)) == .nothing)
        #expect(state.received(bodyBytes: 100) == .nothing)
        state.deliverInPart()
        #expect(state.isReadingBody && state.intake == .read)
        return state
    }

    @Test func `A body that goes on ends before its answer`() {
        var state = streaming()
        #expect(state.received(bodyBytes: 900) == .nothing)
        #expect(state.receivedEnd() == .endBody && state.phase == .answering && state.intake == .keep)
        state.beginsAnswer()
        #expect(!state.closesAfterAnswer && state.answered() == .readNext)
    }

    @Test func `An answer before the end of a body ends the connection`() {
        var state = streaming()
        state.beginsAnswer()
        #expect(state.closesAfterAnswer && state.answered() == .lingerAndClose)
        state = streaming()
        state.beginsAnswer()
        #expect(state.receivedEnd() == .endBody && state.answered() == .lingerAndClose)
    }

    @Test func `The rest of an announced body is read behind an early answer`() {
        var state = fresh(limit: 300_000_000)
        #expect(state.received(Head(contentLength: 200_000_000)) == .nothing)
        #expect(state.received(bodyBytes: 100) == .nothing)
        state.deliverInPart()
        state.beginsAnswer()
        #expect(state.answered() == .lingerAndClose && state.isDroppingAnnouncedBody)
        #expect(state.received(bodyBytes: 199_999_899) == .nothing && state.isDroppingAnnouncedBody)
        #expect(state.received(bodyBytes: 1) == .nothing && !state.isDroppingAnnouncedBody)
    }

    @Test func `A body that goes on too far, badly or not at all fails`() {
        var state = streaming(length: nil)
        #expect(state.received(bodyBytes: 1901) == .failBody(.bodyTooLarge) && state.intake == .drop)
        #expect(state.answered() == .lingerAndClose)
        state = streaming()
        #expect(state.timedOut() == .failBody(.bodyTimedOut) && state.answered() == .lingerAndClose)
        state = streaming(length: nil)
        #expect(state.receivedGarbage() == .failBody(.malformed) && state.closesAfterAnswer)
    }

    @Test func `Who leaves while a body goes on is noticed once`() {
        var state = streaming()
        #expect(state.inputClosed() == .abandon && state.inputClosed() == .nothing)
        #expect(state.becameInactive() == .nothing && state.phase == .closed)
        state = streaming()
        #expect(state.becameInactive() == .abandon)
        state = streaming()
        #expect(state.graceIsOver() == .cut)
    }
}
