import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import Proxy
@testable import ProxyRouting

/// An upstream that a test plays: it sees each request and decides what comes back, piece by piece.
final class FakeTransport: HTTPTransport {
    typealias Responder = @Sendable (TransportRequest) async throws -> TransportResponse

    private let responder: Responder
    private let seen = Mutex<[TransportRequest]>([])

    /// Requests go out to it; if not, its socket takes none.
    private let isReached: Bool

    init(isReached: Bool = true, _ responder: @escaping Responder) {
        self.isReached = isReached
        self.responder = responder
    }

    /// Always the same whole answer.
    convenience init(status: Int = 200, headers: HTTPHeaders = ["content-type": "application/json"], body: String) {
        self.init { _ in TransportResponse(status: status, headers: headers, body: .fed([body])) }
    }

    var requests: [TransportRequest] { seen.withLock { $0 } }

    func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws -> TransportResponse {
        seen.withLock { $0.append(request) }
        if isReached { request.observer?.wasWritten(true) }
        guard let deadline else { return try await responder(request) }
        return try await withDeadline(deadline) { try await self.responder(request) }
    }

    /// The event loop on which bodies come in: that of the client's connection, as with real ones.
    @TaskLocal static var loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()

    /// A body that a test feeds.
    final class Feed: Sendable {
        let body: ResponseBody
        private let source: BodyFeeder

        init() { (body, source) = ResponseBody.fed() }

        func send(_ text: String) { send(ByteBuffer(string: text)) }
        func send(_ bytes: ByteBuffer) { source.add(bytes) }
        /// Returns when somebody waits for more.
        func awaited() async {
            while await !source.isAwaited() { await Task.yield() }
        }
        /// Its reader has gone.
        func onCancel(_ work: @escaping @Sendable () -> Void) { source.onCancel(work) }
        func end(throwing error: (any Error)? = nil) { source.end(error) }
    }
}

extension ResponseBody {
    /// A body that is there at once.
    static func fed(_ pieces: [String]) -> ResponseBody { fed(pieces.map { ByteBuffer(string: $0) }) }
    static func fed(bytes pieces: [ArraySlice<UInt8>]) -> ResponseBody { fed(pieces.map { ByteBuffer(bytes: $0) }) }

    private static func fed(_ pieces: [ByteBuffer]) -> ResponseBody {
        let (body, source) = fed()
        for piece in pieces where piece.readableBytes > 0 { source.add(piece) }
        source.end(nil)
        return body
    }

    fileprivate static func fed() -> (ResponseBody, BodyFeeder) {
        let loop = FakeTransport.loop
        let address = try? RequestAddress("http://127.0.0.1:9/v1")
        let request = TransportRequest(method: .GET, url: "http://127.0.0.1:9/v1", headers: [:], body: nil)
        guard let address, let head = try? RequestHead(request, to: address, through: nil, unpacksAnswers: false) else {
            fatalError("no request")
        }
        let exchange = UpstreamExchange(RequestBytes(head, nil), to: head.origin, on: loop)
        return (ResponseBody(of: exchange), BodyFeeder(exchange))
    }
}

/// Brings a body as a connection does: one piece whenever the one before has been taken.
//
// @unchecked: everything that changes is touched on the exchange's event loop alone.
final class BodyFeeder: BodySource, Cancellable, @unchecked Sendable {
    private let exchange: UpstreamExchange
    private var pieces: [ByteBuffer] = []
    private var ending: Result<Void, any Error>?
    private var hasBegun = false
    private var whenCancelled: (@Sendable () -> Void)?

    fileprivate init(_ exchange: UpstreamExchange) { self.exchange = exchange }

    func add(_ piece: ByteBuffer) {
        onLoop {
            self.pieces.append(piece)
            self.readOn()
        }
    }

    func end(_ error: (any Error)?) {
        onLoop {
            self.ending = error.map { .failure($0) } ?? .success(())
            self.readOn()
        }
    }

    func cancel() {
        pieces = []
        whenCancelled?()
    }

    func onCancel(_ work: @escaping @Sendable () -> Void) { onLoop { self.whenCancelled = work } }

    func isAwaited() async -> Bool {
        await withCheckedContinuation { waiter in
            exchange.loop.execute { waiter.resume(returning: self.exchange.isAwaited || self.exchange.isOver) }
        }
    }

    func readOn() {
        if !hasBegun {
            hasBegun = true
            exchange.starts(on: self)
            exchange.received(ResponseHead(status: 200))
        }
        guard exchange.hasRoom, !exchange.isOver else { return }
        if !pieces.isEmpty {
            exchange.received(pieces.removeFirst())
            exchange.handOver()
        } else if case .success? = ending {
            exchange.end()
        } else if case .failure(let error)? = ending {
            exchange.fail(error)
        }
    }

    private func onLoop(_ work: @escaping @Sendable () -> Void) {
        if exchange.loop.inEventLoop { work() } else { exchange.loop.execute(work) }
    }
}
