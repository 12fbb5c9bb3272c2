import NIOCore
import NIOHTTP1

/// An answer that is known whole before its first byte leaves.
struct Answer: Sendable {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: ByteBuffer

    init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document.
    static func json(_ bytes: [UInt8], status: HTTPResponseStatus = .ok) -> Answer {
        Answer(status: status, headers: ["content-type": "application/json"], body: ByteBuffer(bytes: bytes))
    }

    /// An error in the OpenAI form, with the headers that belong to it.
    init(_ error: APIError) {
        self = .json(error.body, status: HTTPResponseStatus(statusCode: error.status))
        if let seconds = error.retryAfter { headers.add(name: "retry-after", value: String(seconds)) }
        if error.forbidsRetry { headers.add(name: "x-should-retry", value: "false") }
        if error.status == 401 { headers.add(name: "www-authenticate", value: "Bearer") }
    }
}
