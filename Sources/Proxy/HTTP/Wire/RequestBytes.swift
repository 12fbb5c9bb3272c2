import NIOCore
import NIOHTTP1

/// A request as the bytes of HTTP/1.1 (RFC 9112), ready for a connection.
struct RequestBytes {
    /// The head, and behind it the body, when that is small: then the request leaves in one write.
    let head: ByteBuffer
    /// A body that was too large to be copied.
    let body: ByteBuffer?
    /// What follows is sent in chunks, and so is the body.
    let isInChunks: Bool
    /// More of the body follows.
    let goesOn: Bool
    /// The answer has no body.
    let asksForHead: Bool
    /// By which its answer can be told from another's.
    let echo: RequestEcho?

    /// Bytes of a body that is not copied behind its head.
    private static let largeBody = 16 * 1024

    init(_ head: RequestHead, _ body: ByteBuffer?, rest: RequestUpload? = nil, echo: RequestEcho? = nil) {
        self.echo = echo
        goesOn = rest != nil
        let isInChunks = rest != nil && rest?.length == nil
        self.isInChunks = isInChunks
        let length = rest?.length ?? body?.readableBytes ?? 0
        let isSmall = rest == nil && length <= Self.largeBody
        var bytes = ByteBuffer()
        bytes.reserveCapacity(head.lines.readableBytes + 48 + (isSmall ? length : 0))
        bytes.writeImmutableBuffer(head.lines)
        bytes.writeHead(expecting: 48) { lines in
            if isInChunks {
                lines.append("transfer-encoding: chunked\r\n")
            } else if head.takesLength, body != nil || head.wantsLength {
                lines.append("content-length: ")
                lines.append(String(length))
                lines.append("\r\n")
            }
            lines.append("\r\n")
        }
        if isSmall, let body { bytes.writeImmutableBuffer(body) }
        self.head = bytes
        self.body = isSmall ? nil : body
        asksForHead = head.asksForHead
    }
}

/// What requests that differ in their bodies alone have in common.
struct RequestHead: Sendable {
    let origin: Origin
    /// The request line and the fields, but for the length of the body and the empty line.
    let lines: ByteBuffer
    let asksForHead: Bool
    /// The caller has said nothing about the body's length.
    let takesLength: Bool
    /// That there is no body has to be said.
    let wantsLength: Bool

    /// - Parameters:
    ///   - proxy: to which the request is handed as it is, for it to send on.
    ///   - unpacksAnswers: a compressed answer is welcome.
    /// - Throws: `TransportError.cannotConnect` for a header that could end the head before its time.
    init(
        _ request: TransportRequest, to address: RequestAddress, through proxy: ProxyRules.Proxy?, unpacksAnswers: Bool
    ) throws(TransportError) {
        var bytes = ByteBuffer()
        var count = 1
        let isProxied = proxy?.authorization != nil
        var own = OwnFields(isProxied: isProxied)
        bytes.writeHead(expecting: Self.usualBytes) { head in
            (count, own) = (1, OwnFields(isProxied: isProxied))
            head.append(request.method.rawValue)
            head.append(" ")
            if proxy != nil {
                head.append("http://")
                head.append(address.authority)
            }
            head.append(address.target)
            head.append(" HTTP/1.1\r\n")
            func add(_ name: String, _ value: String) {
                head.append(field: name, value)
                count += 1
            }
            for (name, value) in request.headers where own.passes(name) { add(name, value) }
            if !own.hasHost { add("host", address.authority) }
            if unpacksAnswers, !own.hasEncoding { add("accept-encoding", "gzip") }
            if let authorization = proxy?.authorization { add("proxy-authorization", authorization) }
        }
        guard bytes.readableBytesUInt8Span.areLines(count) else {
            throw .cannotConnect(
                "the request header \(String(reflecting: Self.culprit(in: request.headers))) has a line break or a NUL in it"
            )
        }
        lines = bytes
        origin = address.origin
        asksForHead = request.method == .HEAD
        takesLength = !own.hasLength
        wantsLength = [.POST, .PUT, .PATCH].contains(request.method)
    }

    /// A call to OCI that is signed takes some 1,100 bytes, and 2,400 with a session's token.
    private static let usualBytes = 4096

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

extension Span<UInt8> {
    /// There are as many line ends in it, and nothing else that a reader might take for one.
    fileprivate func areLines(_ count: Int) -> Bool {
        // Few bytes of a head are that small: eight at a time, they are looked for where there is one.
        let ones: UInt64 = 0x0101_0101_0101_0101
        var (feeds, returns, nulls) = (0, 0, 0)
        var index = 0
        while index < self.count {
            if let word = word(at: index), (word &- ones &* 0x0E) & ~word & (ones &* 0x80) == 0 {
                index += 8
                continue
            }
            for place in index..<Swift.min(index + 8, self.count) {
                let byte = self[place]
                feeds += byte == 0x0A ? 1 : 0
                returns += byte == 0x0D ? 1 : 0
                nulls += byte == 0 ? 1 : 0
            }
            index += 8
        }
        return feeds == count && returns == count && nulls == 0
    }
}
