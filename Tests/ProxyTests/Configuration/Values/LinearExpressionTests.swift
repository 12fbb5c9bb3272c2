import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct LinearExpressionTests {
    private func occurs(_ pattern: String, in text: String) throws -> Bool {
        var work = 0
        let scalars = Array(text.unicodeScalars)
        let expression = try LinearExpression(pattern)
        let occurs = expression.occurs(in: scalars, work: &work) == true
        #expect(work <= (scalars.count + 1) * 2 * LinearExpression.mostSteps)
        return occurs
    }

    @Test(arguments: [
        ("", "", true), ("", "x", true), ("glm", "zhipu/glm-4", true), ("^glm", "zhipu/glm-4", false),
        ("4$", "glm-4", true), ("4$", "glm-4.6", false),
        ("^zhipu/(glm-4(\\.\\d)?|charglm)$", "zhipu/glm-4.6", true),
        ("^zhipu/(glm-4(\\.\\d)?|charglm)$", "zhipu/glm-4.66", false), ("a.c", "a\nc", false),
        ("(?s)a.c", "a\nc", true),
        ("(?i)GLM", "glm", true), ("(?i:G)lm", "glm", true), ("(?i:G)lm", "gLM", false), ("(?i)[A-C]+z", "xbcZ", true),
        ("(?i)[^a]b", "Ab", false), ("(?-i)A", "a", false), ("[^/]+/[^/]+$", "a/b/c", true),
        ("^[^/]+/[^/]+$", "a/b/c", false), ("[]a]", "]", true), ("[a-]", "-", true), ("[\\d.-]{3}", "4.6", true),
        ("\\bfree\\b", "x:free", true), ("\\bfree\\b", "xfree", false), ("\\Bre", "free", true),
        ("\\x41\\u0042\\u{43}\\x{44}", "ABCD", true), ("a{2}", "aa", true), ("a{2,}", "a", false),
        ("^a{1,2}$", "aaa", false), ("^a{,2}$", "aa", true), ("a{x}", "a{x}", true), ("x{", "x{", true),
        ("(?<n>a)(?P<m>b)(?:c)(?#note)d", "abcd", true), ("a|", "", true), ("(|a)+b", "b", true),
        ("(a*)*b", "aab", true), ("((a?){3}){3}$", "", true), ("\\.\\/\\-\\_", "./-_", true),
        ("^(?!.*free)", "a/b", true), ("^(?!.*free)", "a/b:free", false), ("a(?=b)", "ab", true),
        ("a(?=b)", "ac", false), ("a(?=b).$", "ab", true), ("(?=.*x)(?!.*y)^", "ax", true),
        ("(?=.*x)(?!.*y)^", "axy", false), ("a(?!$)", "a", false), ("(?:(?!ab).)*$", "", true),
        ("^(?:(?!ab).)+$", "cab", false), ("(?i)^(?=A(?-i:B))", "aB", true), ("(?!(?=a))a", "a", false),
        ("é", "é", true), ("^.{2}$", "e\u{301}", true), ("\\w\\s\\W\\S\\D", "é -xx", true), ("\\Aa\\z", "a", true),
        ("a\\Z", "a\n", true), ("a\\z", "a\n", false), ("a*?b+?c??$", "aabb", true),
    ])
    func `Finds what is meant`(pattern: String, text: String, isFound: Bool) throws {
        #expect(try occurs(pattern, in: text) == isFound, "\(pattern) in \(text)")
    }

    @Test(arguments: [
        (#"(a)\1"#, #"\1 is a back reference, which is not supported"#),
        (#"\k<n>"#, #"\k is a back reference, which is not supported"#),
        ("(?P=n)", "(?P= is a back reference, which is not supported"),
        ("(?<=a)b", "(?<= is lookbehind, which is not supported"),
        ("(?<!a)b", "(?<! is lookbehind, which is not supported"),
        ("(?>a)", "(?> is an atomic group, which is not supported"),
        ("a++", "possessive quantifiers (a++) are not supported"),
        (#"\p{L}"#, #"\p is not supported"#),
        ("[a[b]]", #"a class within a class is not supported; write \[ for the bracket itself"#),
        ("[a&&b]", "&& within a class is not supported"),
        ("(?x)a", "(?x) is not supported; the supported options are (?i) and (?s)"), ("(abc", "expected ')'"),
        ("abc)", "unmatched closing ')'"), ("[abc", "expected ']'"),
        ("*a", "quantifier '*' must appear after expression"), ("a**", "a quantifier follows another one in 'a**'"),
        ("a{3,2}", "the bounds of {3,2} are in the wrong order"),
        ("a{1001}", "{1001} repeats more than 1000 times"), ("[z-a]", "the range z-a is in the wrong order"),
        (#"a\"#, "expected escape sequence"), (#"\xZ"#, #"\x is not a character"#),
        ("((a{100}){100}){100}", "it is too large: it has more than 2000 steps after its repetitions are expanded"),
        (
            String(repeating: "(", count: 100) + "a" + String(repeating: ")", count: 100),
            "its groups are nested more than 64 levels deep"
        ),
    ])
    func `Says what it does not take`(pattern: String, reason: String) {
        #expect(#expect(throws: ExpressionError.self) { try LinearExpression(pattern) }?.description == reason)
    }

    /// Nothing without steps is written out again and again.
    @Test func `Empty repetitions cost nothing`() throws {
        let nested = String(repeating: "(", count: 60) + String(repeating: "){1000}", count: 60)
        #expect(try occurs(nested + "x", in: "x"))
    }

    /// The patterns of which engines that go back in the text never return.
    @Test(arguments: [
        "^p/([a-z0-9]+-?)+$", "(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", ".*.*.*.*=.*", "(x+x+)+y",
        "(([a-z])+.)+[A-Z]([a-z])+$", "(a?){50}a{50}",
    ])
    func `The work is the product of both lengths`(pattern: String) throws {
        for text in [
            "p/" + String(repeating: "a", count: 30) + "!", String(repeating: "a", count: 256) + "!",
            String(repeating: "x", count: 256),
        ] {
            var work = 0
            _ = try LinearExpression(pattern).occurs(in: Array(text.unicodeScalars), work: &work)
            #expect(work <= text.unicodeScalars.count * 16 * pattern.utf8.count)
        }
    }

    @Test func `A search that costs too much is given up`() throws {
        var work = 0
        #expect(
            try LinearExpression("(a?){500}b").occurs(
                in: Array(String(repeating: "a", count: 256).unicodeScalars), work: &work, most: 10_000) == nil)
        #expect(work < 20_000)
    }

    /// Random expressions on random texts, with Swift's own engine to compare.
    @Test func `Finds what another engine finds`() throws {
        var random = SplitMix64(seed: 6)
        func pick(_ options: [String]) -> String { options.randomElement(using: &random) ?? "" }
        func atom(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 2 ? 6 : 9), using: &random) {
            case 0, 1, 2: pick(["a", "b", "c", "-", "4"])
            case 3: "."
            case 4: pick(["[ab]", "[^a]", "[a-c4]", "\\d", "\\w", "[\\d-]", "\\D", "[^\\w]"])
            case 5: pick(["\\.", "\\-", "/"])
            case 6 where depth < 2: pick(["(?=", "(?!"]) + alternatives(depth + 1) + ")"
            case 6: "(" + alternatives(depth + 1) + ")"
            case 7: "(?:" + alternatives(depth + 1) + ")"
            default: "(?i:" + alternatives(depth + 1) + ")"
            }
        }
        func sequence(_ depth: Int) -> String {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let node = atom(depth)
                return node
                    + (!node.hasPrefix("(?=") && !node.hasPrefix("(?!") && Int.random(in: 0..<3, using: &random) == 0
                        ? pick(["?", "*", "+", "{2}", "{0,2}", "{1,}", "*?", "+?", "??"]) : "")
            }.joined()
        }
        func alternatives(_ depth: Int) -> String {
            (0..<(Int.random(in: 0..<3, using: &random) == 0 ? 2 : 1)).map { _ in sequence(depth) }.joined(
                separator: "|")
        }
        var found = 0
        for _ in Fuzz.seeds(1000) {
            let pattern = pick(["", "", "^"]) + alternatives(0) + pick(["", "", "$"])
            let reference = try Regex(pattern).matchingSemantics(.unicodeScalar)
            for _ in 0..<4 {
                let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    pick(["a", "b", "c", "A", "B", "-", "4", ".", "/", "x"])
                }.joined()
                let isFound = try occurs(pattern, in: text)
                found += isFound ? 1 : 0
                #expect(isFound == (text.firstMatch(of: reference) != nil), "\(pattern) in \(text)")
            }
        }
        #expect((500..<3500).contains(found), "neither always nor never: \(found)")
    }

    @Test func `Any pattern is read or refused`() {
        var random = SplitMix64(seed: 7)
        let pieces = [
            "a", "(", ")", "[", "]", "{", "}", "*", "+", "?", "\\", "|", "^", "$", ".", "-", ",", "2", "(?", ":", "i",
            "&", "<", ">", "é", "x", "d",
        ]
        for _ in Fuzz.seeds(3000) {
            let pattern = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            guard let expression = try? LinearExpression(pattern) else { continue }
            var work = 0
            #expect(expression.occurs(in: Array("aé{x}2-".unicodeScalars), work: &work) != nil)
        }
    }
}
