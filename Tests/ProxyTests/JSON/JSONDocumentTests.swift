import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct JSONDocumentTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONDocument(parsing: Array(text.utf8)).root
    }

    @Test func `Reads every kind of value`() throws {
        let root = try parse(
            #" {"s":"a\n\u00e9\ud83d\ude00","i":-12,"f":1.5e3,"t":true,"n":null,"a":[1,[2],{}],"o":{"x":"y"}} "#)
        #expect(root["s"]?.string == "a\né😀")
        #expect(root["i"]?.int == -12)
        #expect(root["f"]?.int == 1500)
        #expect(root["t"]?.bool == true)
        #expect(root["n"]?.isNull == true)
        #expect(root["a"]?.elements.map(\.kind) == [.number, .array, .object])
        #expect(root["o"]?["x"]?.equals("y") == true)
        #expect(root["missing"] == nil)
        #expect(root["a"].map { String(decoding: $0.raw, as: UTF8.self) } == "[1,[2],{}]")
    }

    @Test func `The last of two members wins`() throws {
        #expect(try parse(#"{"a":1,"a":2}"#)["a"]?.int == 2)
    }

    @Test func `Long integers keep their last digits`() throws {
        for number in [Int.max, .min, 1_234_567_890_123_456_789, -1_234_567_890_123_456_789] {
            #expect(try parse("\(number)").int == number)
        }
        #expect(try parse("9223372036854775808").int == nil)
        #expect(try parse("-9223372036854775809").int == nil)
    }

    @Test func `A byte order mark is no part of the text`() throws {
        #expect(try JSONDocument(parsing: [0xEF, 0xBB, 0xBF] + Array("7".utf8)).root.int == 7)
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\"a\":}", 1, 6), ("[1,]", 1, 4), ("{\"a\" 1}", 1, 6), ("[1 2]", 1, 4), ("01", 1, 1),
        ("1.", 1, 1),
        ("\"a", 1, 3), ("\"\\x\"", 1, 2), ("\"\\u12g4\"", 1, 2), ("\"\u{1}\"", 1, 2), ("tru", 1, 1), ("{}x", 1, 3),
        ("{\n\n  oops}", 3, 3),
    ])
    func `A broken text names its place`(text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: Array(text.utf8)) }
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test func `Depth is bounded`() throws {
        let fine = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(throws: Never.self) { try parse(fine) }
        #expect(throws: JSONSyntaxError.self) { try parse("[" + fine + "]") }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func `Broken UTF-8 is refused`() {
        #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: [0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func `A lone surrogate becomes the replacement character`() throws {
        #expect(try parse(#""a\ud800b""#).string == "a\u{FFFD}b")
        #expect(try parse(#""\ud800\ud83d\ude00""#).string == "\u{FFFD}😀")
    }

    @Test(arguments: 0..<40) func `What is written reads back the same`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<50 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...40, using: &random)).map { _ in
                        [
                            Unicode.Scalar(UInt8.random(in: 0...127, using: &random)), "\"", "\\", "é", "漢", "😀",
                            "\u{2028}", "\n",
                        ]
                        .randomElement(using: &random) ?? "x"
                    }))
            var writer = JSONWriter()
            writer.beginArray()
            writer.string(text)
            writer.endArray()
            #expect(try JSONDocument(parsing: writer.bytes).root.elements.map(\.string) == [text])
            let reference = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String]
            #expect(reference?.first == text)
        }
    }

    @Test(arguments: 0..<20) func `Random bytes never crash and agree with Foundation`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let alphabet = Array(#"{}[]:,"\ue0123456789.-+tfn  truefalsenull"#.utf8)
        for _ in 0..<400 {
            let bytes = (0..<Int.random(in: 1...14, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let ours = (try? JSONDocument(parsing: bytes)) != nil
            if ours {
                #expect(
                    (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil,
                    "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }
}
