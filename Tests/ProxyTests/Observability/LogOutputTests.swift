import Foundation
import Logging
import Testing

@testable import Proxy

/// The log before a sink that takes nothing for a while: a named pipe that nobody reads.
@Suite struct LogOutputTests {
    private func withPipe(_ body: (_ path: String, _ reader: Int32) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "ociai-pipe-\(UUID().uuidString)").path
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        try #require(reader >= 0)
        defer { close(reader) }
        try body(path, reader)
    }

    /// What can be read without waiting.
    private func read(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Foundation.read(descriptor, &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    private func output(_ path: String) throws -> LogOutput {
        var settings = LoggingSettings()
        settings.file = path
        return try LogOutput(settings)
    }

    @Test func `A flush writes all that has been logged`() throws {
        try withPipe { path, reader in
            let output = try output(path)
            let logger = output.logger()
            for number in 0..<100 { logger.info("line \(number)") }
            output.flush(within: .seconds(20))
            let lines = read(reader).split(separator: "\n")
            #expect(lines.map { $0.dropFirst(20) } == (0..<100).map { "line \($0)" })
            #expect(output.dropped == 0)
        }
    }

    /// Pairs that are in order already go a shorter way, to the same line.
    @Test(arguments: [LoggingSettings.Format.text, .json]) func `Sorted pairs make the same line as metadata`(
        format: LoggingSettings.Format
    ) throws {
        try withPipe { path, reader in
            var settings = LoggingSettings()
            settings.file = path
            settings.format = format
            let output = try LogOutput(settings)
            let logger = output.logger()
            let values = [
                "", "x", "a b", "a\"b", "a=b", "é", "a\u{301}", "\n", "\r\n", "\u{1b}[31m", "\u{2028}", "~", "\u{7f}",
                String(repeating: "long", count: 100), "=", " \u{301}",
            ]
            let pairs = values.enumerated().map { ("k\(String(100 + $0.offset))", $0.element) }
            for level in [Logger.Level.info, .warning] {
                logger.log(level, "the message \"é\"", sorted: pairs)
                logger.log(
                    level: level, "the message \"é\"",
                    metadata: Logger.Metadata(uniqueKeysWithValues: pairs.map { ($0.0, .string($0.1)) }))
            }
            logger.log(.debug, "not seen", sorted: pairs)
            var own = logger
            own[metadataKey: "z"] = "own"
            own.log(.info, "m", sorted: [("a", "b")])
            output.flush(within: .seconds(20))
            // Without the time, which may be another second's.
            let lines = read(reader).split(separator: "\n").map {
                $0.drop { $0 != (format == .text ? " " : ",") }.dropFirst(format == .text ? 10 : 0)
            }
            try #require(lines.count == 5)
            #expect(lines[0] == lines[1] && lines[2] == lines[3] && lines[0] != lines[2])
            #expect(lines[4].contains("own"))
        }
    }

    @Test func `A stuck sink stops nobody and says later what is missing`() throws {
        try withPipe { path, reader in
            let output = try output(path)
            let logger = output.logger()
            let padding = String(repeating: "x", count: 1000)
            // More than the queue and the pipe hold. If a logger waited, this would never end.
            for number in 0..<6000 { logger.info("\(number) \(padding)") }
            #expect(output.dropped > 0)
            let begin = ContinuousClock.now
            output.flush(within: .milliseconds(50))
            #expect(ContinuousClock.now - begin < .seconds(10), "nor does the end of the process wait for it")

            // It flows again.
            var text = ""
            let deadline = ContinuousClock.now + .seconds(20)
            var told = 0
            var numbers: [Int] = []
            while numbers.count + told < 6000, ContinuousClock.now < deadline {
                text += read(reader)
                guard let end = text.lastIndex(of: "\n") else { continue }
                for line in text[...end].split(separator: "\n") {
                    if let count = line.firstMatch(of: /dropped=(\d+)/) { told += Int(count.1) ?? 0 }
                    if let number = line.dropFirst(20).split(separator: " ").first.flatMap({ Int($0) }) {
                        numbers.append(number)
                    }
                }
                text.removeSubrange(...end)
            }
            #expect(told == output.dropped && numbers.count + told == 6000)
            #expect(numbers.first == 0 && zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "in their order")
        }
    }

    @Test func `Lines go where they were to go when they were logged`() throws {
        try withPipe { first, firstReader in
            try withPipe { second, secondReader in
                let output = try output(first)
                output.logger().info("before")
                var settings = LoggingSettings()
                settings.file = second
                output.move(to: try LogOutput.open(settings))
                output.logger().info("after")
                output.flush(within: .seconds(20))
                let texts = [read(firstReader), read(secondReader)]
                #expect(texts[0].hasSuffix(" before\n") && texts[1].hasSuffix(" after\n"), "\(texts)")
                #expect(texts.allSatisfy { $0.count { $0 == "\n" } == 1 }, "\(texts)")
            }
        }
    }
}
