/// Cuts a stream of bytes into events, as OCI writes them (OCI wire notes, section 4): every line that begins with `data:`
/// is one whole event. Blank lines, comments and other fields say nothing. Lines end with LF, CRLF or CR; how the bytes were
/// split on their way means nothing.
struct SSEParser {
    /// A line is longer than any event can be.
    struct LineTooLong: Error, Equatable {
        let limit: Int
    }

    /// Bytes that one line may have, unless a test says otherwise. An event of text has some hundreds.
    static let longestLine = 1 << 20

    private let limit: Int
    private var buffer: [UInt8] = []
    private var lineEnds = LineEnds()
    /// Where the first line begins that has not been given out.
    private var lineStart = 0
    /// Up to here there is no line end after `lineStart`: a long line that arrives in many pieces is searched once.
    private var searched = 0

    /// - Parameter limit: bytes that one line may have.
    init(limit: Int = SSEParser.longestLine) {
        self.limit = limit
    }

    /// Takes the next bytes from the network.
    mutating func feed(_ bytes: some Sequence<UInt8>) {
        if lineStart == buffer.count {
            buffer.removeAll(keepingCapacity: true)
        } else if lineStart > 0 {
            buffer.removeSubrange(..<lineStart)
        }
        searched -= lineStart
        lineStart = 0
        lineEnds.append(bytes, to: &buffer)
    }

    /// The data of the next event that is there whole; nil when more bytes are needed.
    ///
    /// - Throws: `LineTooLong`.
    mutating func next() throws(LineTooLong) -> ArraySlice<UInt8>? {
        while let end = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: buffer, from: searched) {
            if lineEnds.areUnknown, let first = lineEnds.settle(in: &buffer, from: searched, newline: end) {
                searched = first
                continue
            }
            let line = buffer[lineStart..<end]
            lineStart = end + 1
            searched = lineStart
            guard line.count <= limit else { throw LineTooLong(limit: limit) }
            if let data = Self.data(of: line) { return data }
        }
        if lineEnds.areUnknown, let first = lineEnds.settle(in: &buffer, from: searched, newline: nil) {
            searched = first
            return try next()
        }
        searched = buffer.count
        // The first line may have ended with a return; the next byte tells.
        let mayHaveEnded = lineEnds.areUnknown && buffer.last == UInt8(ascii: "\r")
        guard buffer.count - lineStart - (mayHaveEnded ? 1 : 0) <= limit else { throw LineTooLong(limit: limit) }
        return nil
    }

    /// The bytes have ended: a last line without a line end counts as well.
    mutating func end() -> ArraySlice<UInt8>? {
        defer {
            lineStart = buffer.count
            searched = buffer.count
        }
        return Self.data(of: buffer[lineStart...])
    }

    private static func data(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var (start, end) = (line.startIndex, line.endIndex)
        guard end - start >= 5, line[start] == UInt8(ascii: "d"), line[start + 1] == UInt8(ascii: "a"),
            line[start + 2] == UInt8(ascii: "t"),
            line[start + 3] == UInt8(ascii: "a"), line[start + 4] == UInt8(ascii: ":")
        else { return nil }
        start += 5
        if end > start, line[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        if end > start, line[start] == UInt8(ascii: " ") { start += 1 }
        return start == end ? nil : line[start..<end]
    }
}
