@testable import Proxy

/// `SSEParser` and `EventBlocks`: the same events however the bytes are cut and however lines end, no byte lost, none twice, and a bound on what is
/// kept. What is made of the events is `RelayPromises`' matter.
enum EventsTarget {
    private struct Event: Equatable {
        var text: [UInt8]
        var data: [UInt8]?
        var dataLines: [[UInt8]] = []
        var eventLines: [[UInt8]] = []
        var flags: [Bool] = []
    }

    private struct Reading: Equatable {
        var events: [Event] = []
        var isTooLong = false
    }

    static func run(_ bytes: [UInt8]) {
        let cuts = Cuts(bytes)
        var random = cuts.random
        let limit = [40, 200, SSEParser.longestLine].randomElement(using: &random) ?? 40
        let ways = cuts.ways
        let (said, blocks) = (parse(ways[0], limit), cut(ways[0], limit))
        for way in ways.dropFirst() {
            let saidInPieces = parse(way, limit)
            expect(saidInPieces == said, "cut into \(way.map(\.count)):\n\(saidInPieces)\nwhole:\n\(said)")
            let blocksOfPieces = cut(way, limit)
            expect(blocksOfPieces == blocks, "cut into \(way.map(\.count)):\n\(blocksOfPieces)\nwhole:\n\(blocks)")
        }
        guard limit == SSEParser.longestLine else { return }
        RelayPromises.check(bytes, ways)
        let text = lineEndsWritten(in: bytes)
        expect(said.events.map(\.text) == lines(of: text), "\(said)\nand, line by line:\n\(lines(of: text))")
        let isMarked = text.starts(with: [0xEF, 0xBB, 0xBF])
        expect(
            blocks.events.flatMap(\.text) == Array(text.dropFirst(isMarked ? 3 : 0)),
            "bytes of a stream are lost, or there twice")
        // What events say is the same for both, but for a byte order mark, which one of them knows.
        if !isMarked {
            expect(
                blocks.events.flatMap(\.dataLines).filter { !$0.isEmpty } == said.events.map(\.text),
                "\(blocks)\n\(said)")
        }
        guard !bytes.contains(UInt8(ascii: "\r")) else { return }
        for end in ["\r", "\r\n"] {
            let other = bytes.flatMap { $0 == UInt8(ascii: "\n") ? Array(end.utf8) : [$0] }
            expect(parse([other[...]], limit) == said, "other events where lines end with \(end.debugDescription)")
            let otherBlocks = cut([other[...]], limit)
            expect(
                otherBlocks.events.map(\.dataLines) == blocks.events.map(\.dataLines),
                "other events where lines end with \(end.debugDescription)")
        }
    }

    /// With LF in the place of each line end where they are written with CR: the first of them decides. A CR at the very end may have been half a CRLF.
    private static func lineEndsWritten(in bytes: [UInt8]) -> [UInt8] {
        guard let first = bytes.firstIndex(where: { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }),
            bytes[first] == UInt8(ascii: "\r"),
            first + 1 < bytes.count, bytes[first + 1] != UInt8(ascii: "\n")
        else { return bytes }
        var (text, isBehindReturn): ([UInt8], Bool) = ([], false)
        for byte in bytes {
            if byte == UInt8(ascii: "\r") {
                text.append(UInt8(ascii: "\n"))
            } else if byte != UInt8(ascii: "\n") || !isBehindReturn {
                text.append(byte)
            }
            isBehindReturn = byte == UInt8(ascii: "\r")
        }
        return text
    }

    private static func parse(_ pieces: [ArraySlice<UInt8>], _ limit: Int) -> Reading {
        var (parser, reading) = (SSEParser(limit: limit), Reading())
        do {
            for piece in pieces {
                parser.feed(piece)
                while let data = try parser.next() { reading.events.append(Event(text: Array(data))) }
            }
            if let data = parser.end() { reading.events.append(Event(text: Array(data))) }
        } catch {
            reading.isTooLong = true
        }
        return reading
    }

    private static func cut(_ pieces: [ArraySlice<UInt8>], _ limit: Int) -> Reading {
        var (blocks, reading) = (EventBlocks(limit: limit), Reading())
        do {
            for piece in pieces {
                blocks.feed(piece)
                while let block = try blocks.next() { reading.events.append(event(block, blocks)) }
                expect(blocks.bytes.count <= limit + piece.count + 3, "\(blocks.bytes.count) bytes are kept")
            }
            if let block = blocks.end() { reading.events.append(event(block, blocks)) }
        } catch {
            reading.isTooLong = true
        }
        return reading
    }

    private static func event(_ block: EventBlocks.Block, _ blocks: EventBlocks) -> Event {
        let lines = blocks.dataLines(of: block)
        let event = Event(
            text: Array(blocks.bytes[block.range]), data: block.data.map { Array(blocks.bytes[$0]) },
            dataLines: lines.map { Array(blocks.bytes[$0.data]) },
            eventLines: blocks.eventLines(of: block).map { Array(blocks.bytes[$0]) },
            flags: [block.hasFurtherData, block.hasOtherLines, block.isError, block.isBroken, block.isCut])
        expect(event.data == event.dataLines.first && block.hasFurtherData == (event.dataLines.count > 1), "\(event)")
        return event
    }

    /// What `data:` lines say, the plain way.
    private static func lines(of bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.starts(with: "data:".utf8) else { return nil }
            var data = line.dropFirst(5)
            if data.last == UInt8(ascii: "\r") { data.removeLast() }
            if data.first == UInt8(ascii: " ") { data.removeFirst() }
            return data.isEmpty ? nil : Array(data)
        }
    }
}
