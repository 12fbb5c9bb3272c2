import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct INIDocumentTests {
    static func document(_ text: String) -> INIDocument { INIDocument(Array(text.utf8)) }

    @Test(arguments: [
        ("k = v", "v"),
        ("k=v", "v"),
        ("  k\t=\tv  ", "v"),
        ("k = v # comment", "v"),
        ("k = v ; comment", "v"),
        ("k = v\t# comment", "v"),
        ("k = v#no;comment", "v#no;comment"),
        ("k = a # b # c", "a"),
        ("k = # comment", ""),
        ("k =#value", "#value"),
        ("k =", ""),
        ("k = a = b", "a = b"),
        (#"k = "v # w""#, "v # w"),
        (#"k = 'v ; w' ; comment"#, "v ; w"),
        (#"k = "it's""#, "it's"),
        (#"k = '"'"#, "\""),
        (#"k = """#, ""),
        (#"k = " v ""#, " v "),
        (#"k = a "b" c"#, #"a "b" c"#),
        ("k = Zürich", "Zürich"),
    ])
    func `Reads the value`(line: String, value: String) {
        for end in ["", "\n", "\r\n"] {
            for begin in ["", "\u{FEFF}"] {
                let document = Self.document(begin + line + end)
                #expect(document.problems.isEmpty)
                #expect(document.sections[0].entries.map(\.value) == [value])
                #expect(document.sections[0].entries.map(\.key) == ["k"])
            }
        }
    }

    @Test(arguments: [
        ("[GLOBAL", "no closing bracket"),
        ("[]", "has no name"),
        ("[ ]", "has no name"),
        ("[GLOBAL] x", "follows the section's closing bracket"),
        ("just words", "neither a section"),
        ("key: value", "neither a section"),
        ("= value", "no key before"),
        ("k = \"open", "no closing quote"),
        ("k = 'open\"", "no closing quote"),
        ("k = \"a\" b", "follows the closing quote"),
        ("k = a\u{0}b", "control character 0x0"),
        ("k = a\u{1B}[2J", "control character 0x1B"),
        ("k = a\u{7F}", "control character 0x7F"),
        ("-----BEGIN PRIVATE KEY-----", "neither a section"),
    ])
    func `Reports the line that it cannot read`(line: String, part: String) throws {
        let document = Self.document("a = 1\r\n\n# comment\n\(line)\nb = 2\n")
        let problem = try #require(document.problems.first)
        #expect(document.problems.count == 1)
        #expect(problem.line == 4)
        #expect(problem.message.contains(part))
        #expect(!problem.fix.isEmpty)
        #expect(document.sections[0].entries.map(\.key) == ["a", "b"])
    }

    @Test func `Reports invalid UTF-8 with its line`() {
        let document = INIDocument(Array("a = 1\nb = ".utf8) + [0xFF, 0x0A] + Array("c = 3".utf8))
        #expect(document.problems.map(\.line) == [2])
        #expect(document.problems.first?.message.contains("UTF-8") == true)
        #expect(document.sections[0].entries.map(\.line) == [1, 3])
    }

    @Test(arguments: [[0xFF, 0xFE, 0x61, 0x00], [0xFE, 0xFF, 0x00, 0x61]] as [[UInt8]])
    func `Names UTF 16`(bytes: [UInt8]) {
        #expect(INIDocument(bytes).problems.map(\.message) == ["the file is UTF-16"])
    }

    @Test func `Names ignore case and default is the root`() {
        let document = Self.document("A = 1\n[Default] ; comment\nB = 2\n[gLoBaL]\nC = 3\n")
        #expect(document.sections.map(\.name) == ["", "", "global"])
        #expect(document.sections.flatMap(\.entries).map(\.name) == ["a", "b", "c"])
        #expect(document.sections.map(\.line) == [1, 2, 4])
    }

    @Test func `Messages never quote the line`() {
        for line in ["hunter2", "[hunter2", "[a] hunter2", "k = 'hunter2", "k = 'a' hunter2", "= hunter2"] {
            for problem in Self.document(line).problems {
                #expect(!problem.message.contains("hunter2") && !problem.fix.contains("hunter2"))
            }
        }
    }

    @Test(arguments: Fuzz.seeds(40))
    func `No bytes crash it and lines and ranges stay inside`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let alphabet = Array("ab= \t\r\n\n[]#;\"',.\u{FEFF}é".utf8) + [0x00, 0xFF, 0xC3]
        for _ in 0..<50 {
            let length = Int.random(in: 0...200, using: &random)
            let bytes = (0..<length).map { _ in
                Bool.random(using: &random)
                    ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
            }
            let document = INIDocument(bytes)
            let lines = 1...(bytes.count { $0 == 0x0A } + 1)
            #expect(document.problems.allSatisfy { lines.contains($0.line) })
            #expect((0...bytes.count).contains(document.firstHeaderOffset))
            for section in document.sections {
                #expect(lines.contains(section.line))
                for entry in section.entries {
                    #expect(lines.contains(entry.line))
                    #expect(entry.valueRange.lowerBound >= 0 && entry.valueRange.upperBound <= bytes.count)
                    let raw = String(decoding: bytes[entry.valueRange], as: UTF8.self)
                    #expect(entry.isQuoted ? String(raw.dropFirst().dropLast()) == entry.value : raw == entry.value)
                }
            }
        }
    }

    @Test(arguments: Fuzz.seeds(20))
    func `No bytes crash the reader and an unusable file says why`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let words =
            SettingsTable.global.map(\.name) + SettingsTable.account.map(\.name)
            + [
                "[ACCOUNT_1]", "[ACCOUNT_2]", "[GLOBAL]", "[MODELS]", "[API_KEYS]", "[PROVIDER_1]", "[FALLBACKS]", "=",
                "\n",
            ]
            + [
                "1", "-1", "30s", "key.pem", "us-chicago-1", "true", "http://x", "#", "\"", ",", "ocid1.user.oc1..x",
                "1e9",
            ]
        for _ in 0..<100 {
            let text = (0..<60).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
            let outcome = ConfigurationFixture.read(text.replacing("\n", with: "\n "))
            #expect(
                (outcome.settings == nil)
                    == (ConfigurationError(
                        outcome.issues.filter { issue in
                            issue.account == nil || outcome.settings == nil
                        }) != nil))
            let lines = outcome.issues.compactMap(\.line)
            #expect(lines.count == outcome.issues.count)
            #expect(lines == lines.sorted())
        }
    }
}
