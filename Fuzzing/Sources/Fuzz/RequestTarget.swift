import NIOCore
import NIOHTTP1

@testable import Proxy

/// `RequestDecoder`: the same requests however the bytes are cut, and never more of them in hand than a head may have.
enum RequestTarget {
    struct Reading: Equatable {
        var parts: [String] = []
        /// A body that goes on.
        var body: [UInt8] = []
        var failure: String?
        var isInChunks = false
    }

    static func run(_ bytes: [UInt8]) {
        let cuts = Cuts(bytes)
        var random = cuts.random
        var limits = ConnectionLimits()
        // Mostly small ones, which inputs of some hundred bytes reach.
        if Int.random(in: 0..<4, using: &random) > 0 {
            (limits.headers, limits.headerField, limits.headerCount) = (300, 100, 6)
        }
        let ways = cuts.ways
        let whole = read(ways[0], limits)
        for way in ways.dropFirst() {
            let cut = read(way, limits)
            expect(cut == whole, "cut into \(way.map(\.count)):\n\(cut)\nwhole:\n\(whole)")
        }
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], _ limits: ConnectionLimits) -> Reading {
        var decoder = RequestDecoder(limits: limits)
        var (reading, bytes) = (Reading(), ByteBuffer())
        for piece in pieces {
            bytes.writeBytes(piece)
            do {
                while let part = try decoder.next(from: &bytes) { note(part, limits, in: &reading) }
            } catch {
                reading.failure = error.head.map(describe) ?? "no head"
                expectEnd(of: &decoder, bytes)
                return reading
            }
            // A line; those of chunks have a bound of their own.
            expect(
                bytes.readableBytes <= (reading.isInChunks ? max(limits.headerField, 4 << 10) : limits.headerField),
                "\(bytes.readableBytes) bytes wait for more")
        }
        return reading
    }

    private static func note(_ part: RequestDecoder.Part, _ limits: ConnectionLimits, in reading: inout Reading) {
        switch part {
        case .head(let head, let framing):
            let size =
                bytes(of: head.method.rawValue) + bytes(of: head.uri)
                + head.headers.reduce(0) { $0 + bytes(of: $1.name) + bytes(of: $1.value) }
            expect(size <= limits.headers && head.headers.count <= limits.headerCount, "a head beyond its limits")
            expect(!framing.isAmbiguous && framing.length ?? 0 >= 0, "\(framing)")
            reading.parts.append(describe(head) + "\(framing)")
            reading.isInChunks = framing.length == nil
        case .body(let piece):
            expect(piece.readableBytes > 0, "an empty piece")
            reading.body.append(contentsOf: piece.readableBytesView)
        case .end:
            reading.parts.append("\(reading.body) end")
            (reading.body, reading.isInChunks) = ([], false)
        }
    }

    /// As it came, at least: a byte that is no UTF-8 takes three in a string.
    private static func bytes(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + ($1 == "\u{FFFD}" ? 1 : UTF8.width($1)) }
    }

    private static func describe(_ head: HTTPRequestHead) -> String {
        "\(head.method.rawValue) \(head.uri) \(head.version) \(head.headers.map { "\($0.name): \($0.value)" })"
    }

    /// Nothing is read behind what is malformed.
    private static func expectEnd(of decoder: inout RequestDecoder, _ rest: ByteBuffer) {
        var rest = rest
        rest.writeString("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let part = try? decoder.next(from: &rest)
        expect(part == nil, "a request behind malformed bytes")
    }
}
