import NIOCore
import NIOHTTP1

/// Reads the answers of one connection out of its bytes, HTTP/1.1 as RFC 9112 has it. A value without I/O: bytes go in as they come, split
/// anywhere, and parts of an answer come out.
///
/// It is strict where a lax reading could make one answer a part of another's: lengths, codings, sizes of chunks. It takes a line feed for a
/// line's end, and does not look at trailers and chunk extensions: what comes behind an answer's end ends its connection in any case.
struct ResponseDecoder {
    enum Part {
        /// Of a final answer; informational ones are passed over.
        case head(ResponseHead)
        /// A piece of the body, never empty.
        case body(ByteBuffer)
        case end
    }

    private enum Phase {
        /// No answer is awaited.
        case idle
        case statusLine
        case fields
        /// A body of a known length: bytes to come.
        case fixed(Int)
        case chunks
        case trailers
        /// A body that ends with the connection.
        case untilClose
    }

    private var phase = Phase.idle
    private var chunks = ChunkReader(.tolerant)
    private var answersHEAD = false
    private var head = ResponseHead()
    private var fields: [(String, String)] = []
    /// Bytes and fields of all heads since the request, and of the trailers.
    private var headBytes = 0
    private var fieldCount = 0

    /// A request has been sent: what comes now is its answer.
    mutating func begin(answersHEAD: Bool) {
        self.answersHEAD = answersHEAD
        (headBytes, fieldCount) = (0, 0)
        beginHead()
    }

    private mutating func beginHead() {
        (phase, head) = (.statusLine, ResponseHead())
        fields = []
        fields.reserveCapacity(12)
    }

    /// Takes the next part out of `bytes`.
    ///
    /// - Returns: nil when there has to be more for one. What is left in `bytes` then is to stand before what comes next.
    /// - Throws: `malformedAnswer`.
    mutating func next(from bytes: inout ByteBuffer) throws(TransportError) -> Part? {
        while true {
            switch phase {
            case .idle: return nil
            case .statusLine:
                guard let line = try headLine(of: bytes) else { return nil }
                try count(line, asField: false)
                // Some send a line end too many after a body; the next answer begins behind it.
                if line.length > 0 {
                    (head.status, head.isHTTP11) = try bytes.readableBytesUInt8Span.status(line)
                    phase = .fields
                }
                bytes.moveReaderIndex(forwardBy: line.next)
            case .fields:
                guard let line = try headLine(of: bytes) else { return nil }
                if line.length > 0 {
                    try count(line, asField: true)
                    try add(bytes.readableBytesUInt8Span.field(line))
                }
                bytes.moveReaderIndex(forwardBy: line.next)
                if line.length == 0, let part = try endHead() { return part }
            case .fixed(let length):
                return body(from: &bytes, upTo: length) { .fixed($0) }
            case .chunks:
                guard let part = try chunk(from: &bytes) else { return nil }
                if case .body(let piece) = part { return .body(piece) }
                phase = .trailers
            case .trailers:
                guard let line = try headLine(of: bytes) else { return nil }
                if line.length > 0 { try count(line, asField: true) }
                bytes.moveReaderIndex(forwardBy: line.next)
                if line.length == 0 { return end() }
            case .untilClose:
                return body(from: &bytes, upTo: .max) { _ in .untilClose }
            }
        }
    }

    /// The connection has ended, in order.
    ///
    /// - Returns: whether the answer has, too.
    mutating func endsWithInput() -> Bool {
        guard case .untilClose = phase else { return false }
        phase = .idle
        return true
    }

    // MARK: Head

    /// The next line of a head or of trailers.
    ///
    /// - Returns: nil when its end is not there yet.
    private func headLine(of bytes: ByteBuffer) throws(TransportError) -> TolerantLine? {
        let line = bytes.tolerantLine()
        guard line.map({ $0.next - 1 }) ?? bytes.readableBytes <= ResponseLimits.head - headBytes else {
            throw .headTooLarge
        }
        return line
    }

    private mutating func count(_ line: TolerantLine, asField: Bool) throws(TransportError) {
        headBytes += line.length + 2
        fieldCount += asField ? 1 : 0
        guard headBytes <= ResponseLimits.head else { throw .headTooLarge }
        guard fieldCount <= ResponseLimits.fields else {
            throw .malformedAnswer("it has more than \(ResponseLimits.fields) header fields")
        }
    }

    private mutating func add(_ field: (name: String, value: String)) throws(TransportError) {
        guard !field.name.isEmpty else {
            // A value that goes on in the next line (RFC 9112, 5.2).
            guard !fields.isEmpty else { throw .malformedAnswer("a header field has no name") }
            fields[fields.count - 1].1 += " " + field.value
            return
        }
        fields.append(field)
    }

    /// The head is whole.
    ///
    /// - Returns: nil when it was an informational one.
    private mutating func endHead() throws(TransportError) -> Part? {
        if head.status == 101 { throw .malformedAnswer("it switches to another protocol, which was not requested") }
        guard head.status >= 200 else {
            beginHead()
            return nil
        }
        head.headers = HTTPHeaders(fields)
        fields = []
        let framing = try AnswerFraming(fields: head.headers, isHTTP11: head.isHTTP11)
        head.keepsConnection = framing.keepsConnection
        let hasBody = !answersHEAD && head.status != 204 && head.status != 304
        switch framing.length {
        case _ where !hasBody: phase = .fixed(0)
        case .fixed(let length): phase = .fixed(length)
        case .chunked: (phase, chunks) = (.chunks, ChunkReader(.tolerant))
        case .untilClose: phase = .untilClose
        }
        return .head(head)
    }

