/// Cuts a stream of bytes into whole server-sent events as they stand: all their lines and the blank line behind them. Lines
/// end with LF or CRLF, and are given out so where they end with CR; how the bytes were split on their way means nothing.
///
/// `SSEParser` gives only what events say; this keeps how they say it.
struct EventBlocks {
    /// An event, or a lone blank line, in places of `bytes`.
    struct Block: Equatable {
        /// From its first byte to behind its blank line.
        var range: Range<Int>
        /// What its first `data:` line says; nil when there is no such line.
        var data: Range<Int>?
        /// There are more `data:` lines.
        var hasFurtherData = false
        /// There are lines of other fields than `data` and `event`, or comments.
        var hasOtherLines = false
        /// It has a line `event: error`.
        var isError = false
        /// One of its lines that would go on has bytes that a reader may take for something else: a carriage return that ends no line here, but
        /// does for a reader that goes by the standard, or a name of an event that is no plain text.
        var isBroken = false
        /// Its blank line is missing: the stream has ended, or it was left out.
        var isCut = false
    }

    /// What has come and was not given out before the last `feed`. Blocks point into it until the next one.
    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private var lineEnds = LineEnds()
    private var block = Block(range: 0..<0)
    private var lineStart = 0
    /// Up to here there is no line end after `lineStart`: a long line that arrives in many pieces is searched once.
    private var searched = 0
    private var isAtBeginning = true

    /// - Parameter limit: bytes that one event may have.
    init(limit: Int = SSEParser.longestLine) {
        self.limit = limit
    }

    /// Takes the next bytes from the network.
    mutating func feed(_ piece: some Sequence<UInt8>) {
        let start = block.range.lowerBound
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
        } else if start > 0 {
            bytes.removeSubrange(..<start)
        }
        if start > 0 {
            block.range = 0..<0
            block.data = block.data.map { $0.lowerBound - start..<$0.upperBound - start }
            lineStart -= start
            searched -= start
        }
        lineEnds.append(piece, to: &bytes)
    }

    /// The next event that is there whole; nil when more bytes are needed.
    ///
    /// - Throws: `LineTooLong`, of the event.
    mutating func next() throws(SSEParser.LineTooLong) -> Block? {
        while let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes, from: searched) {
            if lineEnds.areUnknown, let first = lineEnds.settle(in: &bytes, from: searched, newline: newline) {
                searched = first
                continue
            }
            searched = newline + 1
            guard searched - block.range.lowerBound <= limit else { throw SSEParser.LineTooLong(limit: limit) }
            let isBlank = take(line: newline)
            if isBlank { return finish(at: searched) }
        }
        if lineEnds.areUnknown, let first = lineEnds.settle(in: &bytes, from: searched, newline: nil) {
            searched = first
            return try next()
        }
        searched = bytes.count
        guard searched - block.range.lowerBound <= limit else { throw SSEParser.LineTooLong(limit: limit) }
        return nil
    }

    /// The bytes have ended: what is left, if anything is.
    mutating func end() -> Block? {
        if lineStart < bytes.count { _ = take(line: bytes.count) }
        guard block.range.lowerBound < bytes.count else { return nil }
        var last = finish(at: bytes.count)
        last.isCut = true
        return last
    }

    /// The lines of a block that have data: each from its first byte to behind its line end, and what it says.
    func dataLines(of block: Block) -> [(line: Range<Int>, data: Range<Int>)] {
        var lines: [(line: Range<Int>, data: Range<Int>)] = []
        var start = block.range.lowerBound
        while start < block.range.upperBound {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes, from: start) ?? bytes.count
            let end = min(newline + 1, block.range.upperBound)
            if let data = value(of: "data:", in: start..<content(upTo: min(newline, end), from: start)) {
                lines.append((start..<end, data))
            }
            start = end
        }
        return lines
    }

    /// The lines of a block that say something of its event, from the first byte to behind the line end of each, and its blank
    /// line: those of `data` and `event`.
    func eventLines(of block: Block) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = block.range.lowerBound
        while start < block.range.upperBound {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes, from: start) ?? bytes.count
            let end = min(newline + 1, block.range.upperBound)
            let line = start..<content(upTo: min(newline, end), from: start)
            if line.isEmpty || value(of: "data:", in: line) != nil || value(of: "event:", in: line) != nil {
                lines.append(start..<end)
            }
            start = end
        }
        return lines
    }

    private mutating func finish(at end: Int) -> Block {
        var whole = block
        whole.range = whole.range.lowerBound..<end
        block = Block(range: end..<end)
        lineStart = end
        searched = end
        return whole
    }

    /// - Returns: whether the line is blank.
    private mutating func take(line newline: Int) -> Bool {
        if isAtBeginning {
            isAtBeginning = false
            if bytes[lineStart..<newline].starts(with: [0xEF, 0xBB, 0xBF]) {
                lineStart += 3
                block.range = lineStart..<lineStart
            }
        }
        let line = lineStart..<content(upTo: newline, from: lineStart)
        lineStart = min(newline + 1, bytes.count)
        if line.isEmpty { return true }
        if let data = value(of: "data:", in: line) {
            if block.data == nil { block.data = data } else { block.hasFurtherData = true }
            if ByteSearch.contains(UInt8(ascii: "\r"), in: bytes, data) { block.isBroken = true }
        } else if let event = value(of: "event:", in: line) {
            if bytes[event].elementsEqual(("error" as StaticString).utf8) { block.isError = true }
            if !bytes[event].allSatisfy({ (0x20...0x7E).contains($0) }) { block.isBroken = true }
        } else {
            block.hasOtherLines = true
        }
        return false
    }

    /// Where a line's content ends: before a carriage return.
    private func content(upTo newline: Int, from start: Int) -> Int {
        newline > start && bytes[newline - 1] == UInt8(ascii: "\r") ? newline - 1 : newline
    }

    /// What a line says behind a field's name and one blank.
    private func value(of field: StaticString, in line: Range<Int>) -> Range<Int>? {
        let length = field.utf8CodeUnitCount
        guard line.count >= length, bytes.span.stands(field, at: line.lowerBound) else { return nil }
        let start = line.lowerBound + length
        return (start < line.upperBound && bytes[start] == UInt8(ascii: " ") ? start + 1 : start)..<line.upperBound
    }
}
