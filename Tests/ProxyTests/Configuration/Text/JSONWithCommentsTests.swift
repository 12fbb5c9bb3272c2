import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct JSONWithCommentsTests {
    static func plain(_ text: String) -> String {
        String(decoding: JSONWithComments(Array(text.utf8)).plain, as: UTF8.self)
    }

    /// `_` stands for a blank in place of something.
    @Test(arguments: [
        ("{} // end", "{} ______"), ("{}//", "{}__"), ("/* a */{/**/}", "_______{____}"),
        ("/* a\n b */{}", "____\n_____{}"),
        ("# a\n{}", "___\n{}"), ("  # a\r\n{}", "  ___\r\n{}"), ("\u{FEFF}# a\n{}", "\u{FEFF}___\n{}"),
        ("/* a */ # b\n{}", "_______ ___\n{}"), ("// ä€😀\n{}", "____________\n{}"),
        (#"{"a": "http://b/*c*/" }"#, #"{"a": "http://b/*c*/" }"#),
        (#"{"a//b": "\"//c" } // d"#, #"{"a//b": "\"//c" } ____"#),
        (##"{"a": "# b, ]" }"##, ##"{"a": "# b, ]" }"##), (#"{"a": "\\" } // "b"#, #"{"a": "\\" } _____"#),
        ("[1,]", "[1_]"), ("[1 , ]", "[1 _ ]"), ("[1, // a\n]", "[1_ ____\n]"), ("[1, /* , */ ]", "[1_ _______ ]"),
        (#"{"a": [1,], }"#, #"{"a": [1_]_ }"#), (#"{"a": {"b": "]",},}"#, #"{"a": {"b": "]"_}_}"#),
        ("[\"a,\",]", "[\"a,\"_]"),
        // Not trailing: these stay, and are errors.
        ("[,]", "[,]"), ("[1,,]", "[1,,]"), ("{,}", "{,}"), (#"{"a":,}"#, #"{"a":,}"#), ("{},", "{},"),
        ("{} # a", "{} # a"), ("[1 / 2]", "[1 / 2]"),
    ])
    func `Blanks comments and trailing commas`(text: String, expected: String) {
        #expect(Self.plain(text) == expected.replacing("_", with: " "))
    }

    @Test(arguments: [("{} /* a", 3), ("/*", 0), ("{}\n/* a *", 3), ("{/*/", 1)])
    func `Finds the comment that is not closed`(text: String, offset: Int) {
        #expect(JSONWithComments(Array(text.utf8)).unclosedComment == offset)
    }

    @Test func `A string that is not closed ends with its line`() {
        #expect(Self.plain("{\"a\": \"b\n} // c") == "{\"a\": \"b\n}     ")
    }

    @Test(arguments: [
        ("{", ConfigurationFile.Format.json), (" \r\n\t{", .json), ("\u{FEFF}{", .json),
        ("// a\n/* b */ # c\n{", .json),
        ("# a\n[GLOBAL]", .ini), ("", .ini), ("# {", .ini), ("a = {", .ini), ("/*", .ini), ("[1]", .ini),
        ("\u{FEFF}# a\n{", .json),
    ])
    func `The first character behind comments tells the format`(text: String, format: ConfigurationFile.Format) {
        #expect(ConfigurationFile.format(of: Array(text.utf8)) == format)
    }

    /// JSON with comments and commas thrown in reads as the JSON without them, with every value at its offset.
    @Test(arguments: 0..<40)
    func `What is inserted between tokens changes nothing`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let noise = ["", " ", "\n", "\r\n", " // a \"b\n", "/* , ] } */", "\n # {\n", "/***/", "//\n"]
        for _ in 0..<50 {
            var plain = ""
            var noisy = ""
            func emit(_ token: String) {
                plain += token
                noisy += token + (noise.randomElement(using: &random) ?? "")
            }
            func value(_ depth: Int) {
                switch Int.random(in: 0..<(depth > 4 ? 4 : 6), using: &random) {
                case 0: emit("12.5")
                case 1: emit(#""a // \" /* b, ]""#)
                case 2: emit("null")
                case 3: emit("\"#\"")
                case 4: list("[", "]", depth) { value(depth + 1) }
                default:
                    list("{", "}", depth) {
                        emit("\"k\"")
                        emit(":")
                        value(depth + 1)
                    }
                }
            }
            func list(_ open: String, _ close: String, _ depth: Int, _ element: () -> Void) {
                emit(open)
                let count = Int.random(in: 0..<4, using: &random)
                for index in 0..<count {
                    element()
                    if index < count - 1 { emit(",") }
                }
                if count > 0, Bool.random(using: &random) { noisy += "," + (noise.randomElement(using: &random) ?? "") }
                emit(close)
            }
            value(0)
            let blanked = JSONWithComments(Array(noisy.utf8))
            #expect(blanked.plain.count == noisy.utf8.count)
            #expect(blanked.unclosedComment == nil)
            let tokens = { (bytes: [UInt8]) in try Self.written(JSONDocument(parsing: bytes).root) }
            #expect(try tokens(blanked.plain) == tokens(Array(plain.utf8)), "\(noisy)")
        }
    }

    /// The scalars in their order, with the shape around them.
    static func written(_ value: JSONValue) -> [String] {
        switch value.kind {
        case .object: ["{"] + value.members.flatMap { written($0) + written($1) } + ["}"]
        case .array: ["["] + value.elements.flatMap(written) + ["]"]
        default: [String(decoding: value.raw, as: UTF8.self)]
        }
    }
}
