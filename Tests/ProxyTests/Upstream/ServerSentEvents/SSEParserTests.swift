import Testing

@testable import Proxy

@Suite struct SSEParserTests {
    private func events(_ pieces: String..., limit: Int = 1000) throws -> [String] {
        var parser = SSEParser(limit: limit)
        var events: [String] = []
        for piece in pieces {
            parser.feed(piece.utf8)
            while let event = try parser.next() { events.append(String(decoding: event, as: UTF8.self)) }
        }
        if let event = parser.end() { events.append(String(decoding: event, as: UTF8.self)) }
        return events
    }

    @Test func `Every data line is an event`() throws {
        #expect(
            try events("data: a\n\ndata:b\ndata: c\r\n\r\n: x\nevent: y\nid: 1\n\ndata:  d\n") == ["a", "b", "c", " d"])
    }

    @Test func `Pieces mean nothing`() throws {
        #expect(try events("da", "ta", ": a", "bc", "\n", "\nda", "ta: d\n\n") == ["abc", "d"])
    }

    @Test func `A last line without an end counts`() throws {
        #expect(try events("data: a\n\ndata: b") == ["a", "b"])
        #expect(try events("data: a\n\ndat") == ["a"])
    }

    @Test func `The limit holds however a long line arrives`() throws {
        #expect(throws: SSEParser.LineTooLong(limit: 10)) { try events("data: 0123456789\n", limit: 10) }
        #expect(throws: SSEParser.LineTooLong(limit: 10)) { try events("data: ", "01234", "56789\n", limit: 10) }
        #expect(try events("data: 0123\n", limit: 10) == ["0123"])
    }

    @Test func `A line that never ends is given up`() {
        #expect(throws: SSEParser.LineTooLong(limit: 10)) { try events("data: 0123456789", limit: 10) }
    }

    @Test func `A long line in small pieces is searched once`() throws {
        // Quadratic work would take minutes here.
        var parser = SSEParser()
        parser.feed("data: ".utf8)
        for _ in 0..<250_000 {
            parser.feed("xxxx".utf8)
            #expect(try parser.next() == nil)
        }
        parser.feed("\n".utf8)
        #expect(try parser.next()?.count == 1_000_000)
    }
}
