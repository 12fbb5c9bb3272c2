import NIOCore
import NIOHTTP1

/// Writes the parts of an answer as the bytes of HTTP/1 (RFC 9112), one behind the other into a buffer: head, frame and text of a chunk leave
/// in one write, where a part a write would be three. How the body ends is decided here, by the head.
struct ResponseEncoder {
    private var isChunked = false

    /// - Parameters:
    ///   - head: decides with its version and its `content-length` how the body is framed.
    ///   - closes: the connection ends with this answer, and says so.
    mutating func write(_ head: HTTPResponseHead, closes: Bool = false, to bytes: inout ByteBuffer) {
        let (headers, status) = (head.headers, head.status)
        let hasBody = status.mayHaveResponseBody
        let mayBeChunked = hasBody && head.version.isAtLeastHTTP11
        var isChunked = false
        bytes.writeHead(expecting: Self.usualHead) { lines in
            var hasLength = false
            switch (head.version, status) {
            case (.http1_1, .ok): lines.append("HTTP/1.1 200 OK\r\n")
            case (let version, _):
                lines.append("HTTP/\(version.major).\(version.minor) \(status.code) ")
                lines.append(status.reasonPhrase)
                lines.append("\r\n")
            }
            for (name, value) in headers {
                switch name.utf8.count {
                case 10 where closes && name.isEqualIgnoringCase(to: "connection"): break
                case 14 where name.isEqualIgnoringCase(to: "content-length"):
                    hasLength = true
                    if hasBody { lines.append(field: name, value) }
                case 17 where name.isEqualIgnoringCase(to: "transfer-encoding"): break
                default: lines.append(field: name, value)
                }
            }
            isChunked = mayBeChunked && !hasLength
            if isChunked { lines.append("transfer-encoding: chunked\r\n") }
            if closes { lines.append("connection: close\r\n") }
            lines.append("\r\n")
        }
        self.isChunked = isChunked
    }

    /// Bytes that most heads fit into. They are not counted before: to look at every field twice takes longer than to write a long head again.
    private static let usualHead = 768

    /// What stands before `length` bytes of the body.
    func writeOpening(of length: Int, to bytes: inout ByteBuffer) {
        // A chunk without bytes would end the body.
        guard isChunked, length > 0 else { return }
        var digit = (Int.bitWidth - length.leadingZeroBitCount - 1) / 4
        while digit >= 0 {
            let value = UInt8(length >> (4 * digit) & 0xF)
            bytes.writeInteger(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
            digit -= 1
        }
        bytes.writeStaticString("\r\n")
    }

    /// What stands behind them.
    func writeClosing(of length: Int, to bytes: inout ByteBuffer) {
        if isChunked, length > 0 { bytes.writeStaticString("\r\n") }
    }

    func writeEnd(to bytes: inout ByteBuffer) {
        if isChunked { bytes.writeStaticString("0\r\n\r\n") }
    }
}
