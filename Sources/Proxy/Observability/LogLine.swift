import Logging

/// How one log entry looks as text.
enum LogLine {
    /// Broken-down local or UTC time, as the caller has it.
    struct Time: Equatable {
        var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    }

    /// `2025/08/05 21:23:25 Loaded 5 models from config`; what is not merely informative says so.
    static func text(at time: Time, level: Logger.Level, message: String, metadata: [(String, String)]) -> String {
        var line = "\(time.year)/\(padded(time.month))/\(padded(time.day)) \(padded(time.hour)):\(padded(time.minute)):\(padded(time.second)) "
        line += content(level, message, metadata)
        return line
    }

    /// The same for the journal, which knows the time by itself and takes the priority from `<N>` in front (sd-daemon(3)).
    static func journal(level: Logger.Level, message: String, metadata: [(String, String)]) -> String {
        "<\(priority(of: level))>" + content(level, message, metadata)
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

    private static func content(_ level: Logger.Level, _ message: String, _ metadata: [(String, String)]) -> String {
        var line = level == .info ? "" : "[\(level.rawValue.uppercased())] "
        line += clean(message)
        for (key, value) in metadata { line += " \(key)=\(quotedIfNeeded(value))" }
        return line + "\n"
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

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Clients choose some of the values; none of them may begin a line of its own or paint a terminal.
    private static func clean(_ text: String) -> String {
        // Almost every value is plain ASCII, and this runs for each of them.
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var result = ""
        for scalar in text.unicodeScalars { result += isControl(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar) }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = clean(value)
        guard value.isEmpty || value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) else { return value }
        return "\"" + value.replacing("\"", with: "\\\"") + "\""
    }
}
