import Testing

@testable import ProxyImport

@Suite struct YAMLReaderTests {
    private func failure(_ bytes: [UInt8]) throws -> ImportFailure {
        try #require(throws: ImportFailure.self) { _ = try YAMLReader.read(bytes) }
    }

    private func failure(_ text: String) throws -> ImportFailure { try failure(Array(text.utf8)) }

    @Test(
        arguments: [
            ("a: 1\n\tb: 2\n", 2, "tab"),
            ("a: 1\nb: [1, 2\nc: 3\n", 3, "YAML"),
            ("a: 1\nb: 2\na: 3\n", 1, "twice in one mapping, first here: a"),
            ("a: *gone\n", 1, "undefined alias"),
            ("a: 1\n---\nb: 2\n", 3, "second document"),
            ("a: b: c\n", 1, "mapping values"),
            ("{[1, 2]: 3}\n", 1, "a key is a list"),
            ("{{a: 1}: 3}\n", 1, "a key is a mapping"),
            ("a: 1\nb: '1\n", 2, "quoted scalar"),
            ("a: @b\n", 1, "cannot start any token"),
            ("a: %b\n", 1, "cannot start any token"),
            ("a: 1\nb: \"\\q\"\n", 2, "escape"),
            ("a: 1\nb\u{1}: 2\n", 2, "control character 0x1"),
        ])
    func `What is no YAML is told with its line`(text: String, line: Int, message: String) throws {
        let failure = try failure(text)
        #expect(failure.line == line)
        #expect("\(failure.message); \(failure.fix)".contains(message), "\(failure)")
        #expect(!failure.fix.isEmpty)
    }

    @Test func `Bytes that are no UTF-8 are told with their line`() throws {
        #expect(try failure(Array("a: 1\nb: ".utf8) + [0xFF, 0x0A]).line == 2)
        #expect(try failure([0xFF, 0xFE, 0x61, 0x00]).message.contains("UTF-16"))
    }

    @Test(arguments: ["", "\n  \n", "# only a comment\n", "---\n"])
    func `A file without content is told`(text: String) throws {
        if text == "---\n" {
            #expect(try YAMLReader.read(Array(text.utf8)).root.isNull)
        } else {
            #expect(try failure(text).line == nil)
        }
    }

    @Test func `A byte order mark and line ends of Windows are fine`() throws {
        let document = try YAMLReader.read([0xEF, 0xBB, 0xBF] + Array("a: 1\r\nb: x\r\n".utf8))
        #expect(document.root.members?["b"]?.value.text == "x")
        #expect(document.root.members?["b"]?.line == 2)
    }

    @Test func `One document with its marks is one document`() throws {
        #expect(try YAMLReader.read(Array("---\na: 1\n...\n".utf8)).root.members?.count == 1)
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func `What is nested without end is told`(piece: String) throws {
        for depth in [200, 5000, 200_000] {
            let failure = try failure("a:\n " + String(repeating: piece, count: depth))
            #expect(failure.message.contains("nest") || failure.message.contains("YAML"), "\(failure)")
        }
    }

    @Test func `Aliases that multiply are told`() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let parts = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(parts)]\n"
        }
        #expect(try failure(text).message.contains("aliases repeat"))
    }

    @Test func `A merge takes what is not there, and of several the first`() throws {
        let document = try YAMLReader.read(
            Array("one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall: {<<: [*one, *two], a: 0}\n".utf8))
        let all = try #require(document.root.members?["all"]?.value.members)
        #expect(["a", "b", "c"].map { all[$0]?.value.integer } == [0, 1, 2])
        #expect(all["c"]?.line == 2)
    }

    @Test(arguments: [("~", true), ("", true), ("null", true), ("'null'", false), ("\"\"", false), ("x", false)])
    func `Nothing is nothing only without quotes`(text: String, isNull: Bool) throws {
        let document = try YAMLReader.read(Array("a: \(text)\nb: 1\n".utf8))
        #expect(document.root.members?["a"]?.value.isNull == isNull)
    }

    @Test(arguments: [("3", 3.0), ("'3'", 3), ("3.5", 3.5), ("1e-06", 0.000001), ("1_000", 1000)])
    func `A number may be written in quotes`(text: String, number: Double) throws {
        let document = try YAMLReader.read(Array("a: \(text)\n".utf8))
        #expect(document.root.members?["a"]?.value.number == number)
    }
}
