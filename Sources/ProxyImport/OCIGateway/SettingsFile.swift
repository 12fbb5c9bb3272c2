/// `config.py` or `.env` of the gateway: lines of `NAME = VALUE`, with quotes and comments as Python and shells have them.
enum SettingsFile {
    /// - Parameter keys: takes the names up.
    /// - Throws: `ImportFailure` where the text is none.
    static func read(_ bytes: [UInt8], _ keys: inout SourceKeys) throws(ImportFailure) -> [YAMLMember] {
        let text: String
        do {
            text = try YAMLText.text(of: bytes)
        } catch {
            throw ImportFailure(file: .settings, line: error.line, error.message, error.fix)
        }
        var members: [YAMLMember] = []
        /// The quotes of a text of several lines, and its member.
        var open: String?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if let quotes = open {
                if line.contains(quotes) { open = nil }
                continue
            }
            guard let (name, rest) = assignment(line) else { continue }
            let number = index + 1
            if let quotes = ["\"\"\"", "'''"].first(where: rest.hasPrefix) {
                if !rest.dropFirst(3).contains(quotes) { open = quotes }
                members.append(member(name, "", number, &keys))
            } else {
                members.append(member(name, value(rest), number, &keys))
            }
        }
        return members
    }

    private static func member(_ name: String, _ value: String, _ line: Int, _ keys: inout SourceKeys) -> YAMLMember {
        let id = keys.add(
            .init(path: SourceKeys.shown(name), file: .settings, line: line, column: 1, parent: nil))
        return YAMLMember(
            key: name, id: id, line: line, value: YAMLValue(content: .scalar(value, isPlain: false), line: line))
    }

    /// `NAME = rest`, also behind `export`.
    private static func assignment(_ line: Substring) -> (name: String, rest: Substring)? {
        var line = trimmed(line)
        if line.hasPrefix("export ") { line = trimmed(line.dropFirst(7)) }
        guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { return nil }
        let name = trimmed(line[..<equals])
        let isName =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "_")
            }
        return isName ? (String(name), trimmed(line[line.index(after: equals)...])) : nil
    }

    private static func value(_ rest: Substring) -> String {
        if let quote = rest.first, quote == "\"" || quote == "'" {
            return String(rest.dropFirst().prefix { $0 != quote })
        }
        var end = rest.startIndex
        while end < rest.endIndex {
            if rest[end] == "#", end == rest.startIndex || rest[rest.index(before: end)].isWhitespace { break }
            end = rest.index(after: end)
        }
        return String(trimmed(rest[..<end]))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
