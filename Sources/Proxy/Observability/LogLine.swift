import Logging

/// How one log entry looks as text.
///
/// Clients and upstreams choose some of the values. Whatever bytes they send, a record stays one record of the same fields, for a reader of
/// `key=value` and for one of JSON: both forms write a value with the escapes of JSON (`\"`, `\\`, `\n`, `\u202e`), and everything here goes by
/// scalars and bytes, since a quote with a mark behind it is one character that is no quote.
enum LogLine {
    /// Broken-down local or UTC time, as the caller has it.
    struct Time: Equatable {
        var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    }

    /// Bytes of a line, its end included.
    static let longest = 8 * 1024
    /// Bytes that a message may take, and each value, as they are written.
    private static let longestMessage = 4 * 1024
    private static let longestValue = 1024
    /// For what ends a line: the last pair, which says that others are missing, brackets, the line end.
    private static let reserve = 24

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

    private static func append(
        _ level: Logger.Level, _ message: String, _ metadata: [(String, String)], to line: inout [UInt8]
    ) {
        if level != .info { line.append(contentsOf: "[\(level.rawValue.uppercased())] ".utf8) }
        append(message: message, to: &line)
        for (key, value) in metadata {
            let start = line.count
            line.append(UInt8(ascii: " "))
            append(key: key, to: &line)
            line.append(UInt8(ascii: "="))
            // Almost every value is plain, and there are a dozen of them for each request.
            if isPlain(value) {
                line.append(contentsOf: value.utf8)
            } else {
                line.append(UInt8(ascii: "\""))
                append(escaped: value, upTo: longestValue, to: &line)
                line.append(UInt8(ascii: "\""))
            }
            guard line.count <= longest - reserve else {
                line.removeSubrange(start...)
                line.append(contentsOf: " cut=true".utf8)
                break
            }
        }
        line.append(UInt8(ascii: "\n"))
    }

    /// One JSON object, times in ISO 8601 UTC. For the journal with its priority in front, as a line of text has it.
    static func json(
        toJournal: Bool = false, at time: Time, level: Logger.Level, message: String, metadata: [(String, String)]
    ) -> String {
        var line: [UInt8] = []
        line.reserveCapacity(512)
        if toJournal { line.append(contentsOf: "<\(priority(of: level))>".utf8) }
        line.append(
            contentsOf:
                #"{"time":"\#(time.year)-\#(padded(time.month))-\#(padded(time.day))T\#(padded(time.hour)):\#(padded(time.minute)):\#(padded(time.second))Z""#
                .utf8)
        line.append(contentsOf: #","level":"\#(level.rawValue)","message":""#.utf8)
        append(escaped: message, upTo: longestMessage, to: &line)
        line.append(UInt8(ascii: "\""))
        for (key, value) in metadata {
            let start = line.count
            line.append(contentsOf: ",\"".utf8)
            append(key: key, to: &line)
            line.append(contentsOf: "\":\"".utf8)
            append(escaped: value, upTo: longestValue, to: &line)
            line.append(UInt8(ascii: "\""))
            guard line.count <= longest - reserve else {
                line.removeSubrange(start...)
                line.append(contentsOf: #","cut":"true""#.utf8)
                break
            }
        }
        line.append(contentsOf: "}\n".utf8)
        return String(decoding: line, as: UTF8.self)
    }

    /// - Parameter number: of at least one digit, and mostly of two at most.
    private static func append(padded number: Int, to line: inout [UInt8]) {
        guard (0...99).contains(number) else { return line.append(contentsOf: padded(number).utf8) }
        line.append(UInt8(ascii: "0") + UInt8(number / 10))
        line.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    // MARK: Strangers' text

    /// A message is words of this program for a person, so its quotes and backslashes stay as they are; but for one that would begin a value.
    private static func append(message: String, to line: inout [UInt8]) {
        let start = line.count
        for scalar in message.unicodeScalars {
            guard line.count - start < longestMessage else { break }
            if isInvisible(scalar) {
                append(escape: scalar, to: &line)
            } else {
                if scalar == "\"", line.last == UInt8(ascii: "=") { line.append(UInt8(ascii: "\\")) }
                append(scalar, to: &line)
            }
        }
    }

    /// The names of the pairs are ours, and words.
    private static func append(key: String, to line: inout [UInt8]) {
        for byte in key.utf8.prefix(64) {
            line.append(
                (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
                    && byte != UInt8(ascii: "\\") ? byte : UInt8(ascii: "_"))
        }
    }

    /// Whether a value stands for itself: it is visible ASCII of no great length, and has nothing for which it would be quoted.
    private static func isPlain(_ value: String) -> Bool {
        let bytes = value.utf8
        guard !bytes.isEmpty, bytes.count <= longestValue else { return false }
        return bytes.allSatisfy {
            (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
                && $0 != UInt8(ascii: "\\")
        }
    }

    /// What stands between the quotes of a string of JSON, but with everything escaped that is not to be seen: it may paint a terminal, end a
    /// line for some reader, or turn what follows around.
    ///
    /// - Parameter limit: bytes that are written at most. A text is cut between two scalars.
    private static func append(escaped text: String, upTo limit: Int, to line: inout [UInt8]) {
        let start = line.count
        for scalar in text.unicodeScalars {
            let before = line.count
            switch scalar {
            case "\"", "\\":
                line.append(UInt8(ascii: "\\"))
                line.append(UInt8(truncatingIfNeeded: scalar.value))
            case "\n": line.append(contentsOf: #"\n"#.utf8)
            case "\r": line.append(contentsOf: #"\r"#.utf8)
            case "\t": line.append(contentsOf: #"\t"#.utf8)
            case _ where isInvisible(scalar): append(escape: scalar, to: &line)
            default: append(scalar, to: &line)
            }
            guard line.count - start <= limit else {
                line.removeSubrange(before...)
                break
            }
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout [UInt8]) {
        if scalar.isASCII {
            line.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            line.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// `\u202e`; beyond the first 65,536 as a pair of surrogates, as JSON has it.
    private static func append(escape scalar: Unicode.Scalar, to line: inout [UInt8]) {
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
            let digits: StaticString = "0123456789abcdef"
            line.append(contentsOf: [
                UInt8(ascii: "\\"), UInt8(ascii: "u"), digits.utf8[Int(unit >> 12)], digits.utf8[Int(unit >> 8 & 0xF)],
                digits.utf8[Int(unit >> 4 & 0xF)],
                digits.utf8[Int(unit & 0xF)],
            ])
        }
    }

    /// Control and format characters (ESC, NUL, NEL, directions, joiners, tags), line separators, and what has no meaning of its own.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
