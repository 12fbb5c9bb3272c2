import Logging
import Testing

@testable import Proxy

@Suite struct LogLineTests {
    private let time = LogLine.Time(year: 2025, month: 8, day: 5, hour: 21, minute: 3, second: 25)

    /// The journal has a time of its own, and takes the priority from the front.
    @Test(arguments: [
        (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
    ])
    func `A line for the journal has its priority and no time`(level: Logger.Level, priority: Int) {
        let tag = level == .info ? "" : "[\(level.rawValue.uppercased())] "
        #expect(
            LogLine.journal(level: level, message: "m", metadata: [("a", "b c")]) == "<\(priority)>\(tag)m a=\"b c\"\n")
    }

    @Test func `A text line has the time and the message`() {
        #expect(
            LogLine.text(at: time, level: .info, message: "Loaded 5 models from config", metadata: [])
                == "2025/08/05 21:03:25 Loaded 5 models from config\n")
    }

    @Test func `What is not merely informative says so`() {
        #expect(
            LogLine.text(at: time, level: .warning, message: "m", metadata: [("a", "b c"), ("d", "e")])
                == "2025/08/05 21:03:25 [WARNING] m a=\"b c\" d=e\n")
    }

    @Test func `Nobody can forge a line`() {
        let line = LogLine.text(
            at: time, level: .info, message: "m",
            metadata: [("model", "x\n2025/08/05 21:03:26 forged\u{1b}[31m\u{2028}")])
        #expect(line.filter { $0.isNewline }.count == 1)
        #expect(!line.contains("\u{1b}"))
    }

    @Test func `A JSON line is one object`() throws {
        let line = LogLine.json(at: time, level: .error, message: "a \"b\"\n", metadata: [("request.id", "r")])
        let root = try JSONDocument(parsing: Array(line.utf8)).root
        #expect(root["time"]?.string == "2025-08-05T21:03:25Z")
        #expect(root["level"]?.string == "error")
        #expect(root["message"]?.string == "a \"b\"\n")
        #expect(root["request.id"]?.string == "r")
        #expect(line.filter { $0.isNewline }.count == 1)
    }
}
