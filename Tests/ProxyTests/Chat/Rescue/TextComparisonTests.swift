import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct TextComparisonTests {
    private static func sent(_ escaped: String) -> SentText {
        var sent = SentText()
        sent.add(Array(escaped.utf8)[...])
        return sent
    }

    private static func take(_ comparison: inout TextComparison, _ pieces: [String]) -> [TextComparison.Step] {
        pieces.map { comparison.take(Array($0.utf8)[...]) }
    }

    private static func covered(_ rest: String) -> TextComparison.Step { .covered(rest: Array(rest.utf8)) }

    @Test(arguments: [
        ("one two", ["one two three"], [covered(" three")]),
        ("one two", ["one", " two", " three"], [.more, covered(""), covered(" three")]),
        ("one two", ["one", " too"], [.more, .diverged]), (#"\u00e9t\u00e9"#, ["été!"], [covered("!")]),
        ("été", [#"\u00E9t\u00e9"#, "!"], [covered(""), covered("!")]), (#"a\/b\n"#, [#"a/b\u000ac"#], [covered("c")]),
        // A character in two pieces, here, there and across the cut.
        (#"\ud83d\ude00 x"#, [#"\ud83d"#, #"\ude00 x y"#], [.more, covered(" y")]),
        (#"x\ud83d"#, ["x😀y"], [covered(#"\ude00y"#)]), (#"x😀"#, [#"x\ud83d"#, #"\ude00"#], [.more, covered("")]),
        ("x", [#"y"#], [.diverged]),
    ])
    func `A repetition is found by what it says`(sent: String, pieces: [String], steps: [TextComparison.Step]) {
        var comparison = TextComparison(repeating: Self.sent(sent))
        #expect(Self.take(&comparison, pieces) == steps)
    }

    @Test func `An answer that ends too soon is another one`() {
        var comparison = TextComparison(repeating: Self.sent("one two"))
        #expect(Self.take(&comparison, ["one"]) == [.more] && comparison.end() == nil)
        comparison = TextComparison(repeating: Self.sent("one two"))
        #expect(comparison.end() == nil)
    }

    @Test(
        arguments: [
            ("one two", false, [" three"], [covered(" three")]),
            // Blanks that were told and are not part of the prefill come once.
            ("one two ", false, [" three"], [covered("three")]),
            ("one two\\n\\n", false, ["\\n", "\\nx"], [.more, covered("x")]),
            ("one two ", false, ["three"], [.diverged]),
            // Who repeats the prefill first.
            ("one two", true, ["one", " two", " three"], [.more, covered(""), covered(" three")]),
            ("one two ", true, ["one two three"], [covered("three")]),
            ("one two", true, ["one", "more"], [.more, covered("onemore")]),
            ("x\\ud83d", false, ["😀y"], [covered(#"\ude00y"#)]),
        ] as [(String, Bool, [String], [TextComparison.Step])])
    func `A continuation follows what was told`(
        sent: String, echoes: Bool, pieces: [String], steps: [TextComparison.Step]
    ) {
        var comparison = TextComparison(continuing: Self.sent(sent), echoes: echoes)
        guard !comparison.isOver else {
            #expect(sent == "one two")
            return
        }
        #expect(Self.take(&comparison, pieces) == steps)
    }

    /// A short text may be a refrain; a long one is repeated by who begins anew.
    @Test func `A new answer is told from a continuation`() {
        let long = (1...20).map { "word\($0)" }.joined(separator: " ")
        func steps(_ sent: String, _ pieces: [String]) -> [TextComparison.Step] {
            var comparison = TextComparison(continuing: Self.sent(sent), echoes: false)
            return comparison.isOver ? [] : Self.take(&comparison, pieces)
        }
        #expect(steps("ha", ["ha", "ha!"]) == [])
        #expect(steps("ha ", [" ha"]) == [.covered(rest: Array("ha".utf8))])
        #expect(steps(long, [long + " and on"]) == [.covered(rest: Array(" and on".utf8))])
        #expect(steps(long, [String(long.prefix(40)), "#"]) == [.more, .diverged])
        #expect(
            steps(long, ["word1 word2", " is told"]) == [.more, .covered(rest: Array("word1 word2 is told".utf8))])
        var comparison = TextComparison(continuing: Self.sent(long), echoes: false)
        #expect(Self.take(&comparison, [String(long.prefix(40))]) == [.more] && comparison.end() == nil)
        // What looked like a repetition has to follow the blanks.
        comparison = TextComparison(continuing: Self.sent("The cat sat "), echoes: true)
        #expect(Self.take(&comparison, ["The"]) == [.more] && comparison.end() == nil)
    }

    /// What goes on as it began cannot be told from a repetition.
    @Test(arguments: [
        (String(repeating: "-", count: 100), true), (String(repeating: "AB", count: 16), true), ("  \\n", true),
        (String(repeating: "The same again. ", count: 3), true), ("one two three four five", false), ("ha", false),
        ("haha", false), ("a whole line, and a whole line", false), (#"\ud83d"#, true),
    ])
    func `A text that repeats itself is ambiguous`(text: String, isAmbiguous: Bool) {
        #expect(Self.sent(text).isAmbiguous == isAmbiguous)
    }

    @Test func `A continuation may have nothing to say`() {
        var comparison = TextComparison(continuing: Self.sent("one "), echoes: false)
        #expect(comparison.end() == [])
        comparison = TextComparison(continuing: Self.sent("one two"), echoes: true)
        #expect(Self.take(&comparison, ["one"]) == [.more] && comparison.end() == Array("one".utf8))
        #expect(Self.sent("one two \\n").prefill == Array("one two".utf8))
        #expect(Self.sent(#"a\"b\ud83d"#).prefill == Array(#"a\"b"#.utf8))
    }

    @Test(arguments: UInt64(0)..<300) func `However texts are cut and escaped, nothing is lost and nothing doubled`(
        seed: UInt64
    ) {
        var random = SplitMix64(seed: seed)
        let alphabet: [Character] = ["a", "b", " ", "é", "😀", "\n", "\"", "\\", "日", "\u{1F468}"]
        let text = String(
            (0..<Int.random(in: 1...60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        let units = Array(text.utf16)
        func escaped(_ units: ArraySlice<UInt16>) -> [UInt8] {
            guard Bool.random(using: &random) else { return JSONString.escaped(units) }
            return units.flatMap { unit in
                Array(
                    ("\\u" + String(repeating: "0", count: 4 - String(unit, radix: 16).count) + String(unit, radix: 16))
                        .utf8)
            }
        }
        let cut = Int.random(in: 0...units.count, using: &random)
        var sent = SentText()
        sent.add(escaped(units[..<cut])[...])
        var comparison = TextComparison(repeating: sent)
        var told = JSONString.units(sent.escaped[...])
        var place = 0
        while place < units.count {
            let end = Int.random(in: place + 1...units.count, using: &random)
            let piece = escaped(units[place..<end])
            place = end
            if comparison.isOver {
                told += JSONString.units(piece[...])
                continue
            }
            switch comparison.take(piece[...]) {
            case .more: break
            case .diverged: Issue.record("\(text) diverges at \(cut)")
            case .covered(let rest): told += JSONString.units(rest[...])
            }
        }
        #expect(told == units)
    }
}
