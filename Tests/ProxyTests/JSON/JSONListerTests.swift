import ProxyTestSupport
import Testing

@testable import Proxy

/// The quick list of a text's values against the one that `JSONParser` makes.
@Suite struct JSONListerTests {
    private struct Entry: Equatable {
        let kind: JSONValue.Kind
        let isEscaped: Bool
        let start, end, next: Int32

        init(_ node: JSONDocument.Node) {
            (kind, isEscaped, start, end, next) = (node.kind, node.isEscaped, node.start, node.end, node.next)
        }
    }

    /// Nil when the text is not JSON.
    private func parsed(_ bytes: [UInt8]) -> [Entry]? {
        var parser = JSONParser(expectedNodes: 16)
        return (try? parser.parse(bytes)).map { parser.nodes.map(Entry.init) }
    }

    private func expectSame(_ bytes: [UInt8], _ comment: @autoclosure () -> Comment) {
        #expect(JSONDocument.nodes(of: bytes)?.map(Entry.init) == parsed(bytes), comment())
    }

    // MARK: Texts

    private static let blanks = ["", "", "", " ", "\n", "\r\n\t "]
    private static let strings = [
        "", "a", "content", "1234567", "12345678", "é", "漢字", "😀", #"\n"#, #"a\"b"#, #"\\"#, #"\u00e9\ud83d\ude00"#,
        #"ends with \\"#, "it is seven",
    ]
    private static let scalars = [
        "0", "-0", "12", "-1.5", "1e9", "1.25E-3", "9223372036854775808", "true", "false", "null",
    ]

    private func string(_ random: inout SplitMix64) -> String {
        let length = [1, 1, 1, 2, 5, 30].randomElement(using: &random) ?? 1
        return "\"" + (0..<length).map { _ in Self.strings.randomElement(using: &random) ?? "" }.joined() + "\""
    }

    private func value(depth: Int, _ random: inout SplitMix64) -> String {
        let blank = { (random: inout SplitMix64) in Self.blanks.randomElement(using: &random) ?? "" }
        switch Int.random(in: 0..<(depth > 5 ? 2 : 4), using: &random) {
        case 0: return string(&random)
        case 1: return Self.scalars.randomElement(using: &random) ?? "0"
        case 2:
            let items = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                blank(&random) + value(depth: depth + 1, &random) + blank(&random)
            }
            return "[" + (items.isEmpty ? blank(&random) : items.joined(separator: ",")) + "]"
        default:
            let items = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                blank(&random) + string(&random) + blank(&random) + ":" + blank(&random)
                    + value(depth: depth + 1, &random) + blank(&random)
            }
            return "{" + (items.isEmpty ? blank(&random) : items.joined(separator: ",")) + "}"
        }
    }

    @Test(arguments: Fuzz.seeds(8)) func `Lists what the parser lists`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<300 {
            let blank = Self.blanks.randomElement(using: &random) ?? ""
            let text = Array((blank + value(depth: 0, &random) + blank).utf8)
            #expect(
                JSONDocument.nodes(of: text) != nil,
                "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
            expectSame(text, "seed \(seed), round \(round)")
            expectSame([0xEF, 0xBB, 0xBF] + text, "seed \(seed), round \(round), with a byte order mark")
        }
    }

    @Test(arguments: Fuzz.seeds(8)) func `Refuses what the parser refuses`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<1500 {
            let text = Fuzz.damage(Array(value(depth: 0, &random).utf8), with: Fuzz.json, upTo: 3, &random)
            expectSame(text, "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test(arguments: Fuzz.seeds(4)) func `Agrees on short texts of the grammars own characters`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let alphabet = Array(#"{}[]:,"\ue0123456789.-+tfn  truefalsenull"#.utf8)
        for _ in 0..<4000 {
            let text = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            expectSame(text, "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func `Agrees on every cut of a text and on every byte in every place`() {
        let text = Array(#"{"a":[1,-2.5e+3,true,false,null,"x\n\u00e9",{}],"ein längerer Name":{"b":[]}} "#.utf8)
        for end in 0...text.count { expectSame(Array(text[..<end]), "\(end) bytes") }
        for place in text.indices {
            for byte in 0...UInt8.max {
                var changed = text
                changed[place] = byte
                expectSame(changed, "\(byte) at \(place)")
            }
        }
    }

    @Test func `Agrees on strings of every length with every piece at their end`() {
        for length in 0..<300 {
            for piece in ["", "é", #"\\"#, #"\""#, "\u{1}", "\\"] {
                let string = "\"" + String(repeating: "x", count: length) + piece + "\""
                expectSame(Array(string.utf8), "\(length) and \(piece)")
                expectSame(Array("[\(string),1]".utf8), "\(length) and \(piece), in an array")
            }
        }
    }

    @Test(arguments: [255, 256, 257]) func `Depth is bounded alike`(depth: Int) {
        expectSame(Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8), "arrays")
        expectSame(
            Array((String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)).utf8),
            "objects")
    }

    /// It goes on where it stopped, whatever the space was.
    @Test(arguments: 1..<40, [1, 2]) func `Space may be small`(capacity: Int, step: Int) {
        var random = SplitMix64(seed: UInt64(capacity))
        for _ in 0..<50 {
            let text = Array(value(depth: 0, &random).utf8)
            var lister = JSONLister()
            var nodes: [JSONDocument.Node] = []
            var space = capacity
            var isWhole = false
            while !isWhole {
                let before = nodes
                nodes = [JSONDocument.Node](unsafeUninitializedCapacity: space) { memory, count in
                    _ = memory.initialize(from: before)
                    isWhole =
                        lister.list(text.span, into: UnsafeMutableBufferPointer(rebasing: memory[..<space])) == .whole
                    count = lister.count
                }
                #expect(nodes.count <= space)
                space += step
            }
            #expect(nodes.map(Entry.init) == parsed(text))
        }
    }
}
