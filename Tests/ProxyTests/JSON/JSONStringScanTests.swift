import ProxyTestSupport
import Testing

@testable import Proxy

/// The scan by blocks against one that takes byte by byte.
@Suite struct JSONStringScanTests {
    /// Where the string that begins at `start` ends, by the letter of RFC 8259 and of UTF-8.
    private func plainEnd(_ text: [UInt8], from start: Int) -> (end: Int, isEscaped: Bool)? {
        var index = start
        var isEscaped = false
        while index < text.count, text[index] != 0x22 {
            if text[index] < 0x20 { return nil }
            if text[index] == 0x5C {
                isEscaped = true
                guard index + 1 < text.count else { return nil }
                if text[index + 1] == UInt8(ascii: "u") {
                    guard index + 6 <= text.count,
                        text[index + 2..<index + 6].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }
                        )
                    else { return nil }
                    index += 6
                } else {
                    guard "\"\\/bfnrt".utf8.contains(text[index + 1]) else { return nil }
                    index += 2
                }
            } else {
                index += 1
            }
        }
        guard index < text.count, String(validating: text[start..<index], as: UTF8.self) != nil else { return nil }
        return (index, isEscaped)
    }

    private func expectSame(_ text: [UInt8], from start: Int, _ comment: @autoclosure () -> Comment) {
        let found = JSONStringScan.end(text.span, from: start)
        let wanted = plainEnd(text, from: start)
        #expect(found?.end == wanted?.end, comment())
        #expect(found?.isEscaped == wanted?.isEscaped, comment())
    }

    /// What strings are made of, and what breaks them.
    private static let pieces: [[UInt8]] =
        [
            "a", " ", "the words of a text that has no end", "é", "ß", "語", "한", "ไ", "😀", #"\n"#, #"\""#, #"\\"#,
            #"\/"#, #"\t"#, #"\b"#, #"\f"#, #"\u00e9"#, #"\ud83d"#, #"\uABCD"#, "\u{7F}", "\u{80}", "\u{FFFF}",
        ]
        .map { Array($0.utf8) }
    private static let broken: [[UInt8]] = [
        [0x5C], [0x5C, 0x78], Array(#"\u12g4"#.utf8), Array(#"\u12"#.utf8), [0x0A], [0x00], [0x80], [0xBF],
        [0xC0, 0xAF], [0xC3], [0xE0, 0x80, 0x80], [0xE2, 0x82],
        [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF], [0x22],
        [0xE1, 0x80, 0x22],
    ]

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `Agrees with a plain scan`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<2000 {
            // Two bytes are before the string, as the parser has them at least from the second byte on; all alignments.
            var text: [UInt8] = Array(repeating: 0x20, count: Int.random(in: 0..<70, using: &random)) + [0x22]
            let start = text.count
            let wanted = Int.random(in: 0..<400, using: &random)
            let few = Self.pieces.shuffled(using: &random).prefix(Int.random(in: 1...6, using: &random))
            while text.count - start < wanted {
                let pool = Int.random(in: 0..<4, using: &random) == 0 ? Self.pieces[...] : few
                text += pool.randomElement(using: &random) ?? []
            }
            if Bool.random(using: &random), let piece = Self.broken.randomElement(using: &random) {
                text.insert(contentsOf: piece, at: Int.random(in: start...text.count, using: &random))
            }
            text.append(0x22)
            text += Array(
                repeating: [0x20, 0x22, 0x5C, 0x0A, 0xE9].randomElement(using: &random) ?? 0x20,
                count: Int.random(in: 0..<140, using: &random))
            expectSame(text, from: start, "seed \(seed), round \(round)")
        }
    }

    @Test func `Every piece at every place`() {
        for piece in Self.pieces + Self.broken {
            for place in 0..<140 {
                for after in [0, 1, 70] {
                    let text =
                        [0x5B, 0x22] + Array(repeating: UInt8(ascii: "x"), count: place) + piece
                        + Array(repeating: UInt8(ascii: "y"), count: after) + [0x22]
                    expectSame(text, from: 2, "\(piece) at \(place), \(after) after it")
                }
            }
        }
    }

    @Test func `Rows of backslashes of every length at every place`() {
        for length in 1...70 {
            for place in 0..<70 {
                let text =
                    [0x22] + Array(repeating: UInt8(ascii: "x"), count: place) + Array(repeating: 0x5C, count: length)
                    + Array(#"" and "more"#.utf8)
                expectSame(text + Array(repeating: 0x20, count: 64), from: 1, "\(length) at \(place)")
                expectSame(text, from: 1, "\(length) at \(place), at the end")
            }
        }
    }

    @Test func `Every cut of every character`() {
        for scalar in ["é", "ࠀ", "語", "\u{D7FF}", "\u{E000}", "𐀀", "\u{10FFFF}"] {
            let character = Array(scalar.utf8)
            for kept in 1...character.count {
                for place in 55..<75 {
                    let text =
                        [0x22] + Array(repeating: UInt8(ascii: "x"), count: place) + character.prefix(kept)
                        + Array(repeating: UInt8(ascii: "y"), count: 80) + [0x22]
                    expectSame(text, from: 1, "\(kept) bytes of \(scalar) at \(place)")
                }
            }
        }
    }

    @Test func `A text of another encoding is told by its first wrong byte`() {
        let text = Array("{\"a\": \"".utf8) + [0xE9] + Array("\", oops}".utf8)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: text) }
        #expect(error?.problem == JSONSyntaxError.notUTF8)
        #expect(error?.offset == 7)
    }

    @Test func `Encoding is wrong before grammar is`() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONDocument(parsing: Array("[oops, \"".utf8) + [0xFF] + Array("\"]".utf8))
        }
        #expect(error?.problem == JSONSyntaxError.notUTF8)
        #expect(error?.offset == 8)
    }
}
