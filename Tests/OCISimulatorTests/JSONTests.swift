import Testing

@testable import OCISimulator

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "[]", "{}", "-1", "1.5", "\"a\\\"b\\\\c\\n\"", "[1,[2,{\"a\":null}],\"x\"]",
        "{\"b\":1,\"a\":2}", "\"你好 👨‍👩‍👧\"", "\"\\u0001\"",
    ])
    func `Text is read and written alike`(text: String) throws {
        #expect(try JSONParser.parse(Array(text.utf8)).text == text)
    }

    private static let forms: [(String, JSON)] = [
        ("\"\\ud83d\\ude00\"", JSON.string("😀")), ("\"\\u00e9\\/\\b\\f\\r\\t\"", "é/\u{8}\u{c}\r\t"),
        (" { \"a\" : [ 1 , 2 ] } ", ["a": [1, 2]]), ("1e2", 100.0), ("-0.5E+1", -5.0),
        ("12345678901234567890", 12345678901234567890.0),
    ]

    @Test(arguments: forms)
    func `Forms are read`(text: String, value: JSON) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "1e", "nul", "\"a", "\"\\x\"",
        "\"\\ud800\"", "\"\u{1}\"", "1 2", "{\"a\":1,\"a\":2}", "NaN", "'a'", "1e999", "// c\n1",
    ])
    func `Other text is refused`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func `Invalid UTF-8 is refused`() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func `Deep nesting is refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func `Order of members does not matter`() {
        #expect(["a": 1, "b": 2] as JSON == ["b": 2, "a": 1])
        #expect(["a": 1] as JSON != ["a": 1, "b": 2])
    }
}
