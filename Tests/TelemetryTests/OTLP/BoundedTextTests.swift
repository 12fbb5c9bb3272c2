import Testing

@testable import ProxyTelemetry

@Suite struct BoundedTextTests {
    @Test(
        arguments: [
            ("", 0, ""), ("abc", 3, "abc"), ("abc", 2, "ab"), ("abc", 0, ""), ("aé", 2, "a"), ("aé", 3, "aé"),
            ("😀😀", 7, "😀"), ("😀", 3, ""), ("e\u{301}x", 2, "e"), ("e\u{301}x", 3, "e\u{301}"),
        ]
    )
    func `A text is cut between the codes of characters`(text: String, limit: Int, cut: String) {
        #expect(Array(BoundedText.cut(text, toBytes: limit).utf8) == Array(cut.utf8))
    }

    @Test(
        arguments: [
            ("abc", 3, "abc"), ("abc", 2, "ab"), ("ééé", 3, "ééé"), ("ééé", 2, "éé"), ("ééé", 5, "ééé"), ("😀a", 1, "😀"),
            ("a", 0, ""),
        ]
    )
    func `A limit of OpenTelemetry counts scalars`(text: String, limit: Int, cut: String) {
        #expect(BoundedText.cut(text, toScalars: limit) == cut)
    }

    @Test func `Control characters are shown as question marks`() {
        #expect(BoundedText.printable("a\n\u{1B}[0m\u{85}\u{2028}é", toBytes: 100) == "a??[0m??é")
        #expect(BoundedText.printable("plain", toBytes: 3) == "pla")
    }

    @Test func `Any text cut anywhere is its beginning`() {
        var dice = Dice(51)
        let scalars: [Unicode.Scalar] = ["a", "é", "€", "😀", "\u{301}", "\u{200D}", "\n"]
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...20, using: &dice) { text.append(scalars.randomElement(using: &dice)!) }
            let limit = Int.random(in: 0...40, using: &dice)
            let cut = BoundedText.cut(String(text), toBytes: limit)
            #expect(cut.utf8.count <= limit && text.starts(with: cut.unicodeScalars))
            #expect(cut.utf8.count > limit - 4 || cut.utf8.count == String(text).utf8.count)
        }
    }
}
