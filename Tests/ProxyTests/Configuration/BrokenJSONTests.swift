import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct BrokenJSONTests {
    typealias Fixture = AggregatorFixture

    /// What people leave behind when they edit by hand, and what they are told.
    @Test(arguments: [
        (
            "{", 1, "a member name in quotes is missing (column 1)",
            "close every { with }, every [ with ] and every string with a quote"
        ),
        ("{\n\"port\": 1\n", 2, "the text ends inside a value", "close every { with }"),
        (
            "{\n\"host\": \"a\"\n\"port\": 1\n}", 2, "a comma or a closing bracket is missing (column 12)",
            "put a comma between the two values"
        ),
        (
            "{\n\"host\": \"a\" // here\n\n\"port\": 1\n}", 2, "a comma or a closing bracket is missing",
            "put a comma between the two values"
        ),
        (
            "{\n\"port\": 1 2\n}", 2, "a comma or a closing bracket is missing (column 10)",
            "put a comma after the value"
        ),
        (
            "{\"a\": [\n1\n}\n", 2, "a comma or a closing bracket is missing (column 2)",
            "put a comma after the value, or close what is open"
        ),
        ("{\n\"port\" 1\n}", 2, "a colon is missing after the member name (column 8)", "write a number"),
        (
            "{\nport: 1\n}", 2, "a member name in quotes is missing (column 1)",
            "enclose names and strings in double quotes"
        ),
        ("{\n'port': 1\n}", 2, "a member name in quotes is missing", "enclose strings in straight double quotes"),
        ("{\n“port”: 1\n}", 2, "a member name in quotes is missing", "enclose strings in straight double quotes"),
        (
            "{\n\"port\": ,\n}", 2, "unexpected character where a value is expected (column 9)",
            "remove the comma, or put a value before it"
        ),
        ("{\n\"a\": 1,,\n}", 2, "a member name in quotes is missing (column 8)", "remove the comma"),
        ("{,}", 1, "a member name in quotes is missing", "remove the comma"),
        ("{\"a\":\n}", 2, "unexpected character", "add what is missing before the bracket"),
        ("{\"a\":\nTrue}", 2, "unexpected character", "write true, false or null in lower case"),
        ("{\"a\":\nNone}", 2, "unexpected character", "write true, false or null"),
        ("{\"a\":\nabc}", 2, "unexpected character", "enclose names and strings in double quotes"),
        ("{\"a\":\nnil}", 2, "invalid value", "enclose names and strings"),
        ("{\"a\":\n.5}", 2, "unexpected character", "write a number such as 30 or 0.5"),
        ("{\"a\":\n01}", 2, "this is not a JSON number", "write a number such as"),
        (
            "{\n\"a\": \"b\n\"c\": 1}", 2, "unescaped control character in a string",
            "close the string with a quote on the same line"
        ),
        (
            "{\n\"a\": \"b\tc\"}", 2, "unescaped control character in a string",
            #"write a tab in a string as \t"#
        ),
        ("{\n\"a\": \"C:\\Users\"}", 2, "invalid escape in a string", #"write a backslash in a string as \\"#),
        (
            "{\"a\": 1}\n}", 2, "unexpected text after the value",
            "add what is missing before the bracket, or correct the bracket"
        ),
        ("{\"a\": 1},\n", 1, "unexpected text after the value", "remove the comma"),
        ("{\"a\": 1}\n# b\nc # d", 3, "unexpected text after the value", "enclose names and strings"),
        ("{\"a\": 1 # b\n}", 1, "a comma or a closing bracket is missing", "put a comma after the value"),
        ("{\n/* a\n\"b\": 1\n}", 2, "the comment that begins with /* is not closed", "close it with */"),
        ("{\n\"a\": / b\n}", 2, "unexpected character", "begin a comment with //"),
    ])
    func `Is one error with its place and mend`(text: String, line: Int, message: String, fix: String) {
        for text in [text, text.replacing("\n", with: "\r\n")] {
            let outcome = Fixture.read(text)
            #expect(outcome.settings == nil)
            #expect(outcome.issues.map(\.line) == [line])
            #expect(outcome.issues.first?.message.hasPrefix(message) == true, "\(outcome.issues)")
            #expect(outcome.issues.first?.fix.hasPrefix(fix) == true, "\(outcome.issues)")
        }
    }

    @Test func `Bytes that are no UTF-8 are an error`() {
        for prefix in ["{\n\"a\": \"", "{\n// "] {
            let outcome = ConfigurationFixture.read(Array(prefix.utf8) + [0xFF, 0x0A])
            // In a comment they do no harm; the file is still not complete.
            #expect(outcome.errors.map(\.line) == [2])
        }
        let inText = ConfigurationFixture.read(Array("{\n\"a\": \"".utf8) + [0xFF])
        #expect(inText.errors.map(\.fix) == ["save the file as UTF-8"])
    }

    @Test(arguments: ["[", "{\"a\":", "[[{\"a\":", "/**/[", "[1,"])
    func `Deep nesting is an error and no crash`(opening: String) {
        let outcome = Fixture.read("{\"a\":\n" + String(repeating: opening, count: 100_000))
        #expect(outcome.settings == nil)
        #expect(outcome.errors.map(\.line) == [2])
        #expect(outcome.errors.first?.message.hasPrefix("values are nested deeper than 256 levels") == true)
    }

    @Test func `Nesting that is deep but valid is only unknown`() {
        let nested = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(
            Fixture.read(Fixture.file("\"a\": \(nested)")).issues.map(\.message) == ["unknown key a, it is ignored"])
    }

    /// Much of everything that costs something per entry. Quadratic work would take minutes.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            ("providers", #""p#|https://a.example/#|K""#, 500_000), ("tokens", #""t#|T#""#, 500_000),
            ("oci_accounts", #"{"id":"a#"}"#, 100_000),
            ("model_list", #""m#""#, 500_000), ("unknown", "\"\(String(repeating: "u", count: 500))#\"", 5_000_000),
            ("members", #""unknown#": 1"#, 200_000), ("fallbacks", #""a/m#": ["b/n#"]"#, 200_000),
        ])
    func `Large files are read`(key: String, element: String, size: Int) {
        let count = size / element.utf8.count
        var list = ""
        for number in 0..<count { list += element.replacing("#", with: "\(number)") + ",\n" }
        let text =
            switch key {
            case "model_list":
                Fixture.providers(#"{"provider": "a", "baseurl": "https://a.example", "model_list": [\#(list)]}"#)
            case "members": Fixture.file(list)
            case "fallbacks": Fixture.file("\"fallbacks\": {\(list)}")
            default: "{\"tokens\": [\"x|y\"], \"providers\": [\"a|https://a.example|K\"], \"\(key)\": [\n\(list)]}"
            }
        let outcome = Fixture.read(text)
        let settings = outcome.settings
        switch key {
        case "providers": #expect(settings?.providers.count == count)
        case "tokens": #expect(settings?.clientKeys.count == count)
        case "oci_accounts": #expect(settings?.accounts.count == count)
        case "model_list": #expect(settings?.providers.first?.models?.count == count)
        case "members": #expect(outcome.warnings.count == count)
        case "fallbacks": #expect(settings?.fallbacks.count == count)
        default: #expect(outcome.warnings.map(\.message) == ["unknown key unknown, it is ignored"])
        }
    }

    /// Valid files with bytes changed, removed, doubled or exchanged: whatever comes of it, it has a line in the file, and
    /// the secrets are not shown.
    @Test(arguments: Fuzz.seeds(64))
    func `Mutated files never crash and every issue has its line`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let samples = [
            try ConfigurationExamplesTests.text("config.json.example"),
            ConfigurationExamplesTests.uncommentedJSON(try ConfigurationExamplesTests.text("config.json.example")),
            Fixture.file(
                "\"oci_accounts\": [\(Fixture.account(#""pass_phrase": "x""#))], \"supported_models\": [\"^(a|b)[c-d]{2,3}(?!x)\\\\d+$\"],"
            ),
        ]
        let pieces = [
            "\"", "{", "}", "[", "]", ",", ":", "//", "/*", "*/", "#", "\\", "\\u0000", "\n", "\r", "|", "null", "true",
            "1e999", "-", "\u{0}", "(", "*", "ä",
        ]
        for _ in 0..<30 {
            var bytes = Array(samples[Int.random(in: 0..<samples.count, using: &random)].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.removeSubrange(place..<end)
                case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
                case 3: bytes.insert(contentsOf: Array((pieces.randomElement(using: &random) ?? "").utf8), at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { bytes = Array("{".utf8) }
            }
            let lines = bytes.count { $0 == 0x0A } + 1
            let outcome = ConfigurationFixture.read(bytes)
            #expect(outcome.settings != nil || !outcome.errors.isEmpty)
            for issue in outcome.issues {
                #expect(issue.line.map { (1...lines).contains($0) } == true, "\(issue)")
                #expect(!issue.message.isEmpty && !issue.fix.isEmpty)
                #expect(issue.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
            }
            if let settings = outcome.settings { #expect(!CheckReport.lines(settings).isEmpty) }
        }
    }

    /// Expressions made of what expressions are made of.
    @Test(arguments: Fuzz.seeds(16))
    func `No expression crashes`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let pieces = [
            "a", "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "$", ".", "\\", "\\d", "\\1", "(?:", "(?<n>",
            "(?=", "(?<!", "-", ",", "2", "\\u{", "(?i)", "\\p{L}", "[^", "&&", "\\Q", "\\b", "ä", "(?#",
        ]
        for _ in 0..<200 {
            var filter = ModelFilter()
            let pattern = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            do {
                try filter.add(pattern)
                #expect(filter.patterns == [pattern])
                _ = filter.admits("zhipu/glm-4.5-aä")
            } catch {
                #expect(!error.reason.isEmpty)
                #expect(filter == ModelFilter())
            }
        }
    }

    @Test func `Too many expressions are one error`() {
        let list = (0...1000).map { #""a\#($0)""# }.joined(separator: ",\n")
        let errors = Fixture.read(Fixture.file("\"supported_models\": [\(list), \"b\"]")).errors
        #expect(
            errors.map(\.description) == [
                "c.conf:1004: supported_models has more than 1000 expressions; combine some of them with |"
            ])
    }

    @Test func `A very long expression is refused`() {
        for pattern in [String(repeating: "a", count: 2000), String(repeating: "(", count: 100_000)] {
            let errors = Fixture.read(Fixture.file(#""supported_models": ["\#(pattern)"]"#)).errors
            #expect(
                errors.map(\.message) == [
                    "supported_models: entry 1 is not a valid regular expression (it is longer than 1024 bytes)"
                ])
        }
    }
}
