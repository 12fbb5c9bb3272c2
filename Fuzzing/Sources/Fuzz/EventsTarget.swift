@testable import Proxy

/// `SSEParser` and `EventBlocks`: the same events however the bytes are cut, no byte lost, none twice, and a bound on what is kept.
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
        expect(said.events.map(\.text) == lines(of: bytes), "\(said)\nand, line by line:\n\(lines(of: bytes))")
        let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        expect(blocks.events.flatMap(\.text) == Array(bytes.dropFirst(isMarked ? 3 : 0)), "bytes of a stream are lost, or there twice")
        // What events say is the same for both, but for a byte order mark, which one of them knows.
        if !isMarked { expect(blocks.events.flatMap(\.dataLines).filter { !$0.isEmpty } == said.events.map(\.text), "\(blocks)\n\(said)") }
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
            text: Array(blocks.bytes[block.range]), data: block.data.map { Array(blocks.bytes[$0]) }, dataLines: lines.map { Array(blocks.bytes[$0.data]) },
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
