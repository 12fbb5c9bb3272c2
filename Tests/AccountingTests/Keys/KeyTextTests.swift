import Testing

@testable import ProxyAccounting

@Suite struct KeyTextTests {
    @Test func `A key has its form and its checksum`() {
        for _ in 0..<200 {
            let key = KeyText.make()
            #expect(key.utf8.count == 42 && key.hasPrefix("oci-"))
            #expect(key.dropFirst(4).allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
            #expect(KeyText.isWellFormed(key))
        }
    }

    @Test func `No key comes twice`() { #expect(Set((0..<2_000).map { _ in KeyText.make() }).count == 2_000) }

    @Test func `The checksum is the CRC-32 of what stands before it`() {
        #expect(KeyText.crc32(of: "123456789".utf8) == 0xCBF4_3926)
        #expect(KeyText.crc32(of: "".utf8) == 0)
        #expect(KeyText.isWellFormed("oci-" + String(repeating: "0", count: 32) + Self.zeros))
    }
    /// Worked out with zlib.
    private static let zeros = "3i2T8K"

    @Test func `One wrong character is noticed, wherever it is`() {
        var dice = Dice(5)
        let key = Array(KeyText.make(using: &dice).utf8)
        for place in key.indices {
            for other in "0Az_-é".utf8 where other != key[place] {
                var wrong = key
                wrong[place] = other
                #expect(!KeyText.isWellFormed(String(decoding: wrong, as: UTF8.self)))
            }
            if place + 1 < key.count, key[place] != key[place + 1] {
                var swapped = key
                swapped.swapAt(place, place + 1)
                #expect(!KeyText.isWellFormed(String(decoding: swapped, as: UTF8.self)))
            }
        }
        let text = String(decoding: key, as: UTF8.self)
        for wrong in ["", "oci-", text + "0", String(text.dropLast()), " " + text, "sk-" + text.dropFirst(4)] {
            #expect(!KeyText.isWellFormed(wrong))
        }
    }

    @Test func `All characters are equally likely at every place`() {
        var dice = Dice(99)
        let keys = (0..<6_200).map { _ in Array(KeyText.make(using: &dice).utf8) }
        for place in [4, 20, 35] {
            var counts: [UInt8: Int] = [:]
            for key in keys { counts[key[place], default: 0] += 1 }
            // 100 of each are expected, with a deviation of 10.
            #expect(counts.count == 62 && counts.values.allSatisfy { $0 > 50 && $0 < 150 })
        }
    }

    @Test func `People know it by its beginning`() {
        let key = KeyText.make()
        #expect(KeyText.prefix(of: key) == String(key.prefix(10)))
        #expect(KeyText.prefix(of: "oci-Ab") == "oci-Ab")
    }

    @Test(arguments: [
        "a", "team-a.ci", "Team_A@prod:1", "x=y;z#1", String(repeating: "k", count: 64), "a..b", "~!$%&()*+<>?^{|}",
    ])
    func `Names that are allowed`(name: String) { #expect(KeyName.problem(with: name) == nil) }

    @Test(
        arguments: [
            ("", "empty"), ("a b", "a space"), ("a,b", "has , in it"), ("a/b", "has / in it"), ("a\\b", "has \\ in it"),
            ("a\"b", "has \" in it"), ("it's", "has ' in it"), ("a`b", "has ` in it"), ("[a]", "has [ in it"),
            ("caf\u{E9}", "U+00E9"), ("a\tb", "U+0009"), ("a\u{7F}", "U+007F"), ("a\u{0}", "U+0000"),
            ("\u{1F511}", "U+1F511"), (".", "dots"), ("...", "dots"), (String(repeating: "k", count: 65), "65 bytes"),
        ])
    func `Names that are not, and why`(name: String, problem: String) {
        let found = KeyName.problem(with: name)
        #expect(found?.contains(problem) == true, "\(found ?? "")")
        #expect(found?.contains("expected 1 to 64 letters") == true)
    }
}
