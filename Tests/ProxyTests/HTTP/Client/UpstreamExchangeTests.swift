import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// One request and its answer between a task and a connection, on an event loop of the test's.
@Suite("The transport: an exchange", .timeLimit(.minutes(5)))
struct UpstreamExchangeTests {
    /// What an exchange sees of its connection.
    private final class Connection: BodySource, Cancellable, Sendable {
        private let readings = Atomic(0)
        private let closed = Atomic(false)

        /// How often it was told that there is room again.
        var reads: Int { readings.load(ordering: .acquiring) }
        var isClosed: Bool { closed.load(ordering: .acquiring) }

        func readOn() { readings.wrappingAdd(1, ordering: .releasing) }
        func cancel() { closed.store(true, ordering: .releasing) }
    }

    /// Takes so many pieces.
    private final class Sink: BodySink, Sendable {
        private let state: Mutex<(room: Int, pieces: [String])>

        init(room: Int = .max) { state = Mutex((room, [])) }

        var pieces: [String] { state.withLock(\.pieces) }

        func take(_ bytes: ByteBuffer) -> Bool {
            state.withLock { state in
                state.pieces.append(String(buffer: bytes))
                return state.pieces.count < state.room
            }
        }
    }

    private let loop = NIOAsyncTestingEventLoop()
    private let connection = Connection()
    private let exchange: UpstreamExchange

    init() throws {
        let address = try RequestAddress("http://127.0.0.1:9/v1")
        let request = TransportRequest(method: .GET, url: "http://127.0.0.1:9/v1", headers: [:], body: nil)
        let head = try RequestHead(request, to: address, through: nil, unpacksAnswers: false)
        exchange = UpstreamExchange(RequestBytes(head, nil), to: head.origin, on: loop)
    }

    @discardableResult
    private func onLoop<Value: Sendable>(_ work: @escaping @Sendable (UpstreamExchange) throws -> Value) async throws
        -> Value
    {
        let exchange = exchange
        return try await loop.executeInContext { try work(exchange) }
    }

    /// Somebody who waits for the head.
    private func headWaiter() async throws -> Pending<TransportResponse> {
        let (call, continuation) = try await Pending<TransportResponse>.parked()
        #expect(try await onLoop { $0.begin(continuation) })
        return call
    }

    /// Somebody who reads the body.
    private func reader() async throws -> Pending<ByteBuffer?> {
        let (call, continuation) = try await Pending<ByteBuffer?>.parked()
        try await onLoop { $0.read(continuation) }
        return call
    }

    /// Somebody who has the body poured into a sink.
    private func pouring(into sink: Sink) async throws -> Pending<Bool> {
        let (call, continuation) = try await Pending<Bool>.parked()
        try await onLoop { $0.pour(into: sink, continuation) }
        return call
    }

    /// The request is sent.
    private func start() async throws {
        let connection = connection
        try await onLoop { $0.starts(on: connection) }
    }

    /// The request is sent, and the head has come.
    private func startBody() async throws {
        try await start()
        try await onLoop { $0.received(ResponseHead(status: 200)) }
    }

    /// One read of the socket brings these.
    private func come(_ pieces: String...) async throws {
        try await onLoop { exchange in
            for piece in pieces { exchange.received(ByteBuffer(string: piece)) }
            exchange.handOver()
        }
    }

    /// What there is to be taken, each piece in turn.
    private func take() async throws -> String {
        try await onLoop { exchange in
            switch try exchange.take() {
            case .bytes(let bytes): String(buffer: bytes)
            case .end: "<end>"
            case .nothingYet: "<nothing>"
            }
        }
    }

    // MARK: A good end

    @Test func `The head goes to who waits for it, and the request is kept up to then`() async throws {
        let call = try await headWaiter()
        try await start()
        #expect(try await onLoop { $0.request != nil })
        #expect(!call.isOver)
        try await onLoop { $0.received(ResponseHead(status: 418, headers: ["a": "b"])) }
        let response = try await call.value()
        #expect(response.status == 418 && response.headers["a"] == ["b"])
        #expect(try await onLoop { $0.request == nil && !$0.isOver })
    }

    @Test func `What one read of the socket brings is handed over as one`() async throws {
        try await startBody()
        let first = try await reader()
        try await onLoop { exchange in
            exchange.received(ByteBuffer(string: "one"))
            exchange.received(ByteBuffer(string: "two"))
            #expect(exchange.isAwaited)
            exchange.handOver()
            #expect(!exchange.isAwaited)
        }
        #expect(try await first.value().map { String(buffer: $0) } == "onetwo")
        #expect(try await take() == "<nothing>")
    }

