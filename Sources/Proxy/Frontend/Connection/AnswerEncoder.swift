import NIOCore
import NIOHTTP1

/// Writes the parts of an answer as the bytes of HTTP/1 (RFC 9112), one behind the other into a buffer: head, frame and text of a chunk leave
/// in one write, where a part a write would be three. How the body ends is decided here, by the head.
struct AnswerEncoder {
    private var isChunked = false

    /// - Parameter head: decides with its version and its `content-length` how the body is framed.
    mutating func write(_ head: HTTPResponseHead, to bytes: inout ByteBuffer) {
        var headers = head.headers
        isChunked = false
        if !head.status.mayHaveResponseBody {
            headers.remove(name: "content-length")
            headers.remove(name: "transfer-encoding")
        } else if headers.contains(name: "content-length") {
            headers.remove(name: "transfer-encoding")
        } else if head.version.isAtLeast1_1 {
            headers.replaceOrAdd(name: "transfer-encoding", value: "chunked")
            isChunked = true
        }
        bytes.writeHead(capacity: 64 + head.status.reasonPhrase.utf8.count + headers.lineBytes) { lines in
            switch (head.version, head.status) {
            case (.http1_1, .ok): lines.append("HTTP/1.1 200 OK\r\n")
            case (let version, let status):
                lines.append("HTTP/\(version.major).\(version.minor) \(status.code) ")
                lines.append(status.reasonPhrase)
                lines.append("\r\n")
            }
            for (name, value) in headers { lines.append(field: name, value) }
            lines.append("\r\n")
        }
    }

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
