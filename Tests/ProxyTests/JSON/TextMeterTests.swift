import Testing

@testable import Proxy

@Suite struct TextMeterTests {
    private func characters(_ escaped: String) -> Int {
        let bytes = Array(escaped.utf8)
        return TextMeter.characters(ofEscaped: bytes.span)
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("né", 2), ("日本", 2), ("😀", 1), (#"a\nb"#, 3), (#"\""#, 1), (#"\\u0041"#, 6),
        (#"\u0041"#, 1), (#"\ud83d\ude00"#, 1), (#"\uD83D\uDE00x"#, 2), (#"\ud7ff"#, 1), (#"\udb"#, 3), (#"\"#, 1),
    ])
    func `Unicode scalars are counted, however they are written`(escaped: String, count: Int) {
        #expect(characters(escaped) == count)
    }

    @Test func `All texts count as their decoded ones`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let scalars = (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 1...0x1FFFF, using: &random))
            }
            let text = String(String.UnicodeScalarView(scalars))
            var quoted: [UInt8] = []
            JSONString.append(quoted: text, to: &quoted)
            let inside = Array(quoted.dropFirst().dropLast())
            let count = TextMeter.characters(ofEscaped: inside.span)
            #expect(count == scalars.count)
            let escaped = text.utf16.map { "\\u" + String(0x10000 + Int($0), radix: 16).dropFirst() }.joined()
            #expect(characters(escaped) == scalars.count)
        }
    }

    @Test func `A pair of surrogates in two pieces is one character`() {
        var meter = TextMeter(countsCharacters: true)
        meter.take(Array(#"\ud83d"#.utf8)[...])
        meter.take(Array(#"\ude00"#.utf8)[...])
        #expect(meter.characters == 1)
        #expect(meter.pieces == 2)
    }

    @Test func `Tokens are the pieces, or a quarter of the bytes`() {
        var meter = TextMeter()
        for _ in 0..<3 { meter.take(Array("a".utf8)[...]) }
        meter.take([])
        #expect(meter.tokens == 3)
        meter.take(bytes: 17)
        #expect(meter.tokens == 5)
        #expect(meter.characters == nil)
    }
}
