import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct JSONCursorTests {
    /// The names and raw values of an object; nil when the cursor finds it broken.
    private func members(_ text: String) -> [String]? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            var cursor = JSONCursor(buffer)
            guard cursor.enterObject() else { return nil }
            var found: [String] = []
            while let key = cursor.nextKey() {
                guard let value = cursor.skipValue() else { return nil }
                found.append(String(decoding: bytes[key.range], as: UTF8.self) + "=" + String(decoding: bytes[value], as: UTF8.self))
            }
            return cursor.isAtEnd() ? found : nil
        }
    }

    @Test func walksOverMembersAsTheyAreWritten() {
        #expect(members(#" { "a" : 1e400 ,"b":[1,{"a":"}]"}], "c\"":"\\","d":null,"":{} } "#) == ["a=1e400", #"b=[1,{"a":"}]"}]"#, #"c\"="\\""#, "d=null", "={}"])
        #expect(members("{}") == [])
    }

    @Test(arguments: [
        "", " ", "[]", "7", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":\"\\\"", "{\"a\":[", "{\"a\":[}",
        "{\"a\":1}x", "{\"a\" 1}", "{a:1}", "{\"a\":\"\u{1}\"}",
    ])
    func seesWhereATextBreaks(text: String) {
        #expect(members(text) == nil)
    }

    @Test func findsInRandomTextsWhatTheParserFinds() throws {
        var random = SplitMix64(seed: 5)
        func value(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
            case 0: ["0", "-1.50", "1e400", "12345678901234567890"].randomElement(using: &random) ?? "0"
            case 1: ["true", "false", "null"].randomElement(using: &random) ?? "null"
            case 2, 3: string()
            case 4: "[" + (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth + 1) }.joined(separator: " , ") + "]"
            default: object(depth + 1)
            }
        }
        func string() -> String {
            let pieces = ["a", "model", #"\""#, #"\\"#, "é", "{", "]", #"\ud800"#, ":", "longer than eight bytes", " "]
            return "\"" + (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() + "\""
        }
        func object(_ depth: Int) -> String {
            "{" + (0..<Int.random(in: 0...4, using: &random)).map { _ in string() + [":", " : ", ":\n"].randomElement(using: &random)! + value(depth) }.joined(separator: ",") + "}"
        }
        for _ in 0..<2000 {
            let text = object(0)
            let expected = try JSONDocument(parsing: Array(text.utf8)).root.members.map {
                String(decoding: $0.key.rawString ?? [], as: UTF8.self) + "=" + String(decoding: $0.value.raw, as: UTF8.self)
            }
            #expect(members(text) == expected, "\(text)")
            // A text that was cut is broken wherever that happened.
            #expect(members(String(decoding: Array(text.utf8).dropLast(Int.random(in: 1...text.utf8.count, using: &random)), as: UTF8.self)) == nil, "\(text)")
        }
    }

    @Test func aPlainRunEndsAtItsFirstSpecialByteWhereverThatStands() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<20_000 {
            let ordinary: [UInt8] = [0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF]
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ -> UInt8 in
                Int.random(in: 0..<20, using: &random) == 0 ? [0x22, 0x5C, 0x00, 0x1F][Int.random(in: 0..<4, using: &random)] : ordinary[Int.random(in: 0..<10, using: &random)]
            }
            let found = bytes.withUnsafeBufferPointer { JSONParser.endOfPlainRun($0, from: 0) }
            #expect(found == bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? bytes.count)
        }
    }
}