    // MARK: Body

    private mutating func body(from bytes: inout ByteBuffer, upTo length: Int, _ rest: (Int) -> Phase) -> Part? {
        if length == 0 { return end() }
        guard let piece = bytes.readSlice(length: min(length, bytes.readableBytes)), piece.readableBytes > 0 else {
            return nil
        }
        phase = rest(length - piece.readableBytes)
        return .body(piece)
    }

    private mutating func chunk(from bytes: inout ByteBuffer) throws(TransportError) -> ChunkReader.Part? {
        do throws(ChunkReader.Fault) {
            return try chunks.next(from: &bytes)
        } catch {
            switch error {
            case .sizeDoesNotEnd: throw .malformedAnswer("the size line of a chunk is too long")
            case .noSize: throw .malformedAnswer("the size of a chunk is not a hexadecimal number")
            case .chunkIsLonger: throw .malformedAnswer("a chunk is longer than its size says")
            }
        }
    }

    private mutating func end() -> Part {
        phase = .idle
        return .end
    }
}

/// What stands at the beginning of an answer.
struct ResponseHead: Equatable {
    var status = 0
    var isHTTP11 = true
    var headers = HTTPHeaders()
    /// The connection may carry another exchange after this one.
    var keepsConnection = false
}

/// How the body of an answer is delimited, and what becomes of its connection (RFC 9112, 6.3 and 9.3).
private struct AnswerFraming {
    enum Length {
        case fixed(Int)
        case chunked
        case untilClose
    }
    private(set) var length = Length.untilClose
    private(set) var keepsConnection: Bool

    init(fields: HTTPHeaders, isHTTP11: Bool) throws(TransportError) {
        var announced: Int?
        var coding: String?
        var (saysClose, saysKeepAlive) = (false, false)
        for (name, value) in fields {
            switch name.utf8.count {
            case 14 where name.isEqualIgnoringCase(to: "content-length"):
                let digits = value.utf8
                guard let length = digits.span.decimal(0..<digits.count), announced ?? length == length else {
                    throw .malformedAnswer("its content-length is invalid")
                }
                announced = length
            case 17 where name.isEqualIgnoringCase(to: "transfer-encoding"):
                coding = coding.map { $0 + "," + value } ?? value
            case 10 where name.isEqualIgnoringCase(to: "connection"):
                for token in value.lowercased().split(separator: ",") {
                    switch token.trimmingBlanks() {
                    case "close": saysClose = true
                    case "keep-alive": saysKeepAlive = true
                    default: break
                    }
                }
            default: break
            }
        }
        keepsConnection = !saysClose && (isHTTP11 || saysKeepAlive)
        if let coding {
            guard announced == nil else {
                throw .malformedAnswer("it has both a content-length and a transfer-encoding")
            }
            guard coding.isEqualIgnoringCase(to: "chunked") else {
                throw .malformedAnswer("its transfer-encoding is not 'chunked'")
            }
            length = .chunked
        } else if let announced {
            length = .fixed(announced)
        }
    }
}

// MARK: Lines

extension Span<UInt8> {
    /// `HTTP/1.1 200 OK`; the words at its end may be missing.
    fileprivate func status(_ line: TolerantLine) throws(TransportError) -> (status: Int, isHTTP11: Bool) {
        let text = extracting(0..<line.length)
        guard text.stands("HTTP/1.", at: 0), let minor = text.byte(at: 7), minor == 0x30 || minor == 0x31,
            text.byte(at: 8) == UInt8(ascii: " "), text.count >= 12, let status = text.decimal(9..<12), status >= 100,
            text.count == 12 || text[12] == UInt8(ascii: " "), !text.contains(0)
        else { throw .malformedAnswer("it does not begin with an HTTP/1 status line") }
        return (status, minor == 0x31)
    }

    /// `name: value`; without a name, a line that goes on with the value before it.
    fileprivate func field(_ line: TolerantLine) throws(TransportError) -> (name: String, value: String) {
        let text = extracting(0..<line.length)
        let colon = text.endOfToken(from: 0)
        let isContinuation = colon == 0 && text.byte(at: 0)?.isBlank == true
        let begin = text.endOfBlanks(from: isContinuation ? 0 : colon + 1)
        guard isContinuation || colon > 0 && text.byte(at: colon) == UInt8(ascii: ":") else { throw Self.noField }
        let value = text.trimmingEnd(of: begin..<text.count)
        let content = text.extracting(value)
        guard !content.contains(0), !content.contains(UInt8(ascii: "\r")) else { throw Self.noField }
        return (text.string(0..<colon), text.string(value))
    }

    private static var noField: TransportError { .malformedAnswer("a line of its head is not a header field") }

    private func contains(_ wanted: UInt8) -> Bool {
        for index in indices where self[index] == wanted { return true }
        return false
    }
}
