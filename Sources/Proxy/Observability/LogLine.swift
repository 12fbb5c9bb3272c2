import Logging

/// How one log entry looks as text.
enum LogLine {
    /// Broken-down local or UTC time, as the caller has it.
    struct Time: Equatable {
        var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    }

    /// `2025/08/05 21:23:25 Loaded 5 models from config`; what is not merely informative says so.
    static func text(at time: Time, level: Logger.Level, message: String, metadata: [(String, String)]) -> String {
        var line: [UInt8] = []
        line.reserveCapacity(512)
        line.append(contentsOf: String(time.year).utf8)
        line.append(UInt8(ascii: "/"))
        append(padded: time.month, to: &line)
        line.append(UInt8(ascii: "/"))
        append(padded: time.day, to: &line)
        line.append(UInt8(ascii: " "))
        append(padded: time.hour, to: &line)
        line.append(UInt8(ascii: ":"))
        append(padded: time.minute, to: &line)
        line.append(UInt8(ascii: ":"))
        append(padded: time.second, to: &line)
        line.append(UInt8(ascii: " "))
        append(level, message, metadata, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    /// The same for the journal, which knows the time by itself and takes the priority from `<N>` in front (sd-daemon(3)).
    static func journal(level: Logger.Level, message: String, metadata: [(String, String)]) -> String {
        var line = Array("<\(priority(of: level))>".utf8)
        append(level, message, metadata, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    /// syslog(3)'s number.
    private static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func append(_ level: Logger.Level, _ message: String, _ metadata: [(String, String)], to line: inout [UInt8]) {
        if level != .info { line.append(contentsOf: "[\(level.rawValue.uppercased())] ".utf8) }
        line.append(contentsOf: clean(message).utf8)
        for (key, value) in metadata {
            line.append(UInt8(ascii: " "))
            line.append(contentsOf: key.utf8)
            line.append(UInt8(ascii: "="))
            // Almost every value is plain, and there are a dozen of them for each request.
            if isPlain(value) { line.append(contentsOf: value.utf8) } else { line.append(contentsOf: quotedIfNeeded(value).utf8) }
        }
        line.append(UInt8(ascii: "\n"))
    }

    /// One JSON object, times in ISO 8601 UTC. For the journal with its priority in front, as a line of text has it.
    static func json(toJournal: Bool = false, at time: Time, level: Logger.Level, message: String, metadata: [(String, String)]) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("time")
        writer.string("\(time.year)-\(padded(time.month))-\(padded(time.day))T\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second))Z")
        writer.key("level")
        writer.string(level.rawValue)
        writer.key("message")
        writer.string(message)
        for (key, value) in metadata {
            writer.key(key)
            writer.string(value)
        }
        writer.endObject()
        return (toJournal ? "<\(priority(of: level))>" : "") + String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    /// - Parameter number: of at least one digit, and mostly of two at most.
    private static func append(padded number: Int, to line: inout [UInt8]) {
        guard (0...99).contains(number) else { return line.append(contentsOf: padded(number).utf8) }
        line.append(UInt8(ascii: "0") + UInt8(number / 10))
        line.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Clients choose some of the values; none of them may begin a line of its own or paint a terminal.
    private static func clean(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var result = ""
        for scalar in text.unicodeScalars { result += isControl(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar) }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    /// Whether a value stands for itself: it is visible ASCII, and has nothing for which it would be quoted.
    private static func isPlain(_ value: String) -> Bool {
        guard !value.isEmpty else { return false }
        return value.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = clean(value)
        guard value.isEmpty || value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else { return value }
        return "\"" + value.replacing("\"", with: "\\\"") + "\""
    }
}
