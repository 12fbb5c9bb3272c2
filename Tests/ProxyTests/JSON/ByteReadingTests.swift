import Testing

@testable import Proxy

@Suite("Bytes that strangers have sent") struct ByteReadingTests {
    /// In and around a text, and as far away from it as numbers go.
    private func places(around count: Int) -> [Int] { [.min, .min + 7] + Array(-9...count + 9) + [.max - 7, .max] }

    @Test(arguments: 0...20)
    func `A byte is nil where there is none, and a word where there are less than eight`(_ count: Int) {
        let bytes = (0..<count).map { UInt8($0 + 200) }
        for place in places(around: count) {
            let (byte, word) = (bytes.span.byte(at: place), bytes.span.word(at: place))
            #expect(byte == (bytes.indices.contains(place) ? bytes[place] : nil), "at \(place)")
            let isThere = place >= 0 && place <= count - 8
            let expected = isThere ? (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) } : nil
            #expect(word == expected, "at \(place)")
        }
    }

    private static let literals: [StaticString] = [
        "", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghijk",
        "abcdefghijkl", "abcdefghijklm", "abcdefghijklmnop", "abcdefghijklmnopqrst", "abcdefghijklmnopqrstu",
    ]

    @Test(arguments: literals.indices)
    func `A text stands where all of its bytes do`(_ number: Int) {
        let literal = Self.literals[number]
        let text = Array(literal.description.utf8)
        for before in 0..<3 {
            for after in 0..<3 {
                let bytes = Array(repeating: 0x7A, count: before) + text + Array(repeating: 0x7A, count: after)
                for place in places(around: bytes.count) {
                    let isThere =
                        (0...bytes.count).contains(place)
                        && bytes[min(max(place, 0), bytes.count)...].starts(with: text)
                    let found = bytes.span.stands(literal, at: place)
                    #expect(found == isThere, "\(literal) at \(place)")
                }
                for index in text.indices {
                    var other = bytes
                    other[before + index] ^= 0x80
                    let found = other.span.stands(literal, at: before)
                    #expect(!found, "\(literal) with another byte at \(index)")
                }
            }
        }
    }

    @Test func `A text is in a range that is as long`() {
        let bytes = Array("model".utf8)
        let found = (0...5).map { bytes.span.isText(0..<$0, "model") }
        #expect(found == [false, false, false, false, false, true])
        let isThere = bytes.span.isText(2..<5, "del")
        #expect(isThere)
    }

    @Test func `A literal's bytes are those of its text`() {
        for literal in Self.literals {
            #expect(literal.utf8.elementsEqual(literal.description.utf8))
            var bytes: [UInt8] = [1]
            bytes.append(literal: literal)
            let first: [UInt8] = [7, 1, 8]
            bytes.append(contentsOf: first.span.extracting(1..<2))
            #expect(bytes == [1] + Array(literal.description.utf8) + [1])
        }
    }
}
