import NIOCore
import NIOHTTP1
import Synchronization

/// The way to an upstream: one request out, one answer back, its body pulled buffer by buffer.
///
/// It is kept this narrow so that the client behind it can be exchanged; nothing outside this folder knows which one it
/// is. Bodies travel as buffers in both directions and are never gathered here.
protocol HTTPTransport: Sendable {
    /// Sends `request` and returns when the head of the answer is there.
    ///
    /// Cancelling the task ends the call and closes its connection, now or while the body is being read; so does
    /// dropping the response before its body has been read to the end.
    ///
    /// - Parameter deadline: ends the call likewise when it passes. It is armed by its owner, and bounds this call, to the end of the body,
    ///   until something else is bound by it.
    /// - Throws: `TransportError`, `CancellationError`, or `MovingDeadline.Exceeded`.
    nonisolated(nonsending) func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportResponse
}

extension HTTPTransport {
    nonisolated(nonsending) func send(_ request: TransportRequest) async throws -> TransportResponse {
        try await send(request, until: nil)
    }
}

/// A request to an upstream, ready to be sent as it is.
struct TransportRequest: Sendable {
    var method: HTTPMethod
    /// Scheme, authority, path and query; already percent-encoded.
    var url: String
    var headers: HTTPHeaders
    var body: ByteBuffer?
    /// What follows the body, as it comes.
    var rest: RequestUpload?
    /// Of a request that is sent many times, with another body each time.
    var known: KnownHead?
    /// By which the answer can be told from another's, where the service helps; its id is among the headers.
    var echo: RequestEcho?
    /// Is told when all of it has been written.
    var observer: (any RequestObserver)?
}

/// Who wants to know whether a request has gone out: from then on its upstream may work on it.
protocol RequestObserver: AnyObject, Sendable {
    /// The socket has taken all of the request, or (false) that has to be done once more. From any thread.
    func wasWritten(_ isWhole: Bool)
}

/// What a transport has made of the head of requests that differ in their bodies alone. Whoever sends such requests keeps one for them.
final class KnownHead: Sendable {
    private let head = Mutex<RequestHead?>(nil)

    /// The head as it was made the first time.
    func head(_ make: () throws(TransportError) -> RequestHead) throws(TransportError) -> RequestHead {
        if let head = head.withLock({ $0 }) { return head }
        let made = try make()
        head.withLock { $0 = made }
        return made
    }
}

/// The head of an upstream's answer, and the way to its body.
struct TransportResponse: Sendable {
    let status: Int
    let headers: HTTPHeaders
    /// The body as it arrives; can be read once. Its iterator throws what `send` throws.
    var body: ResponseBody
    /// Whether the head says that a stream of events follows.
    let isLabelledAsStream: Bool
    /// Oracle's name of the call.
    let opcRequestID: String?
    /// What Oracle says of a model that will go.
    let retirementInfo: String?
    /// The length of the body, where the head says it.
    private let announced: Int?

    init(status: Int, headers: HTTPHeaders, body: ResponseBody) {
        self.status = status
        self.headers = headers
        self.body = body
        var (type, length, opcRequestID, retirementInfo): (String?, String?, String?, String?)
        // In one pass: each look walks through all of them.
        for (name, value) in headers {
            switch name.utf8.count {
            case 12 where type == nil && name.isEqualIgnoringCase(to: "content-type"): type = value
            case 14 where length == nil && name.isEqualIgnoringCase(to: "content-length"): length = value
            case 14 where opcRequestID == nil && name.isEqualIgnoringCase(to: "opc-request-id"): opcRequestID = value
            case 21 where name.isEqualIgnoringCase(to: "model-retirement-info"): retirementInfo = value
            default: break
            }
        }
        (self.opcRequestID, self.retirementInfo) = (opcRequestID, retirementInfo)
        isLabelledAsStream = type?.hasPrefixIgnoringCase("text/event-stream") == true
        announced = length.flatMap(Int.init)
    }

    /// The whole body.
    ///
    /// - Throws: `TransportError.tooLarge` as soon as more than `limit` bytes are announced or have arrived.
    nonisolated(nonsending) func collect(upTo limit: Int) async throws -> [UInt8] {
        if let announced, announced > limit {
            throw TransportError.tooLarge(limit: limit)
        }
        if let bytes = try await body.collect(upTo: limit) { return bytes }
        var bytes: [UInt8] = []
        for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= limit else { throw TransportError.tooLarge(limit: limit) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }
}
