import NIOCore
import NIOHTTP1

/// An answer that is known whole before its first byte leaves.
struct Response: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: ByteBuffer

    init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document that no cache keeps.
    static func unstored(_ document: [UInt8], status: HTTPResponseStatus = .ok) -> Response {
        var response = json(document, status: status)
        response.headers.add(name: "cache-control", value: "no-store")
        return response
    }

    /// A JSON document.
    static func json(_ bytes: [UInt8], status: HTTPResponseStatus = .ok) -> Response {
        Response(status: status, headers: ["content-type": "application/json"], body: ByteBuffer(bytes: bytes))
    }
}
