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
        case chunkSize
        /// Bytes of the present chunk that are to come.
        case chunk(Int)
        case chunkEnd
        case trailers
        /// A body that ends with the connection.
        case untilClose
    }

    /// Bytes of a chunk's line: its size, and extensions that nobody uses.
    private static let chunkLine = 4 << 10

    private var phase = Phase.idle
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
                guard let line = try bytes.readLine(upTo: ResponseLimits.head - headBytes, otherwise: .headTooLarge)
                else { return nil }
                try count(line, asField: false)
                // Some send a line end too many after a body; the next answer begins behind it.
                if line.length == 0 { continue }
                (head.status, head.isHTTP11) = try bytes.status(line)
                phase = .fields
            case .fields:
                guard let line = try bytes.readLine(upTo: ResponseLimits.head - headBytes, otherwise: .headTooLarge)
                else { return nil }
                guard line.length == 0 else {
                    try count(line, asField: true)
                    try add(bytes.field(line))
                    continue
                }
                if let part = try endHead() { return part }
            case .fixed(let length):
                return body(from: &bytes, upTo: length) { .fixed($0) }
            case .chunkSize:
                guard
                    let line = try bytes.readLine(
                        upTo: Self.chunkLine, otherwise: .malformedAnswer("the size line of a chunk is too long"))
                else { return nil }
                let size = try bytes.chunkSize(line)
                phase = size == 0 ? .trailers : .chunk(size)
            case .chunk(0): phase = .chunkEnd
            case .chunk(let length):
                return body(from: &bytes, upTo: length) { .chunk($0) }
            case .chunkEnd:
                guard
                    let line = try bytes.readLine(
                        upTo: 2, otherwise: .malformedAnswer("a chunk is longer than its size says"))
                else { return nil }
                guard line.length == 0 else { throw .malformedAnswer("a chunk is longer than its size says") }
                phase = .chunkSize
            case .trailers:
                guard let line = try bytes.readLine(upTo: ResponseLimits.head - headBytes, otherwise: .headTooLarge)
                else { return nil }
                if line.length == 0 { return end() }
                try count(line, asField: true)
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

    private mutating func count(_ line: Line, asField: Bool) throws(TransportError) {
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
        case .chunked: phase = .chunkSize
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
                guard let length = Int(digits: value), announced ?? length == length else {
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

/// A line that has been read: where it stands in its buffer, without its end.
private struct Line {
    let start: Int
    let length: Int
}

extension ByteBuffer {
    /// - Returns: nil when its end is not there yet.
    fileprivate mutating func readLine(upTo limit: Int, otherwise error: TransportError) throws(TransportError) -> Line?
    {
        let (start, found) = (readerIndex, readableBytesView.firstIndex(of: UInt8(ascii: "\n")))
        guard let end = found else {
            guard readableBytes <= limit else { throw error }
            return nil
        }
        guard end - start <= limit else { throw error }
        let hasReturn = end > start && getInteger(at: end - 1, as: UInt8.self) == UInt8(ascii: "\r")
        moveReaderIndex(to: end + 1)
        return Line(start: start, length: end - start - (hasReturn ? 1 : 0))
    }

    private func withBytes<Result>(of line: Line, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withVeryUnsafeBytes { all in body(UnsafeRawBufferPointer(rebasing: all[line.start..<line.start + line.length]))
        }
    }

    /// `HTTP/1.1 200 OK`; the words at its end may be missing.
    fileprivate func status(_ line: Line) throws(TransportError) -> (status: Int, isHTTP11: Bool) {
        let found: (Int, Bool)? = withBytes(of: line) { text in
            guard text.count >= 12, text.starts(with: "HTTP/1.".utf8), text[8] == UInt8(ascii: " "),
                text[7] == 0x30 || text[7] == 0x31,
                text.count == 12 || text[12] == UInt8(ascii: " "), !text.contains(0)
            else { return nil }
            var status = 0
            for digit in text[9..<12] {
                guard (0x30...0x39).contains(digit) else { return nil }
                status = status * 10 + Int(digit - 0x30)
            }
            return status >= 100 ? (status, text[7] == 0x31) : nil
        }
        guard let found else { throw .malformedAnswer("it does not begin with an HTTP/1 status line") }
        return found
    }

    /// `name: value`; without a name, a line that goes on with the value before it.
    fileprivate func field(_ line: Line) throws(TransportError) -> (name: String, value: String) {
        let found: (String, String)? = withBytes(of: line) { text in
            var colon = 0
            while colon < text.count, text[colon].isTokenCharacter { colon += 1 }
            let isContinuation = colon == 0 && text.first?.isBlank == true
            guard isContinuation || colon > 0 && colon < text.count && text[colon] == UInt8(ascii: ":") else {
                return nil
            }
            var (start, end) = (isContinuation ? 1 : colon + 1, text.count)
            while start < end, text[start].isBlank { start += 1 }
            while end > start, text[end - 1].isBlank { end -= 1 }
            for index in start..<end where text[index] == 0 || text[index] == UInt8(ascii: "\r") { return nil }
            return (text.string(0..<colon), text.string(start..<end))
        }
        guard let found else { throw .malformedAnswer("a line of its head is not a header field") }
        return found
    }

    /// Hexadecimal digits; an extension behind them is passed over.
    fileprivate func chunkSize(_ line: Line) throws(TransportError) -> Int {
        let found: Int? = withBytes(of: line) { text in
            var (size, digits) = (0, 0)
            for byte in text {
                guard let digit = byte.hexDigitValue else {
                    guard byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") else {
                        return nil
                    }
                    break
                }
                guard digits < 15 else { return nil }
                (size, digits) = (size << 4 | Int(digit), digits + 1)
            }
            return digits > 0 ? size : nil
        }
        guard let found else { throw .malformedAnswer("the size of a chunk is not a hexadecimal number") }
        return found
    }
}

extension Int {
    /// Decimal digits and nothing else, which `Int.init` does not insist on.
    fileprivate init?(digits text: String) {
        guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
