import NIOCore
import NIOHTTP1

/// Reads the requests of one connection out of its bytes, HTTP/1 as RFC 9112 has it. A value without I/O: bytes go in as they come, split
/// anywhere, and parts of requests come out, one for each call. Whoever wants no more of them does not ask.
///
/// What comes from strangers is read in one way or not at all: wherever another parser might see a request end elsewhere, it is refused. There
/// are no second forms: lines end with CR LF, fields do not go on in the next line, one blank stands where one belongs.
struct RequestDecoder {
    enum Part {
        /// What follows is told by `Framing`.
        case head(HTTPRequestHead, Framing)
        /// A piece of the body, never empty; a part of the bytes that were handed in.
        case body(ByteBuffer)
        case end
    }

    /// The bytes are no request, or more than one head may have; nothing behind them can be read.
    struct Malformed: Error {
        /// When there is a head and only the end of its request is in doubt.
        var head: HTTPRequestHead?
    }

    private enum Phase {
        case requestLine
        case fields
        /// A body of a known length: bytes to come.
        case fixed(Int)
        case chunks
        case trailers
        case failed
    }

    private let limits: ConnectionLimits
    private var phase = Phase.requestLine
    private var chunks = ChunkReader(.exact)
    private var method = HTTPMethod.GET
    private var target = ""
    private var isHTTP11 = true
    private var fields: [(String, String)] = []
    private var framing = Framing()
    /// Bytes of the lines of the head and of the trailers, and how many fields they are.
    private var headBytes = 0
    private var fieldCount = 0

    init(limits: ConnectionLimits) {
        self.limits = limits
    }

    /// Takes the next part out of `bytes`.
    ///
    /// - Returns: nil when there has to be more for one. What is left in `bytes` then is to stand before what comes next.
    mutating func next(from bytes: inout ByteBuffer) throws(Malformed) -> Part? {
        while true {
            switch phase {
            case .requestLine, .fields:
                guard try readLines(of: &bytes) else { return nil }
                return try endHead()
            case .trailers:
                guard try readLines(of: &bytes) else { return nil }
                return end()
            case .fixed(let length):
                return body(from: &bytes, upTo: length)
            case .chunks:
                guard let part = try chunk(from: &bytes) else { return nil }
                if case .body(let piece) = part { return .body(piece) }
                phase = .trailers
            case .failed: throw Malformed()
            }
        }
    }

    private mutating func fail(_ head: HTTPRequestHead? = nil) -> Malformed {
        phase = .failed
        fields = []
        return Malformed(head: head)
    }

    // MARK: Head

    /// Reads lines up to the empty one.
    ///
    /// - Returns: whether that is there.
    private mutating func readLines(of bytes: inout ByteBuffer) throws(Malformed) -> Bool {
        // All lines of a head at once, since they mostly come at once.
        let (used, outcome) = readLines(of: bytes.readableBytesUInt8Span)
        bytes.moveReaderIndex(forwardBy: used)
        switch outcome {
        case .found: return true
        case .unfinished: return false
        case .malformed: throw fail()
        }
    }

    /// - Returns: how many bytes the lines are that have been read, and what came of the last one.
    private mutating func readLines(of text: Span<UInt8>) -> (Int, LineReading<Bool>) {
        var place = 0
        while true {
            let line = readLine(of: text, at: place)
            guard case .found(let isLast, let next) = line else { return (place, line) }
            place = next
            if isLast { return (place, line) }
        }
    }

    private mutating func readLine(of text: Span<UInt8>, at start: Int) -> LineReading<Bool> {
        let isRequestLine = if case .requestLine = phase { true } else { false }
        let line = isRequestLine ? readRequestLine(of: text, at: start) : readField(of: text, at: start)
        switch line {
        case .found(_, let next):
            headBytes += next - start
            return headBytes <= limits.headers && next - start <= limits.headerField && fieldCount <= limits.headerCount
                ? line : .malformed
        case .unfinished:
            let length = text.count - start
            return headBytes + length <= limits.headers && length <= limits.headerField ? line : .malformed
        case .malformed: return line
        }
    }

    private mutating func readRequestLine(of text: Span<UInt8>, at start: Int) -> LineReading<Bool> {
        // Some send a line end too many after a body (RFC 9112, 2.2).
        if text.stands("\r", at: start) { return text.lineEnd(at: start).map { _ in false } }
        let line = text.requestLine(at: start)
        guard case .found(let words, _) = line else { return line.map { _ in false } }
        switch words.method.count {
        case 4 where text.stands("POST", at: start): method = .POST
        case 3 where text.stands("GET", at: start): method = .GET
        default: method = HTTPMethod(rawValue: text.string(words.method))
        }
        guard method == .CONNECT || text.isTarget(words.target) else { return .malformed }
        target = text.string(words.target)
        isHTTP11 = words.isHTTP11
        fields.reserveCapacity(20)
        phase = .fields
        return line.map { _ in false }
    }

    /// Of the head or of the trailers, which are read in the same way and forgotten.
    private mutating func readField(of text: Span<UInt8>, at start: Int) -> LineReading<Bool> {
        if text.stands("\r", at: start) { return text.lineEnd(at: start).map { _ in true } }
        let line = text.field(at: start)
        guard case .found(let field, _) = line else { return line.map { _ in false } }
        fieldCount += 1
        if case .fields = phase {
            framing.note(field.name, field.value, in: text)
            fields.append((text.string(field.name), text.string(text.trimmingEnd(of: field.value))))
        }
        return line.map { _ in false }
    }

    private mutating func endHead() throws(Malformed) -> Part {
        let head = HTTPRequestHead(
            version: isHTTP11 ? .http1_1 : .http1_0, method: method, uri: target, headers: HTTPHeaders(fields))
        framing.end(of: method, isHTTP11: isHTTP11)
        guard !framing.isAmbiguous else { throw fail(head) }
        if let length = framing.length {
            phase = .fixed(length)
        } else {
            (phase, chunks) = (.chunks, ChunkReader(.exact))
        }
        fields = []
        return .head(head, framing)
    }

    // MARK: Body

    private mutating func body(from bytes: inout ByteBuffer, upTo length: Int) -> Part? {
        if length == 0 { return end() }
        guard let piece = bytes.readSlice(length: min(length, bytes.readableBytes)), piece.readableBytes > 0 else {
            return nil
        }
        phase = .fixed(length - piece.readableBytes)
        return .body(piece)
    }

    private mutating func end() -> Part {
        (phase, method, target, framing) = (.requestLine, .GET, "", Framing())
        (headBytes, fieldCount) = (0, 0)
        return .end
    }

    private mutating func chunk(from bytes: inout ByteBuffer) throws(Malformed) -> ChunkReader.Part? {
        do throws(ChunkReader.Fault) {
            return try chunks.next(from: &bytes)
        } catch {
            throw fail()
        }
    }
}
