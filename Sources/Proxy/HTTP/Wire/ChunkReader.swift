import NIOCore

/// Reads a body that comes in chunks (RFC 9112, 7.1), up to its trailers. A value without I/O, for requests and answers alike.
struct ChunkReader {
    /// How exactly the lines between the chunks are read.
    enum Lines {
        /// They end with CR LF, and what an extension says is text. Of requests: whoever stands in front of us may read another form in another
        /// way, and see the request end elsewhere.
        case exact
        /// A line feed alone ends them as well, and extensions are not looked at. Of answers: what comes behind one ends its connection.
        case tolerant
    }

    enum Part {
        /// A piece of the body, never empty; a part of the bytes that were handed in.
        case body(ByteBuffer)
        /// The chunk without bytes has come: trailers follow, and an empty line.
        case trailers
    }

    /// What is wrong with the bytes. Nothing behind them can be read.
    enum Fault: Error {
        case sizeDoesNotEnd
        case noSize
        case chunkIsLonger
    }

    private enum Phase {
        case size
        /// Bytes of the present chunk that are to come.
        case chunk(Int)
        case chunkEnd
    }

    /// Bytes of a chunk's line: its size, and extensions that nobody uses.
    private static let longestLine = 4 << 10

    private let lines: Lines
    private var phase = Phase.size

    init(_ lines: Lines) {
        self.lines = lines
    }

    /// Takes the next part out of `bytes`. Behind `trailers` it is ready for another body.
    ///
    /// - Returns: nil when there has to be more for one. What is left in `bytes` then is to stand before what comes next.
    mutating func next(from bytes: inout ByteBuffer) throws(Fault) -> Part? {
        while true {
            switch phase {
            case .size:
                guard let size = try readSize(from: &bytes) else { return nil }
                if size == 0 { return .trailers }
                phase = .chunk(size)
            case .chunk(0): phase = .chunkEnd
            case .chunk(let length):
                guard let piece = bytes.readSlice(length: min(length, bytes.readableBytes)), piece.readableBytes > 0
                else { return nil }
                phase = .chunk(length - piece.readableBytes)
                return .body(piece)
            case .chunkEnd:
                guard try readChunkEnd(from: &bytes) else { return nil }
                phase = .size
            }
        }
    }

    private func readSize(from bytes: inout ByteBuffer) throws(Fault) -> Int? {
        guard let (size, next) = try size(in: bytes) else { return nil }
        bytes.moveReaderIndex(forwardBy: next)
        return size
    }

    /// - Returns: whether it is there.
    private func readChunkEnd(from bytes: inout ByteBuffer) throws(Fault) -> Bool {
        guard let next = try chunkEnd(in: bytes) else { return false }
        bytes.moveReaderIndex(forwardBy: next)
        return true
    }

    /// The size of a chunk, and where the next line begins.
    private func size(in bytes: ByteBuffer) throws(Fault) -> (Int, next: Int)? {
        let text = bytes.readableBytesUInt8Span
        switch lines {
        case .exact:
            switch text.chunkSize() {
            case .found(let size, let next) where next <= Self.longestLine: return (size, next)
            case .unfinished where text.count <= Self.longestLine: return nil
            case .found, .unfinished: throw .sizeDoesNotEnd
            case .malformed: throw .noSize
            }
        case .tolerant:
            let line = bytes.tolerantLine()
            guard line.map({ $0.next - 1 }) ?? text.count <= Self.longestLine else { throw .sizeDoesNotEnd }
            guard let line else { return nil }
            guard let size = text.extracting(0..<line.length).tolerantChunkSize() else { throw .noSize }
            return (size, line.next)
        }
    }

    /// Where the line behind a chunk's end begins.
    private func chunkEnd(in bytes: ByteBuffer) throws(Fault) -> Int? {
        switch lines {
        case .exact:
            switch bytes.readableBytesUInt8Span.lineEnd(at: 0) {
            case .found(_, let next): return next
            case .unfinished: return nil
            case .malformed: throw .chunkIsLonger
            }
        case .tolerant:
            let line = bytes.tolerantLine()
            guard line.map({ $0.length == 0 }) ?? (bytes.readableBytes <= 2) else { throw .chunkIsLonger }
            return line?.next
        }
    }
}

extension Span<UInt8> {
    /// Hexadecimal digits, at most 15 of them.
    ///
    /// - Returns: nil when there are more.
    @inline(__always)
    fileprivate func hexNumber() -> (number: Int, end: Int)? {
        var (number, place) = (0, 0)
        while let digit = byte(at: place)?.hexDigitValue {
            guard place < 15 else { return nil }
            number = number << 4 | Int(digit)
            place += 1
        }
        return (number, place)
    }

    /// A chunk's size; an extension behind it is passed over.
    fileprivate func chunkSize() -> LineReading<Int> {
        guard let (size, end) = hexNumber() else { return .malformed }
        guard let first = byte(at: end) else { return .unfinished }
        guard end > 0 else { return .malformed }
        return lineEnd(at: first == UInt8(ascii: ";") ? endOfText(from: end) : end).map { _ in size }
    }

    /// The same of a line without its end; nil when it is none.
    fileprivate func tolerantChunkSize() -> Int? {
        guard let (size, end) = hexNumber(), end > 0 else { return nil }
        guard let first = byte(at: end) else { return size }
        return first == UInt8(ascii: ";") || first.isBlank ? size : nil
    }
}