    @Test func `A read that brings nothing wakes nobody`() async throws {
        try await startBody()
        let first = try await reader()
        try await come("")
        #expect(try await onLoop { $0.isAwaited })
        try await come("one")
        #expect(try await first.value().map { String(buffer: $0) } == "one")
    }

    @Test func `What nobody has taken leaves no room, and taking it has the connection read on`() async throws {
        try await startBody()
        #expect(try await onLoop { $0.hasRoom })
        try await come("one")
        #expect(try await onLoop { !$0.hasRoom })
        #expect(connection.reads == 0)
        #expect(try await take() == "one")
        #expect(try await onLoop { $0.hasRoom })
        #expect(connection.reads == 1)
    }

    @Test func `The end comes after what has come`() async throws {
        try await startBody()
        try await come("one")
        try await onLoop { $0.end() }
        #expect(try await onLoop { $0.isOver })
        #expect(try await take() == "one")
        #expect(try await take() == "<end>")
        #expect(try await take() == "<end>")
        #expect(!connection.isClosed)
    }

    @Test func `Who waits for more hears of the end`() async throws {
        try await startBody()
        let last = try await reader()
        try await onLoop { $0.end() }
        #expect(try await last.value() == nil)
    }

    @Test func `A body has one reader`() async throws {
        try await startBody()
        let (first, second) = (try await reader(), try await reader())
        await #expect(throws: TransportError.connectionLost("its body is being read by another task")) {
            try await second.value()
        }
        let third = try await pouring(into: Sink())
        await #expect(throws: TransportError.self) { try await third.value() }
        try await come("one")
        #expect(try await first.value().map { String(buffer: $0) } == "one")
    }

    // MARK: Sinks

    @Test func `A sink gets what is there and each piece that comes, and its task hears of the end`() async throws {
        try await startBody()
        try await come("one")
        let sink = Sink()
        let call = try await pouring(into: sink)
        #expect(sink.pieces == ["one"] && connection.reads == 1)
        try await come("two")
        try await come("three")
        #expect(sink.pieces == ["one", "two", "three"] && connection.reads == 3 && !call.isOver)
        try await onLoop { $0.end() }
        #expect(try await call.value() == false)
    }

    @Test func `What comes behind the piece with which a sink is full waits`() async throws {
        try await startBody()
        let sink = Sink(room: 1)
        let call = try await pouring(into: sink)
        try await come("one")
        #expect(try await call.value() == true)
        try await come("two")
        #expect(sink.pieces == ["one"])
        #expect(try await onLoop { !$0.hasRoom })
        let next = Sink()
        #expect(try await onLoop { try $0.pour(into: next) } == nil)
        #expect(next.pieces == ["two"])
    }

    @Test func `A sink gets what came before a failure`() async throws {
        try await startBody()
        let sink = Sink(room: 1)
        let call = try await pouring(into: sink)
        try await come("one")
        #expect(try await call.value())
        try await come("two")
        try await onLoop { $0.fail(TransportError.closed) }
        let rest = Sink()
        let last = try await pouring(into: rest)
        await #expect(throws: TransportError.answerCut("the upstream closed the connection")) { try await last.value() }
        #expect(rest.pieces == ["two"])
    }

    // MARK: Failures

    @Test func `A failure before the head is told as it was met`() async throws {
        let call = try await headWaiter()
        try await start()
        try await onLoop { $0.fail(TransportError.closed) }
        await #expect(throws: TransportError.connectionLost("the upstream closed the connection")) {
            try await call.value()
        }
        #expect(try await onLoop { $0.isOver })
    }

    @Test(arguments: [
        (TransportError.closed, TransportError.answerCut("the upstream closed the connection")),
        (.tls("x"), .answerCut("TLS failed: x")),
        (.malformedAnswer("x"), .malformedAnswer("x")),
        (.tooLarge(limit: 7), .tooLarge(limit: 7)),
    ])
    func `A failure behind the head cuts the answer, after what has come`(met: TransportError, told: TransportError)
        async throws
    {
        try await startBody()
        try await come("one")
        try await onLoop { $0.fail(met) }
        #expect(try await take() == "one")
        await #expect(throws: told) { try await take() }
        await #expect(throws: told) { try await take() }
    }

    @Test func `Who waits for more hears of the failure`() async throws {
        try await startBody()
        let next = try await reader()
        try await onLoop { $0.fail(TransportError.closed) }
        await #expect(throws: TransportError.answerCut("the upstream closed the connection")) { try await next.value() }
    }

    @Test func `The first failure counts, and nothing counts behind it`() async throws {
        let call = try await headWaiter()
        try await start()
        try await onLoop { exchange in
            exchange.fail(TransportError.connectionLost("first"))
            exchange.fail(TransportError.connectionLost("second"))
            exchange.cancel()
            exchange.received(ResponseHead(status: 200))
            exchange.received(ByteBuffer(string: "one"))
            exchange.handOver()
            exchange.end()
        }
        await #expect(throws: TransportError.connectionLost("first")) { try await call.value() }
        await #expect(throws: TransportError.connectionLost("first")) { try await take() }
        #expect(!connection.isClosed, "it had let go of the connection")
    }

    @Test func `A request that is sent anew is answered once, over its new connection`() async throws {
        let call = try await headWaiter()
        let (attempt, new) = (Connection(), Connection())
        try await start()
        try await onLoop { exchange in
            exchange.connects(through: attempt)
            exchange.received(ResponseHead(status: 500))
            exchange.starts(on: new)
            exchange.received(ResponseHead(status: 200))
        }
        let response = try await call.value()
        #expect(response.status == 200)
        try await onLoop { $0.cancel() }
        #expect(new.isClosed && !attempt.isClosed && !connection.isClosed)
    }

    // MARK: Cancellation

    @Test func `One that is cancelled before it begins is never begun`() async throws {
        try await onLoop { $0.cancel() }
        let (call, continuation) = try await Pending<TransportResponse>.parked()
        #expect(try await !onLoop { $0.begin(continuation) })
        await #expect(throws: CancellationError.self) { try await call.value() }
    }

    @Test func `One that is cancelled while it connects ends the attempt`() async throws {
        let call = try await headWaiter()
        let connection = connection
        try await onLoop { exchange in
            exchange.connects(through: connection)
            exchange.cancel()
        }
        await #expect(throws: CancellationError.self) { try await call.value() }
        #expect(connection.isClosed)
    }

    @Test func `One whose deadline passes before the head closes its connection and says why`() async throws {
        let call = try await headWaiter()
        try await start()
        try await onLoop { $0.cancel(MovingDeadline.Exceeded(cause: .head)) }
        await #expect(throws: MovingDeadline.Exceeded(cause: .head)) { try await call.value() }
        #expect(connection.isClosed)
    }

    @Test func `One that is cancelled while somebody waits for more closes its connection`() async throws {
        try await startBody()
        let next = try await reader()
        try await onLoop { $0.cancel() }
        await #expect(throws: CancellationError.self) { try await next.value() }
        let another = try await reader()
        await #expect(throws: CancellationError.self) { try await another.value() }
        #expect(connection.isClosed)
    }

    @Test func `One that is cancelled drops what nobody has taken`() async throws {
        try await startBody()
        try await come("one")
        try await onLoop { $0.cancel() }
        await #expect(throws: CancellationError.self) { try await take() }
        #expect(connection.isClosed && connection.reads == 0)
    }

    @Test func `One that is cancelled behind its end leaves its connection alone, and its reader knows`() async throws {
        try await startBody()
        try await come("one")
        try await onLoop { exchange in
            exchange.end()
            exchange.cancel()
        }
        await #expect(throws: CancellationError.self) { try await take() }
        #expect(!connection.isClosed)
    }

    @Test func `One that has been read to its end cannot be cancelled any more`() async throws {
        try await startBody()
        try await onLoop { exchange in
            exchange.end()
            exchange.cancel()
        }
        #expect(try await take() == "<end>")
    }

    @Test(arguments: [false, true])
    func `A task that is cancelled while it reads ends the call`(pours: Bool) async throws {
        let waiting = try await headWaiter()
        try await startBody()
        let body = try await waiting.value().body
        let call = Pending(on: EventLoopExecutor(loop)) {
            var iterator = body.makeAsyncIterator()
            if pours {
                _ = try await iterator.pour(into: Sink())
            } else {
                _ = try await iterator.next(isolation: nil)
            }
        }
        while try await !onLoop({ $0.isAwaited }) {
            await loop.run()
            try Task.checkCancellation()
            await Task.yield()
        }
        call.cancel()
        while !call.isOver {
            await loop.run()
            try Task.checkCancellation()
            await Task.yield()
        }
        await #expect(throws: CancellationError.self) { try await call.value() }
        #expect(connection.isClosed)
    }
}
