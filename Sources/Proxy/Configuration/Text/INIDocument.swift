/// An INI file as it stands: sections and entries with their lines and the byte ranges of their values.
///
/// `#` and `;` start a comment at the start of a line or after white space; a value in single or double quotes is taken
/// literally, comment signs included. Names of keys and sections ignore case. What stands before the first section and
/// what stands in `[DEFAULT]` is the root. Lines end in LF or CRLF; a UTF-8 BOM is skipped.
package struct INIDocument: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// As written.
        package let key: String
        /// Without quotes, comment and surrounding white space.
        package let value: String
        /// From 1.
        package let line: Int
        /// Where the value stands in the file, with its quotes; empty (at the place for one) when there is none.
        package let valueRange: Range<Int>
        /// The value stands in quotes.
        package let isQuoted: Bool

        /// The key as it is compared.
        package var name: String { key.lowercased() }
    }

    /// One header with what follows it. A name may occur more than once: the reader decides what that means.
    package struct Section: Sendable, Equatable {
        /// As written; empty before the first header.
        package let title: String
        /// The header's line; 1 before the first header.
        package let line: Int
        package var entries: [Entry] = []

        /// The section's name as it is compared; empty for the root, however it is written.
        package var name: String {
            let lowered = title.lowercased()
            return lowered == "default" ? "" : lowered
        }
    }

    package typealias Problem = SettingProblem

    /// In file order; the first is always the part before any header.
    package private(set) var sections: [Section]
    /// In file order.
    package private(set) var problems: [Problem] = []
    /// Where the first header's line begins, or the end of the file.
    package private(set) var firstHeaderOffset: Int

    /// Reads the whole file and collects what is wrong instead of stopping at it.
    package init(_ bytes: [UInt8]) {
        sections = [Section(title: "", line: 1)]
        firstHeaderOffset = bytes.count
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            problems = [Problem(line: 1, message: "the file is UTF-16", fix: "save it as UTF-8")]
            return
        }
        var start = bytes.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        var line = 0
        var sawHeader = false
        while start < bytes.count {
            line += 1
            let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let content = Self.trim(bytes, start..<newline)
            if !sawHeader, !content.isEmpty, bytes[content.lowerBound] == UInt8(ascii: "[") {
                firstHeaderOffset = start
                sawHeader = true
            }
            if let problem = Self.unreadable(bytes[content], line: line) {
                problems.append(problem)
            } else {
                read(content, of: bytes, line: line)
            }
            start = newline + 1
        }
    }

    package static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private mutating func read(_ content: Range<Int>, of bytes: [UInt8], line: Int) {
        guard let first = content.first.map({ bytes[$0] }), !Self.isCommentSign(first) else { return }
        if first == UInt8(ascii: "[") {
            readHeader(content, of: bytes, line: line)
        } else {
            readEntry(content, of: bytes, line: line)
        }
    }

    private mutating func readHeader(_ content: Range<Int>, of bytes: [UInt8], line: Int) {
        guard let close = bytes[content].firstIndex(of: UInt8(ascii: "]")) else {
            return report(line, "the section's name has no closing bracket", "write it as [NAME]")
        }
        let name = Self.trim(bytes, content.lowerBound + 1..<close)
        guard !name.isEmpty else { return report(line, "the section has no name", "write it as [NAME]") }
        guard Self.isBlankOrComment(bytes, close + 1..<content.upperBound) else {
            return report(line, "text follows the section's closing bracket", "move it to a line of its own")
        }
        sections.append(Section(title: Self.text(bytes[name]), line: line))
    }

    private mutating func readEntry(_ content: Range<Int>, of bytes: [UInt8], line: Int) {
        guard let equals = bytes[content].firstIndex(of: UInt8(ascii: "=")) else {
            let isPEM = Self.text(bytes[content]).hasPrefix("-----")
            return report(
                line, "the line is neither a section, a comment nor KEY = VALUE",
                isPEM
                    ? "save the PEM text in a file and set key_file to its path"
                    : "write it as KEY = VALUE, or begin it with #")
        }
        let key = Self.trim(bytes, content.lowerBound..<equals)
        guard !key.isEmpty else { return report(line, "there is no key before the =", "write it as KEY = VALUE") }

        let written = Self.trim(bytes, equals + 1..<content.upperBound)
        var range = written
        var value = range
        var isQuoted = false
        if let first = written.first, bytes[first] == UInt8(ascii: "\"") || bytes[first] == UInt8(ascii: "'") {
            guard let close = bytes[first + 1..<written.upperBound].firstIndex(of: bytes[first]) else {
                return report(
                    line, "the value of \(Self.shown(Self.text(bytes[key]))) has no closing quote",
                    "add the closing quote; a value that itself begins with a quote must be enclosed in the other kind of quotes"
                )
            }
            guard Self.isBlankOrComment(bytes, close + 1..<written.upperBound) else {
                return report(
                    line, "text follows the closing quote of \(Self.shown(Self.text(bytes[key])))",
                    "enclose the whole value in the other kind of quotes, or remove the text")
            }
            range = first..<close + 1
            value = first + 1..<close
            isQuoted = true
        } else if !written.isEmpty {
            range = Self.withoutComment(bytes, written, afterSpace: written.lowerBound > equals + 1)
            value = range
        }
        // A value that is not there would stand right after the sign, before the white space of a comment.
        if range.isEmpty { range = equals + 1..<equals + 1 }
        let entry = Entry(
            key: Self.text(bytes[key]), value: Self.text(bytes[value]), line: line, valueRange: range,
            isQuoted: isQuoted)
        sections[sections.count - 1].entries.append(entry)
    }

    private mutating func report(_ line: Int, _ message: String, _ fix: String) {
        problems.append(Problem(line: line, message: message, fix: fix))
    }

    /// A name as a message shows it. A pasted PEM or token can end up as one, so long ones are not shown.
    package static func shown(_ name: String) -> String {
        name.utf8.count <= 40 ? name : "a name of \(name.utf8.count) bytes"
    }
}

// MARK: - Bytes

extension INIDocument {
    /// Not UTF-8, or a control character that no setting can mean (a NUL ends paths, an escape moves terminals).
    private static func unreadable(_ content: ArraySlice<UInt8>, line: Int) -> Problem? {
        guard String(validating: content, as: UTF8.self) != nil else {
            return Problem(line: line, message: "the line is not valid UTF-8", fix: "save the file as UTF-8")
        }
        guard let control = content.first(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) else { return nil }
        let code = String(control, radix: 16, uppercase: true)
        return Problem(
            line: line, message: "the line contains the control character 0x\(code)", fix: "remove it")
    }

    private static func trim(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, isSpace(bytes[lower]) { lower += 1 }
        while upper > lower, isSpace(bytes[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// `range` up to the first comment sign that follows white space.
    private static func withoutComment(_ bytes: [UInt8], _ range: Range<Int>, afterSpace: Bool) -> Range<Int> {
        var previousIsSpace = afterSpace
        for index in range {
            if previousIsSpace, isCommentSign(bytes[index]) { return trim(bytes, range.lowerBound..<index) }
            previousIsSpace = isSpace(bytes[index])
        }
        return range
    }

    private static func isBlankOrComment(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        let rest = trim(bytes, range)
        guard let first = rest.first else { return true }
        return isCommentSign(bytes[first])
    }

    private static func isCommentSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") }
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
