import NIOCore
import NIOHTTP1
import Synchronization

@testable import Proxy

/// Upstreams that a test plays call by call. A call is an `UpstreamExchange`, as over a connection, so that its
/// deadline and its end reach it wherever it is; the test is the connection.
final class PlayedUpstream: HTTPTransport {
    private let loop: any EventLoop
    private let begun = Mutex<[Call]>([])

    /// - Parameter loop: on which bodies come in: that of the client's connection.
    init(on loop: any EventLoop) { self.loop = loop }

    /// In their order.
    var calls: [Call] { begun.withLock { $0 } }

    nonisolated(nonsending) func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportResponse
    {
        try Task.checkCancellation()
        let loop = loop
        let address = try RequestAddress(request.url)
        let head = try RequestHead(request, to: address, through: nil, unpacksAnswers: false)
        let exchange = UpstreamExchange(RequestBytes(head, request.body), to: head.origin, on: loop)
        let call = Call(request, exchange)
        deadline?.bind(.call { error in loop.execute { exchange.cancel(error) } })
        if let cause = deadline?.passed { throw MovingDeadline.Exceeded(cause: cause) }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { waiter in
                loop.execute {
                    guard exchange.begin(waiter) else { return }
                    exchange.starts(on: call)
                    self.begun.withLock { $0.append(call) }
                }
            }
        } onCancel: {
            loop.execute { exchange.cancel() }
        }
    }

    /// One call, whose request has been sent.
    final class Call: BodySource, Cancellable, Sendable {
        let request: TransportRequest
        private let exchange: UpstreamExchange
        private let cancelled = Atomic(false)

        fileprivate init(_ request: TransportRequest, _ exchange: UpstreamExchange) {
            self.request = request
            self.exchange = exchange
        }

        /// The request's body.
        var body: String { request.body.map { String(buffer: $0) } ?? "" }

        /// Its connection has been closed before its end.
        var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

        /// Sends a head.
        func respond(_ status: Int = 200, _ headers: HTTPHeaders = ["content-type": "text/event-stream"]) {
            onLoop { $0.received(ResponseHead(status: status, headers: headers)) }
        }

        /// Sends a whole answer.
        func answer(_ status: Int, _ body: String) {
            respond(status, ["content-type": "application/json"])
            send(body)
            end()
        }

        /// Sends what one read of the socket brings of the body.
        func send(_ text: String) {
            onLoop {
                $0.received(ByteBuffer(string: text))
                $0.handOver()
            }
        }

        func end() { onLoop { $0.end() } }

        func fail(_ error: any Error) { onLoop { $0.fail(error) } }

        /// Whether the socket is read on: all that has come has been taken.
        func isRead() async throws -> Bool {
            let exchange = exchange
            return try await exchange.loop.submit { exchange.hasRoom }.get()
        }

        /// Whether somebody waits for what comes next of the body, or nobody will any more.
        func isAwaited() async throws -> Bool {
            let exchange = exchange
            return try await exchange.loop.submit { exchange.isAwaited || exchange.isOver }.get()
        }

        func readOn() {}

        func cancel() { cancelled.store(true, ordering: .releasing) }

        private func onLoop(_ work: @escaping @Sendable (UpstreamExchange) -> Void) {
            let exchange = exchange
            exchange.loop.execute { work(exchange) }
        }
    }
}

/// What an upstream says in OCI's GENERIC format.
enum GenericEvents {
    static func text(_ text: String, finish: String? = nil) -> String {
        let reason = finish.map { #","finishReason":"\#($0)""# } ?? ""
        return
            #"data: {"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(text)"}]}\#(reason)}"#
            + "\n\n"
    }

    static let finish = #"data: {"index":0,"finishReason":"stop"}"# + "\n\n"
    static let usage = #"data: {"usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7}}"# + "\n\n"
    static let done = "data: [DONE]\n\n"

    static func error(_ message: String, code: Int = 500) -> String {
        #"data: {"code":"\#(code)","message":"\#(message)"}"# + "\n\n"
    }

    /// A whole answer.
    static func document(_ text: String) -> String {
        #"{"chatResponse":{"apiFormat":"GENERIC","choices":[{"index":0,"message":{"role":"ASSISTANT","content":"#
            + #"[{"type":"TEXT","text":"\#(text)"}]},"finishReason":"stop"}],"#
            + #""usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7}}}"#
    }
}
