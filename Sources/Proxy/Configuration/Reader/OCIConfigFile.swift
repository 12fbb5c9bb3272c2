/// Oracle's own `~/.oci/config`: named profiles that inherit what `[DEFAULT]` sets (OCI wire notes 1.6).
///
/// Read as Python's configparser reads it, which is what Oracle's tools do: `=` or `:` after a key, comments on lines of their
/// own only, quotes are part of a value, profile names are case-sensitive and keys are not.
package struct OCIConfigFile: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package let value: String
        /// From 1.
        package let line: Int
    }

    /// By profile.
    private var sections: [String: [String: Entry]] = [:]
    /// In file order.
    package private(set) var profiles: [String] = []

    package init(_ bytes: [UInt8]) {
        let text = String(
            decoding: bytes.starts(with: INIDocument.byteOrderMark) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
        var section: String?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = Self.trim(line)
            guard let first = line.first, first != "#", first != ";" else { continue }
            // Messages repeat names and values, and none of those has a character that moves a terminal's cursor.
            let isReadable = line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" }
            if first == "[", let close = line.lastIndex(of: "]") {
                guard isReadable else {
                    section = nil
                    continue
                }
                let name = String(line[line.index(after: line.startIndex)..<close])
                if sections[name] == nil {
                    sections[name] = [:]
                    profiles.append(name)
                }
                section = name
            } else if isReadable, let section, let sign = line.firstIndex(where: { $0 == "=" || $0 == ":" }) {
                let key = Self.trim(line[..<sign]).lowercased()
                sections[section]?[key] = Entry(
                    value: String(Self.trim(line[line.index(after: sign)...])), line: index + 1)
            }
        }
    }

    /// What a profile amounts to, with what it inherits; nil when there is no such profile. Empty values are left out.
    package func profile(_ name: String) -> [String: Entry]? {
        guard let own = sections[name] else { return nil }
        return (sections["DEFAULT"] ?? [:]).merging(own) { _, own in own }.filter { !$0.value.value.isEmpty }
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
