import ClusterSimulation
import ProxyCluster
import ProxyEngine
import Testing

@Suite struct RESPReaderTests {
    private func read(_ text: String, limits: RESPReader.Limits = .init()) throws -> [RESP] {
        var reader = RESPReader(limits: limits)
        return try reader.feed(Array(text.utf8))
    }

    @Test(
        arguments: [
            ("+OK\r\n", RESP.status(Array("OK".utf8))),
            ("-NOSCRIPT No matching script.\r\n", .error(Array("NOSCRIPT No matching script.".utf8))),
            (":0\r\n", .integer(0)), (":-9223372036854775808\r\n", .integer(.min)),
            ("$0\r\n\r\n", .string([])), ("$5\r\na\r\nb\0\r\n", .string(Array("a\r\nb\0".utf8))), ("$-1\r\n", .null),
            ("*-1\r\n", .null), ("*0\r\n", .array([])),
            ("*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", .array([.array([.integer(1)]), .string([0x78])])),
        ])
    func `Answers of each kind`(text: String, answer: RESP) throws {
        #expect(try read(text) == [answer])
        // Whatever the pieces in which it comes.
        var reader = RESPReader()
        var answers: [RESP] = []
        for byte in text.utf8 { answers += try reader.feed([byte]) }
        #expect(answers == [answer])
    }

    @Test func `Several answers at once, and the beginning of another`() throws {
        var reader = RESPReader()
        #expect(try reader.feed(Array(":1\r\n:2\r\n$3\r\nab".utf8)) == [.integer(1), .integer(2)])
        #expect(try reader.feed(Array("c\r\n".utf8)) == [.string(Array("abc".utf8))])
        #expect(try reader.feed([]) == [])
    }

    @Test func `The first word of an error`() throws {
        #expect(try read("-WRONGPASS invalid\r\n").first?.errorCode == "WRONGPASS")
        #expect(RESP.error([]).errorCode == "")
        #expect(RESP.integer(1).errorCode == nil)
    }

    @Test(
        arguments: [
            "x\r\n", "$-2\r\n", "*-2\r\n", "$1a\r\n", ":1.5\r\n", "*99999999999999999999\r\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            // Version 3 of the protocol.
            "_\r\n", "#t\r\n", ",1.5\r\n", "%1\r\n+a\r\n:1\r\n", "*1\r\n,1.5\r\n", ">1\r\n+a\r\n", "~1\r\n:1\r\n",
        ])
    func `What is not the protocol ends the reader for good`(text: String) {
        var reader = RESPReader()
        #expect(throws: RESPReader.Failure.malformed) { try reader.feed(Array(text.utf8)) }
        #expect(throws: RESPReader.Failure.malformed) { try reader.feed(Array("+OK\r\n".utf8)) }
    }

    @Test(arguments: [
        "*2147483647\r\n", "*131073\r\n", "*2\r\n*131070\r\n",
        "*2\r\n*70000\r\n" + String(repeating: ":1\r\n", count: 70_000) + "*70000\r\n",
    ])
    func `More elements than an answer may have are refused before there is room for them`(text: String) {
        #expect(throws: RESPReader.Failure.tooLarge) { try read(text) }
    }

    @Test(arguments: ["$9223372036854775807\r\n", "$2147483647\r\n", "+"])
    func `An answer without an end is refused when it has become too long`(text: String) throws {
        var limits = RESPReader.Limits()
        limits.bytes = 100_000
        var reader = RESPReader(limits: limits)
        _ = try reader.feed(Array(text.utf8))
        #expect(throws: RESPReader.Failure.tooLarge) {
            for _ in 0..<20 { _ = try reader.feed([UInt8](repeating: 0x61, count: 10_000)) }
        }
    }

    @Test func `Answers that are read do not count`() throws {
        var limits = RESPReader.Limits()
        limits.bytes = 40_000
        var reader = RESPReader(limits: limits)
        let answer = Array("$10000\r\n".utf8) + [UInt8](repeating: 0x61, count: 10_000) + [0x0D, 0x0A]
        for _ in 0..<20 { #expect(try reader.feed(answer + answer + answer).count == 3) }
    }

    @Test(arguments: 1...12) func `Levels`(depth: Int) throws {
        let text = String(repeating: "*1\r\n", count: depth) + ":1\r\n"
        if depth <= 4 {
            #expect(try read(text).count == 1)
        } else {
            #expect(throws: RESPReader.Failure.malformed) { try read(text) }
        }
    }

    /// An answer as an engine would write it.
    private func written(_ answer: RESP) -> [UInt8] {
        switch answer {
        case .null: Array("$-1\r\n".utf8)
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .status(let text): Array("+".utf8) + text + Array("\r\n".utf8)
        case .error(let text): Array("-".utf8) + text + Array("\r\n".utf8)
        case .string(let text): Array("$\(text.count)\r\n".utf8) + text + Array("\r\n".utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap { written($0) }
        }
    }

    private func made(_ dice: inout Dice, depth: Int = 0) -> RESP {
        let line = (0..<Int.random(in: 0...20, using: &dice)).map { _ in UInt8.random(in: 0x20...0x7E, using: &dice) }
        switch Int.random(in: 0..<(depth < 4 ? 8 : 5), using: &dice) {
        case 0: return .null
        case 1: return .integer(Int64.random(in: .min ... .max, using: &dice))
        case 2: return .status(line)
        case 3: return .error(line)
        case 4:
            return .string(
                (0..<Int.random(in: 0...600, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) })
        default: return .array((0..<Int.random(in: 0...6, using: &dice)).map { _ in made(&dice, depth: depth + 1) })
        }
    }

    @Test(arguments: UInt64(0)..<30)
    func `Whatever is written is read again, in any pieces; and what is spoilt harms nobody`(seed: UInt64) throws {
        var dice = Dice(seed)
        let answers = (0..<20).map { _ in made(&dice) }
        let bytes = answers.flatMap { written($0) }
        var reader = RESPReader()
        var (read, rest) = ([RESP](), bytes[...])
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...200, using: &dice))
            rest = rest.dropFirst(piece.count)
            read += try reader.feed(piece)
        }
        #expect(read == answers)

        for _ in 0..<20 {
            var spoilt = bytes
            for _ in 0..<Int.random(in: 1...8, using: &dice) {
                spoilt[Int.random(in: spoilt.indices, using: &dice)] =
                    dice.happens(0.5)
                    ? UInt8.random(in: 0...255, using: &dice)
                    : Array("*$:+-0123456789\r\n".utf8).randomElement(using: &dice) ?? 0
            }
            var reader = RESPReader()
            do {
                #expect(try reader.feed(spoilt).count <= spoilt.count / 3)
            } catch {
                #expect(error == .malformed || error == .tooLarge)
            }
        }
    }
}

@Suite struct RESPCommandTests {
    @Test func `A command is an array of strings`() {
        #expect(RESPCommand("PING").bytes == Array("*1\r\n$4\r\nPING\r\n".utf8))
        #expect(
            RESPCommand([Array("SET".utf8), [], [0, 0x0D, 0x0A, 0xFF]]).bytes
                == Array("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n".utf8) + [0, 0x0D, 0x0A, 0xFF, 0x0D, 0x0A])
    }

    @Test(arguments: UInt64(0)..<20) func `It is read back as what it was`(seed: UInt64) throws {
        var dice = Dice(seed)
        let parts = (0..<Int.random(in: 1...400, using: &dice)).map { _ in
            (0..<Int.random(in: 0...50, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
        }
        var reader = RESPReader()
        #expect(try reader.feed(RESPCommand(parts).bytes) == [.array(parts.map { .string($0) })])
    }
}
