import GRDB
import ProxyAccounting

/// Writes rows as JSON lines or as CSV (RFC 4180, with a line of names).
///
/// In CSV a text that a spreadsheet would take for a formula gets a ' before it, as OWASP advises: names come from clients and upstreams. Numbers, moments
/// and flags are never changed. Programs that want each text to the letter read JSON lines.
struct ExportText {
    enum Kind {
        case text
        case number
        /// Written as milliseconds.
        case microseconds
        /// Microseconds since 1970.
        case moment
        /// A day since 1970.
        case date
        /// 0 or 1.
        case flag
        /// A `UsageTruth`.
        case truth
    }

    private let columns: [LedgerExportOrder.Level.Column]
    private let format: LedgerExportOrder.Format
    /// What stands before each member of a JSON line.
    private let keys: [[UInt8]]
    private(set) var bytes: [UInt8] = []

    init(_ columns: [LedgerExportOrder.Level.Column], _ format: LedgerExportOrder.Format) {
        self.columns = columns
        self.format = format
        keys = columns.enumerated().map { index, column in Array("\(index == 0 ? "{" : ",")\"\(column.name)\":".utf8) }
    }

    /// CSV's first line.
    mutating func header() {
        guard format == .csv else { return }
        bytes += columns.map(\.name).joined(separator: ",").utf8
        bytes += [Self.carriageReturn, Self.lineFeed]
    }

    /// - Parameter first: the index of the first member in the row.
    mutating func row(_ row: Row, from first: Int) {
        for index in columns.indices {
            if format == .jsonl {
                bytes += keys[index]
            } else if index > 0 {
                bytes.append(UInt8(ascii: ","))
            }
            member(row, first + index, columns[index].kind)
        }
        if format == .jsonl {
            bytes += [UInt8(ascii: "}"), Self.lineFeed]
        } else {
            bytes += [Self.carriageReturn, Self.lineFeed]
        }
    }

    private mutating func member(_ row: Row, _ index: Int, _ kind: Kind) {
        switch kind {
        case .text:
            guard let text: String = row[index] else { return unknown() }
            write(text)
        default:
            guard let number: Int64 = row[index] else { return unknown() }
            switch kind {
            case .microseconds: bytes += Self.milliseconds(number).utf8
            case .moment: write(Timestamp.iso(microseconds: number))
            case .date: write(Timestamp.date(number))
            case .flag: bytes += (number != 0 ? "true" : "false").utf8
            case .truth: write((UsageTruth(rawValue: Int(number)) ?? .unknown).name)
            case .text, .number: bytes += String(number).utf8
            }
        }
    }

    private mutating func unknown() { if format == .jsonl { bytes += "null".utf8 } }

    private mutating func write(_ text: String) {
        if format == .jsonl { json(text) } else { csv(text) }
    }

    private mutating func json(_ text: String) {
        bytes.append(Self.quote)
        defer { bytes.append(Self.quote) }
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == Self.quote || $0 == Self.backslash }) else {
            bytes += text.utf8
            return
        }
        for byte in text.utf8 {
            switch byte {
            case Self.quote, Self.backslash: bytes += [Self.backslash, byte]
            case ..<0x20: bytes += #"\u00"#.utf8 + [Self.hex[Int(byte >> 4)], Self.hex[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
    }

    private mutating func csv(_ text: String) {
        // An empty text is told from what is not known by its quotes.
        let isQuoted = text.isEmpty || text.utf8.contains(where: Self.needsQuotes)
        if isQuoted { bytes.append(Self.quote) }
        if let first = text.utf8.first, Self.formula.contains(first) { bytes.append(UInt8(ascii: "'")) }
        guard isQuoted else {
            bytes += text.utf8
            return
        }
        for byte in text.utf8 {
            if byte == Self.quote { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(Self.quote)
    }

    private static func needsQuotes(_ byte: UInt8) -> Bool {
        byte == quote || byte == UInt8(ascii: ",") || byte == carriageReturn || byte == lineFeed
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let carriageReturn: UInt8 = 0x0D
    private static let lineFeed: UInt8 = 0x0A
    private static let hex = Array("0123456789abcdef".utf8)
    private static let formula = Set("=+-@\t\r\n".utf8)

    private static func milliseconds(_ microseconds: Int64) -> String {
        let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest != 0 else { return "\(whole)" }
        var digits = String(String(1000 + rest).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
