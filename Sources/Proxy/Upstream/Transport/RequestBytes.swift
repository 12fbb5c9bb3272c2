import NIOCore
import NIOHTTP1

/// A request as the bytes of HTTP/1.1 (RFC 9112), ready for a connection.
struct RequestBytes {
    /// The head, and behind it the body, when that is small: then the request leaves in one write.
    let head: ByteBuffer
    /// A body that was too large to be copied.
    let body: ByteBuffer?
    /// The answer has no body.
    let asksForHead: Bool

    /// Bytes of a body that is not copied behind its head.
    private static let largeBody = 16 * 1024

    /// - Parameters:
    ///   - proxy: to which the request is handed as it is, for it to send on.
    ///   - unpacksAnswers: a compressed answer is welcome.
    /// - Throws: `TransportError.cannotConnect` for a header that could end the head before its time.
    init(_ request: TransportRequest, to address: RequestAddress, through proxy: ProxyRules.Proxy?, unpacksAnswers: Bool) throws(TransportError) {
        let length = request.body?.readableBytes ?? 0
        let isSmall = length <= Self.largeBody
        var bytes = ByteBuffer()
        bytes.reserveCapacity(640 + (isSmall ? length : 0))
        bytes.writeString(request.method.rawValue)
        bytes.writeStaticString(" ")
        if proxy != nil {
            bytes.writeStaticString("http://")
            bytes.writeString(address.origin.authority)
        }
        bytes.writeString(address.target)
        bytes.writeStaticString(" HTTP/1.1\r\n")
        var lines = 2
        var own = OwnFields(isProxied: proxy?.authorization != nil)
        for (name, value) in request.headers where own.passes(name) {
            bytes.write(field: name, value)
            lines += 1
        }
        if !own.hasHost { lines += bytes.write(field: "host", address.authority) }
        // The body is there as a whole, so its length is known, and it is not sent in chunks.
        if !own.hasLength, request.body != nil || [.POST, .PUT, .PATCH].contains(request.method) {
            lines += bytes.write(field: "content-length", String(length))
        }
        if unpacksAnswers, !own.hasEncoding { lines += bytes.write(field: "accept-encoding", "deflate, gzip") }
        if let authorization = proxy?.authorization { lines += bytes.write(field: "proxy-authorization", authorization) }
        bytes.writeStaticString("\r\n")
        guard bytes.readableBytesView.areLines(lines) else {
            throw .cannotConnect("the request header \(String(reflecting: Self.culprit(in: request.headers))) has a line break or a NUL in it")
        }
        if isSmall, let body = request.body { bytes.writeImmutableBuffer(body) }
        head = bytes
        body = isSmall ? nil : request.body
        asksForHead = request.method == .HEAD
    }

    /// The fields that are not simply passed on.
    private struct OwnFields {
        /// The outbound proxy is told who we are.
        let isProxied: Bool
        var hasHost = false
        var hasLength = false
        var hasEncoding = false

        init(isProxied: Bool) { self.isProxied = isProxied }

        mutating func passes(_ name: String) -> Bool {
            switch name.utf8.count {
            case 4 where name.isEqualIgnoringCase(to: "host"): hasHost = true
            case 14 where name.isEqualIgnoringCase(to: "content-length"): hasLength = true
            case 15 where name.isEqualIgnoringCase(to: "accept-encoding"): hasEncoding = true
            case 17 where name.isEqualIgnoringCase(to: "transfer-encoding"): return false
            case 19 where isProxied && name.isEqualIgnoringCase(to: "proxy-authorization"): return false
            default: break
            }
            return true
        }
    }

    private static func culprit(in headers: HTTPHeaders) -> String {
        func isOneLine(_ text: String) -> Bool { text.utf8.allSatisfy { $0 != 0x0A && $0 != 0x0D && $0 != 0 } }
        return headers.first { !isOneLine($0.name) || !isOneLine($0.value) }?.name ?? ""
    }
}

extension ByteBuffer {
    /// - Returns: the number of lines, which is 1.
    @discardableResult
    fileprivate mutating func write(field name: String, _ value: String) -> Int {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
        return 1
    }
}

extension ByteBufferView {
    /// There are as many line ends in it, and nothing else that a reader might take for one.
    fileprivate func areLines(_ count: Int) -> Bool {
        withUnsafeBytes { bytes in
            var (feeds, returns, nulls) = (0, 0, 0)
            for byte in bytes {
                feeds += byte == 0x0A ? 1 : 0
                returns += byte == 0x0D ? 1 : 0
                nulls += byte == 0 ? 1 : 0
            }
            return feeds == count && returns == count && nulls == 0
        }
    }
}
