import NIOCore
import NIOHTTP1

@testable import Proxy
@testable import ProxyRouting

/// `ResponseDecoder`: the same answers however the bytes are cut, and never more of them in hand than a head may have.
enum AnswerTarget {
    private struct Reading: Equatable {
        var heads: [ResponseHead] = []
        var bodies: [[UInt8]] = []
        /// Of the present answer.
        var body: [UInt8] = []
        var failure: TransportError?
        var endsWithInput = false
    }

    static func run(_ bytes: [UInt8]) {
        let cuts = Cuts(bytes)
        var random = cuts.random
        let answersHEAD = Int.random(in: 0..<8, using: &random) == 0
        let ways = cuts.ways
        let whole = read(ways[0], answersHEAD)
        for way in ways.dropFirst() {
            let cut = read(way, answersHEAD)
            expect(cut == whole, "cut into \(way.map(\.count)):\n\(cut)\nwhole:\n\(whole)")
        }
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], _ answersHEAD: Bool) -> Reading {
        var (decoder, reading, bytes) = (ResponseDecoder(), Reading(), ByteBuffer())
        decoder.begin(answersHEAD: answersHEAD)
        for piece in pieces {
            bytes.writeBytes(piece)
            do {
                while let part = try decoder.next(from: &bytes) {
                    switch part {
                    case .head(let head):
                        let size = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
                        // Bytes that are no UTF-8 take three in its place.
                        expect(
                            size <= 3 * ResponseLimits.head && head.headers.count <= ResponseLimits.fields,
                            "a head beyond its limits")
                        expect((200...999).contains(head.status), "status \(head.status)")
                        reading.heads.append(head)
                    case .body(let piece):
                        expect(piece.readableBytes > 0, "an empty piece")
                        reading.body.append(contentsOf: piece.readableBytesView)
                    case .end:
                        reading.bodies.append(reading.body)
                        reading.body = []
                        // The next exchange.
                        decoder.begin(answersHEAD: false)
                    }
                }
            } catch {
                reading.failure = error
                return reading
            }
            expect(bytes.readableBytes <= ResponseLimits.head, "\(bytes.readableBytes) bytes wait for more")
        }
        reading.endsWithInput = decoder.endsWithInput()
        return reading
    }
}
