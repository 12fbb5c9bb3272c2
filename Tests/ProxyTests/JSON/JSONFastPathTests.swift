import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct JSONFastPathTests {
    /// The names and raw values of an object; nil when it is none.
    private func members(_ text: String) -> [String]? {
        let bytes = Array(text.utf8)
        return JSONFastPath.look(atAnyOf: bytes.span) { root -> [String]? in
            guard root.kind == .object else { return nil }
            var found: [String] = []
            _ = root.each { name, value in
                let isMeant = name.means("\u{1}")
                #expect(!isMeant)
                found.append(String(decoding: bytes[value.place], as: UTF8.self))
                return true
            }
            return found
        }
    }

    @Test func `Finds in random texts of any size what the parser finds`() throws {
        var random = SplitMix64(seed: 5)
        func value(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
            case 0: ["0", "-1.50", "1e400", "12345678901234567890"].randomElement(using: &random) ?? "0"
            case 1: ["true", "false", "null"].randomElement(using: &random) ?? "null"
            case 2, 3: string()
            case 4:
                "["
                    + (0..<Int.random(in: 0...11, using: &random)).map { _ in value(depth + 1) }.joined(
                        separator: " , ") + "]"
            default: object(depth + 1)
            }
        }
        func string() -> String {
            let pieces = ["a", "model", #"\""#, #"\\"#, "é", "{", "]", #"\ud800"#, ":", "longer than eight bytes", " "]
            return "\""
                + (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined() + "\""
        }
        func object(_ depth: Int) -> String {
            "{"
                + (0..<Int.random(in: 0...11, using: &random)).map { _ in
                    string() + [":", " : ", ":\n"].randomElement(using: &random)! + value(depth)
                }.joined(separator: ",") + "}"
        }
        var sizes = 0
        for _ in 0..<500 {
            let text = object(0)
            let root = try JSONDocument(parsing: Array(text.utf8)).root
            sizes = max(sizes, root.size)
            #expect(members(text) == root.members.map { String(decoding: $0.value.raw, as: UTF8.self) }, "\(text)")
            #expect(
                members(
                    String(
                        decoding: Array(text.utf8).dropLast(Int.random(in: 1...text.utf8.count, using: &random)),
                        as: UTF8.self)) == nil, "\(text)")
        }
        #expect(sizes > 8 * JSONFastPath.mostValues, "some were too large for the first two tries")
    }

    @Test func `A name is known however it is escaped`() {
        let bytes = Array(#"{"mod\u0065l":1,"n":"error"}"#.utf8)
        let seen = JSONFastPath.look(atAnyOf: bytes.span) { root -> [Bool]? in
            var seen: [Bool] = []
            _ = root.each { name, value in
                seen += [name.means("model"), name.reads("model"), value.isWritten("error"), value.plainInt == 1]
                return true
            }
            return seen
        }
        #expect(seen == [true, false, false, true, false, false, true, false])
    }

    @Test func `A plain run ends at its first special byte wherever that stands`() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<20_000 {
            let ordinary: [UInt8] = [0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF]
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ -> UInt8 in
                Int.random(in: 0..<20, using: &random) == 0
                    ? [0x22, 0x5C, 0x00, 0x1F][Int.random(in: 0..<4, using: &random)]
                    : ordinary[Int.random(in: 0..<10, using: &random)]
            }
            let found = JSONParser.endOfPlainRun(bytes.span, from: 0)
            #expect(found == bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? bytes.count)
        }
    }
}
