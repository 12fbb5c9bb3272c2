import Logging
import ProxyTestSupport
import Testing

@testable import Proxy

/// Whatever strangers send: a record stays one record, of the same fields, for a reader of logfmt and for one of JSON.
@Suite struct HostileLogTests {
    private static let time = LogLine.Time(year: 2025, month: 8, day: 5, hour: 21, minute: 3, second: 25)

    /// A reader of logfmt: words are parted by blanks, a value in quotes has the escapes of JSON. It goes by bytes, as such readers do.
    private struct Logfmt {
        var pairs: [(String, String)] = []

        init(_ line: String) throws {
            var rest = Array(line.utf8)[...]
            while !rest.isEmpty {
                if rest.first == 0x20 {
                    rest.removeFirst()
                    continue
                }
                let key = rest.prefix { $0 != 0x20 && $0 != UInt8(ascii: "=") }
                rest = rest.dropFirst(key.count)
                guard rest.first == UInt8(ascii: "=") else {
                    pairs.append((String(decoding: key, as: UTF8.self), ""))
                    continue
                }
                rest.removeFirst()
                guard rest.first == UInt8(ascii: "\"") else {
                    let value = rest.prefix { $0 != 0x20 }
                    rest = rest.dropFirst(value.count)
                    pairs.append((String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self)))
                    continue
                }
                var end = rest.startIndex + 1
                while rest[end] != UInt8(ascii: "\"") { end += rest[end] == UInt8(ascii: "\\") ? 2 : 1 }
                let value = try #require(try JSONDocument(parsing: Array(rest[...end])).root.string)
                rest = rest[(end + 1)...]
                pairs.append((String(decoding: key, as: UTF8.self), value))
            }
        }
    }

    private func check(_ metadata: [(String, String)], message: String = "request") throws {
        func same(_ read: [(String, String)], _ form: String) {
            #expect(read.map(\.0) == metadata.map(\.0), "\(form)")
            for (read, written) in zip(read, metadata) where written.1.utf8.count <= 150 {
                #expect(Array(read.1.utf8) == Array(written.1.utf8), "\(form) \(read.0)")
            }
            for (read, written) in zip(read, metadata) {
                #expect(Array(written.1.utf8).starts(with: Array(read.1.utf8)))
            }
        }
        let lines = [
            LogLine.text(at: Self.time, level: .info, message: message, metadata: metadata),
            LogLine.journal(level: .warning, message: message, metadata: metadata),
            LogLine.json(at: Self.time, level: .info, message: message, metadata: metadata),
            LogLine.json(toJournal: true, at: Self.time, level: .info, message: message, metadata: metadata),
        ]
        for line in lines {
            #expect(line.utf8.count <= LogLine.longest)
            #expect(line.utf8.last == 0x0A && line.utf8.count { $0 == 0x0A } == 1)
            for scalar in line.unicodeScalars.dropLast() {
                #expect(
                    scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
                        && !["\u{2028}", "\u{2029}"].contains(scalar))
            }
        }
        let words = message.split(separator: " ").count
        same(Array(try Logfmt(String(lines[0].dropLast())).pairs.dropFirst(2 + words)), "text")
        same(Array(try Logfmt(String(lines[1].dropLast())).pairs.dropFirst(1 + words)), "journal")
        for line in lines[2...] {
            let object = line.utf8.drop { $0 != UInt8(ascii: "{") }
            let root = try JSONDocument(parsing: Array(object)).root
            var read: [(String, String)] = []
            for (key, value) in root.members { read.append((try #require(key.string), try #require(value.string))) }
            same(Array(read.dropFirst(3)), "JSON")
        }
    }

    @Test(arguments: [
        "a\"\u{200D} status=200\u{200D} key=admin x=\"\u{200D}", #"a\" status=200"#, #"\"#, #"\\"#, "\"", "=", "a b",
        " \u{301}b", "a\u{301}\"\u{301}", "", "\"\u{301}", "\\\u{301}",
        "\u{202E}txt", "\u{E0041}\u{E0042}", "\u{85}\u{2028}\u{2029}", "\u{1B}[31m", "\u{0}", "\r\n", "\n", "\t",
        "\u{FEFF}", "\u{AD}", "\u{3000}", "\u{A0}x", "é", "😀\u{FE0F}", "\u{7F}", "}", "{\"a\":1}",
        "\u{10FFFF}", "\u{E000}",
    ])
    func `A value stays one value`(value: String) throws {
        try check([("account", "one"), ("model", value), ("status", "404")])
        let line = LogLine.text(
            at: Self.time, level: .info, message: "request", metadata: [("model", value), ("status", "404")])
        #expect(try Logfmt(String(line.dropLast())).pairs.filter { $0.0 == "status" }.map(\.1) == ["404"])
    }

    @Test func `Random values go there and back`() throws {
        var random = SplitMix64(seed: 12)
        let pieces = [
            "\"", "\\", "=", " ", "a", "é", "\u{301}", "\u{200D}", "\u{202E}", "\u{E0020}", "\u{85}", "\u{2028}", "\n",
            "\r", "\u{0}", "\u{1B}", "😀", "status=200", "\\u0022", "\\\"", "{", "}", ",", ":",
        ]
        for _ in Fuzz.seeds(800) {
            func text(_ most: Int) -> String {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in
                    Int.random(in: 0..<4, using: &random) == 0
                        ? Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)).map { String($0) } ?? ""
                        : pieces.randomElement(using: &random) ?? ""
                }.joined()
            }
            try check([
                ("account", text(6)), ("error", text(20)), ("model", text(3)), ("path", text(12)), ("status", "404"),
            ])
        }
    }

    /// Values of any length, of marks or of what is written six times as long: the line stays within its bytes, and says that something is missing.
    @Test(arguments: ["a", "\u{301}", "\u{0}", "\u{E0041}", "\"", "é", "😀"])
    func `A line has eight kibibytes at most`(piece: String) throws {
        for (count, pairs) in [(2_000_000, 1), (300, 60), (100_000, 40), (8100, 1)] {
            let metadata = (0..<pairs).map { ("key\($0)", String(repeating: piece, count: count)) }
            for message in ["request", String(repeating: piece, count: 10_000)] {
                for line in [
                    LogLine.text(at: Self.time, level: .critical, message: message, metadata: metadata),
                    LogLine.journal(level: .info, message: message, metadata: metadata),
                    LogLine.json(
                        toJournal: true, at: Self.time, level: .critical, message: message, metadata: metadata),
                ] {
                    #expect(line.utf8.count <= LogLine.longest)
                    #expect(line.utf8.last == 0x0A && line.utf8.count { $0 == 0x0A } == 1)
                    if pairs == 40 { #expect(line.contains("cut")) }
                    if let start = line.utf8.firstIndex(of: UInt8(ascii: "{")), line.utf8.first == UInt8(ascii: "<"),
                        line.contains("\"time\"")
                    {
                        #expect(throws: Never.self) { try JSONDocument(parsing: Array(line.utf8[start...])) }
                    }
                }
            }
        }
    }

    @Test func `A message begins no value that swallows the rest`() throws {
        let line = LogLine.text(
            at: Self.time, level: .info, message: "x=\" y=\" \u{1B}[0m\n\u{202E}",
            metadata: [("status", "404"), ("z", "a b")])
        let pairs = try Logfmt(String(line.dropLast())).pairs
        #expect(pairs.suffix(2).map(\.0) == ["status", "z"] && pairs.suffix(2).map(\.1) == ["404", "a b"])
        #expect(
            line.utf8.count { $0 == 0x0A } == 1 && !line.unicodeScalars.contains("\u{1B}")
                && !line.unicodeScalars.contains("\u{202E}"))
    }

    @Test func `What people read stays readable`() {
        func line(_ value: String) -> String {
            LogLine.journal(level: .info, message: "m \"é\"", metadata: [("a", value)])
        }
        #expect(line("plain/value-1") == "<6>m \"é\" a=plain/value-1\n")
        #expect(line("é b") == "<6>m \"é\" a=\"é b\"\n")
        #expect(line(#"C:\x"#) == #"<6>m "é" a="C:\\x""# + "\n")
        #expect(line("a\u{1B}b") == #"<6>m "é" a="a\u001bb""# + "\n")
    }
}
