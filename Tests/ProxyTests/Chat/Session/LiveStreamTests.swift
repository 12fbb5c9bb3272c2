import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// One streamed answer, from the head that has come to its end, on the client's event loop and with time moved.
@Suite(.timeLimit(.minutes(5))) struct LiveStreamTests {
    private typealias Events = GenericEvents

    /// An answer on its way.
    private struct Bench {
        let time = ManualTime()
        let client: PlayedClient
        let report = AttemptReport()
        let deadline: MovingDeadline
        private let hasBegun = Flag()
        /// What it ends with, once it has begun; else it throws.
        let course: Pending<LiveStream.Ending>
        /// The upstream's side.
        let call: PlayedUpstream.Call

        /// - Parameter request: the time that the request has.
        init(request: Duration = .seconds(300), limit: Int = 10 << 20, includesUsage: Bool = false) async throws {
            let client = try await PlayedClient()
            let upstream = PlayedUpstream(on: client.loop)
            var limits = ChatCompletionsRoute.Limits.fixture
            (limits.idleTimeout, limits.answer) = (.seconds(40), limit)
            let source = time.source
            let deadline = MovingDeadline(at: request, for: .request, on: source)
            deadline.arm()
            let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: "m").prepared
            let callContext = ChatCall.CallContext(
                limits: limits, time: source, deadline: request, envelope: envelope, includesUsage: includesUsage,
                executor: client.connection.executor)
            let stream = EventStream(
                on: client.connection, headers: ["content-type": "text/event-stream"], keepAliveInterval: .seconds(15),
                keepAlive: { kind, _ in
                    kind == .emptyEvent ? Array("data: {}\n\n".utf8) : KeepAliveSchedule.comment
                })
            stream.open()
            let (report, hasBegun) = (report, hasBegun)
            course = Pending(on: client.connection.executor) {
                let request = TransportRequest(method: .POST, url: "http://127.0.0.1:9/v1", headers: [:], body: nil)
                let response = try await upstream.send(request, until: deadline)
                let reader = ChatReader.translator(.generic)
                let live = LiveStream(
                    response, through: reader.relay(of: "up", in: envelope, includesUsage: includesUsage), of: "up",
                    reader, to: stream, report, deadline, callContext)
                try await live.begin()
                hasBegun.set()
                return await live.finish()
            }
            try await client.run { !upstream.calls.isEmpty }
            (self.client, self.deadline) = (client, deadline)
            call = upstream.calls[0]
            call.respond()
        }

        /// Lets things happen until it has begun, and what follows is waited for.
        func begin() async throws {
            try await client.run { hasBegun.isSet }
            try await client.run { try await call.isAwaited() }
        }

        var isBegun: Bool { hasBegun.isSet }

        func ending() async throws -> String {
            switch try await client.end(of: course) {
            case .complete: "complete"
            case .failed(let error as Failure): "failed \(error.code ?? "")"
            case .failed(let error as MovingDeadline.Exceeded): "failed \(error.cause)"
            case .failed(let error): "failed \(error)"
            }
        }

        /// Time passes, while the watch over deadlines looks at each second.
        func pass(_ seconds: Int) async throws {
            for _ in 0..<seconds {
                try await client.run { time.sleepers > 0 }
                time.advance(by: .seconds(1))
            }
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    // MARK: Begin and finish

    @Test func `It begins with the first event and is complete with the last`() async throws {
        let bench = try await Bench()
        bench.call.send(": hello\n\n")
        await bench.client.linger()
        #expect(!bench.isBegun)
        bench.call.send(Events.text("one"))
        try await bench.begin()
        #expect(bench.report.content.firstEvent == .zero)
        try await bench.client.run(untilToldOf: "one")
        #expect(try await !bench.client.told().hasEnded)
        bench.call.send(Events.text("two") + Events.finish + Events.usage)
        bench.call.send(Events.done)
        #expect(try await bench.ending() == "complete")
        let told = try await bench.client.told()
        #expect(told.status == 200 && told.hasEnded && told.body.hasSuffix("data: [DONE]\n\n"))
        #expect(bench.report.content.usage == TokenUsage(prompt: 3, completion: 4, total: 7))
    }

    @Test func `What stays open behind the end is not waited for, and closed a moment later`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one", finish: "stop") + Events.done)
        #expect(try await bench.ending() == "complete")
        #expect(bench.time.sleepers == 0, "the deadline is looked at no more")
        #expect(!bench.call.isCancelled)
        await bench.client.loop.advanceTime(by: LiveStream.drainLimit)
        #expect(bench.call.isCancelled)
    }

    @Test func `A body that ends behind the finish reasons is complete`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one", finish: "stop"))
        try await bench.begin()
        bench.call.end()
        #expect(try await bench.ending() == "complete")
        #expect(try await bench.client.told().body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `A body that ends before them has failed`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        bench.call.end()
        #expect(try await bench.ending() == "failed upstream_stream_incomplete")
        #expect(try await !bench.client.told().hasEnded, "what the client is told is for the session to say")
    }

    @Test func `A body that breaks off has failed`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        bench.call.fail(TransportError.closed)
        #expect(try await bench.ending() == #"failed answerCut("the upstream closed the connection")"#)
    }

    @Test func `An error in the middle has it fail`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        bench.call.send(Events.text("two") + Events.error("no more"))
        #expect(try await bench.ending().hasPrefix("failed upstream"))
        #expect(try await bench.client.told().body.contains("two"))
    }

    @Test func `What fails before its first event has not begun`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.error("no"))
        await #expect(throws: Failure.self) { try await bench.ending() }
        #expect(!bench.isBegun)
        #expect(try await bench.client.told() == PlayedClient.Told())
    }

    @Test func `A task that is cancelled ends the call`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        bench.course.cancel()
        #expect(try await bench.ending() == "failed CancellationError()")
        #expect(bench.call.isCancelled)
    }

    // MARK: Time

    @Test func `Silence has a limit of its own, which each event moves`() async throws {
        let bench = try await Bench(request: .seconds(50))
        bench.call.send(Events.text("one"))
        try await bench.begin()
        for number in 0..<3 {
            try await bench.pass(39)
            bench.call.send(Events.text("more \(number)"))
            try await bench.client.run(untilToldOf: "more \(number)")
        }
        try await bench.pass(39)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        #expect(try await bench.ending() == "failed idleTimeout")
        #expect(bench.call.isCancelled)
    }

    @Test func `A comment of the upstream breaks its silence as well`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        try await bench.pass(39)
        let before = try await bench.client.told()
        bench.call.send(": wait\n\n")
        try await bench.client.run { try await bench.call.isRead() }
        try await bench.pass(39)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        #expect(try await bench.ending() == "failed idleTimeout")
        #expect(try await bench.client.told() == before, "it is not passed on")
    }

    @Test func `Before its first event it has the time of the request`() async throws {
        let bench = try await Bench(request: .seconds(50))
        try await bench.pass(49)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        await #expect(throws: MovingDeadline.Exceeded(cause: .request)) { try await bench.ending() }
    }

    @Test func `Behind all finish reasons silence is an end`() async throws {
        let bench = try await Bench()
        bench.call.send(Events.text("one", finish: "stop"))
        try await bench.begin()
        try await bench.pass(14)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        #expect(try await bench.ending() == "complete")
        let told = try await bench.client.told()
        #expect(told.hasEnded && told.body.hasSuffix("data: [DONE]\n\n"))
        #expect(bench.call.isCancelled)
    }

    @Test func `A silent client is reassured meanwhile`() async throws {
        let bench = try await Bench()
        await bench.client.loop.advanceTime(by: .seconds(15))
        #expect(try await bench.client.told() == .init(status: 200, body: "", hasEnded: false))
        await bench.client.loop.advanceTime(by: .seconds(15))
        #expect(try await bench.client.told().body == ": keep-alive\n\n")
        bench.call.send(Events.text("one"))
        try await bench.begin()
        let before = try await bench.client.told().body
        await bench.client.loop.advanceTime(by: .seconds(15))
        #expect(try await bench.client.told().body == before + ": keep-alive\n\n")
        bench.call.send(Events.finish + Events.done)
        #expect(try await bench.ending() == "complete")
        let whole = try await bench.client.told()
        await bench.client.loop.advanceTime(by: .hours(1))
        #expect(try await bench.client.told() == whole, "nothing comes behind the end")
    }

    // MARK: A slow client

    /// The socket of a client that takes nothing until it is told to: what was to be written has been written then.
    private final class HeldSocket: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = HTTPServerResponsePart

        private let held = Mutex<[EventLoopPromise<Void>]>([])

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if let promise { held.withLock { $0.append(promise) } }
            context.write(data, promise: nil)
        }

        var isAwaited: Bool { held.withLock { !$0.isEmpty } }

        func release() {
            let written = held.withLock { held in
                defer { held = [] }
                return held
            }
            for promise in written { promise.succeed() }
        }
    }

    /// A stream that has begun, and whose client has stopped reading behind its second event.
    private func slow() async throws -> (bench: Bench, socket: HeldSocket) {
        let bench = try await Bench()
        let socket = HeldSocket()
        try await bench.client.channel.pipeline.addHandler(socket).get()
        bench.call.send(Events.text("one"))
        try await bench.begin()
        bench.client.channel.isWritable = false
        bench.call.send(Events.text("two"))
        try await bench.client.run { socket.isAwaited }
        return (bench, socket)
    }

    @Test func `While the client takes nothing the upstream is not read`() async throws {
        let (bench, socket) = try await slow()
        bench.call.send(Events.text("three"))
        await bench.client.linger()
        #expect(try await !bench.call.isRead())
        #expect(try await !bench.client.told().body.contains("three"))
        try await bench.pass(39)
        bench.client.channel.isWritable = true
        socket.release()
        try await bench.client.run(untilToldOf: "three")
        #expect(try await bench.call.isRead())
        try await bench.pass(39)
        bench.call.send(Events.finish + Events.done)
        #expect(try await bench.ending() == "complete")
    }

    @Test func `The upstream's silence is counted from the moment at which the client takes more`() async throws {
        let (bench, socket) = try await slow()
        try await bench.pass(39)
        bench.client.channel.isWritable = true
        socket.release()
        try await bench.client.run { try await bench.call.isAwaited() }
        try await bench.pass(39)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        #expect(try await bench.ending() == "failed idleTimeout")
    }

    @Test func `A client that takes nothing for too long ends it`() async throws {
        let (bench, _) = try await slow()
        try await bench.pass(39)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        #expect(try await bench.ending() == "failed slowClient")
    }

    // MARK: A document in place of a stream

    @Test func `A document is told as a stream`() async throws {
        let bench = try await Bench(includesUsage: true)
        bench.call.send(": hello\n\n" + Events.document("one"))
        await bench.client.linger()
        #expect(!bench.isBegun, "it may go on")
        bench.call.end()
        #expect(try await bench.ending() == "complete")
        let told = try await bench.client.told()
        #expect(told.status == 200 && told.hasEnded && told.body.hasSuffix("data: [DONE]\n\n"))
        #expect(told.body.contains(#""content":"one""#) && told.body.contains(#""total_tokens":7"#))
        let content = bench.report.content
        #expect(content.oddities.contains(.otherKind) && content.firstEvent == .zero && content.usage?.total == 7)
        #expect(bench.time.sleepers == 0)
    }

    @Test func `An error as a document is that error`() async throws {
        let bench = try await Bench()
        bench.call.send(#"{"code":"400","message":"no such thing"}"#)
        bench.call.end()
        let failure = await #expect(throws: Failure.self) { try await bench.ending() }
        #expect(failure?.message.contains("no such thing") == true)
        #expect(bench.report.content.oddities.contains(.errorAsAnswer))
        #expect(try await bench.client.told() == PlayedClient.Told())
    }

    @Test func `A document that is too long is none`() async throws {
        let bench = try await Bench(limit: 100)
        bench.call.send(Events.document(String(repeating: "x", count: 100)))
        await #expect(throws: TransportError.tooLarge(limit: 100)) { try await bench.ending() }
        #expect(bench.call.isCancelled)
    }

    @Test func `A document has the time of the request`() async throws {
        let bench = try await Bench(request: .seconds(50))
        bench.call.send(#"{"chatResponse":"#)
        try await bench.client.run { try await bench.call.isRead() }
        try await bench.pass(49)
        await bench.client.linger()
        #expect(!bench.course.isOver)
        try await bench.pass(1)
        await #expect(throws: MovingDeadline.Exceeded(cause: .request)) { try await bench.ending() }
    }

    /// While all threads for large work are busy, a small document is told all the same, and a large one waits for them
    /// beside the event loop.
    @Test func `A large document is read beside the event loop`() async throws {
        let gate = ConditionLock(value: false)
        let isBlocked = Flag()
        // More steps than there are threads.
        let others = (0..<64).map { _ in
            Task(executorPreference: LargeWork.shared) {
                isBlocked.set()
                gate.lock(whenValue: true)
                gate.unlock()
            }
        }
        func open() {
            gate.lock()
            gate.unlock(withValue: true)
        }
        do {
            while !isBlocked.isSet {
                try Task.checkCancellation()
                await Task.yield()
            }
            let (small, large) = (try await Bench(), try await Bench())
            large.call.send(Events.document(String(repeating: "x", count: LargeWork.threshold)))
            large.call.end()
            small.call.send(Events.document("one"))
            small.call.end()
            #expect(try await small.ending() == "complete")
            await large.client.linger()
            #expect(!large.course.isOver)
            await large.client.loop.advanceTime(by: .seconds(15))
            #expect(try await large.client.told().status == 200, "its event loop is free to reassure the client")
            open()
            #expect(try await large.ending() == "complete")
            #expect(try await large.client.told().body.utf8.count > LargeWork.threshold)
        } catch {
            open()
            throw error
        }
        for other in others { await other.value }
    }
}
