import NIOCore
import Testing

@testable import Proxy

@Suite("A body in chunks") struct ChunkReaderTests {
    private enum Outcome: Equatable {
        /// The body, and how many bytes stand behind it.
        case whole(String, rest: Int)
        case unfinished
        case broken
    }

    /// What comes of pieces that arrive one after the other.
    private func read(_ pieces: [[UInt8]], _ lines: ChunkReader.Lines) -> Outcome {
        var (reader, bytes, body) = (ChunkReader(lines), ByteBuffer(), [UInt8]())
        for (number, piece) in pieces.enumerated() {
            bytes.writeBytes(piece)
            do throws(ChunkReader.Fault) {
                while let part = try reader.next(from: &bytes) {
                    guard case .body(let chunk) = part else {
                        let rest = bytes.readableBytes + pieces[(number + 1)...].reduce(0) { $0 + $1.count }
                        return .whole(String(decoding: body, as: UTF8.self), rest: rest)
                    }
                    #expect(chunk.readableBytes > 0)
                    body.append(contentsOf: chunk.readableBytesView)
                }
            } catch {
                return .broken
            }
        }
        return .unfinished
    }

    /// The same as a whole, byte by byte, and cut at each place.
    private func read(_ text: String, _ lines: ChunkReader.Lines) -> Outcome {
        let bytes = Array(text.utf8)
        let outcome = read([bytes], lines)
        #expect(read(bytes.map { [$0] }, lines) == outcome, "byte by byte")
        for cut in bytes.indices {
            #expect(read([Array(bytes[..<cut]), Array(bytes[cut...])], lines) == outcome, "\(cut)")
        }
        return outcome
    }

    @Test(arguments: [
        ("4\r\nabcd\r\n0\r\n\r\n", "abcd", 2), ("A\r\n0123456789\r\n1\r\nx\r\n00\r\n", "0123456789x", 0),
        ("2;name=value\r\nab\r\n0;x\r\nrest", "ab", 4), ("0\r\n", "", 0),
        ("00000000000001f\r\n\(String(repeating: "y", count: 31))\r\n0\r\n", String(repeating: "y", count: 31), 0),
    ])
    func `Both kinds of lines are read alike where they are as they should be`(text: String, body: String, rest: Int) {
        for lines in [ChunkReader.Lines.exact, .tolerant] { #expect(read(text, lines) == .whole(body, rest: rest)) }
    }

    @Test(arguments: [
        "g\r\n", "\r\n", " 4\r\nabcd\r\n0\r\n", "-4\r\nabcd\r\n0\r\n", "4x\r\nabcd\r\n0\r\n", "0x4\r\nabcd\r\n0\r\n",
        "4\r\nabcde\r\n0\r\n", "4\r\nabcd0\r\n\r\n", "0000000000000004\r\nabcd\r\n0\r\n", "4\r\nabcd\r\r\n0\r\n",
        "fffffffffffffffff\r\n",
    ])
    func `What is no chunk is none for either`(text: String) {
        for lines in [ChunkReader.Lines.exact, .tolerant] { #expect(read(text, lines) == .broken, "\(lines)") }
    }

    @Test(arguments: [
        "4\nabcd\r\n0\r\n", "4\r\nabcd\n0\r\n", "4\r\nabcd\r\n0\n", "4 \r\nabcd\r\n0\r\n", "4\t;x\r\nabcd\r\n0\r\n",
        "4;\u{1}\r\nabcd\r\n0\r\n", "4;x\ry\r\nabcd\r\n0\r\n", "4;\u{7F}\r\nabcd\r\n0\r\n",
    ])
    func `What two readers could see differently is refused in a request, and passes in an answer`(text: String) {
        #expect(read(text, .exact) == .broken)
        #expect(read(text, .tolerant) == .whole("abcd", rest: 0))
    }

    /// Where a line has as many bytes as it may have.
    @Test(arguments: [(ChunkReader.Lines.exact, 4096), (.tolerant, 4097)])
    func `A line that does not end is given up`(lines: ChunkReader.Lines, most: Int) {
        func line(_ count: Int) -> [UInt8] {
            Array("0;".utf8) + Array(repeating: UInt8(ascii: "x"), count: count - 4) + [0x0D, 0x0A]
        }
        #expect(read([line(most)], lines) == .whole("", rest: 0))
        #expect(read([line(most + 1)], lines) == .broken)
        #expect(read([Array(line(5000).prefix(4096))], lines) == .unfinished)
        #expect(read([Array(line(5000).prefix(4097))], lines) == .broken)
    }

    @Test func `Behind one body the next is read`() throws {
        var (reader, bytes) = (ChunkReader(.exact), ByteBuffer(string: "1\r\na\r\n0\r\n2\r\nbc\r\n0\r\n"))
        var parts: [String] = []
        while let part = try reader.next(from: &bytes) {
            if case .body(let piece) = part { parts.append(String(buffer: piece)) } else { parts.append("end") }
        }
        #expect(parts == ["a", "end", "bc", "end"])
    }
}
