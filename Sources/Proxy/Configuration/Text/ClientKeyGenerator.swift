/// Makes the first client key, and the text of the configuration file that holds it.
package enum ClientKeyGenerator {
    /// What the examples say in place of a key.
    package static let placeholder = "auto_generated_key"

    package static func isPlaceholder(_ text: String) -> Bool {
        text.lowercased() == placeholder
    }

    /// 32 hex digits: 128 bits from the system's secure source.
    package static func makeKey() -> Secret {
        var generator = SystemRandomNumberGenerator()
        return makeKey(using: &generator)
    }

    static func makeKey(using generator: inout some RandomNumberGenerator) -> Secret {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = (0..<16).flatMap { _ -> [UInt8] in
            let byte = UInt8.random(in: .min ... .max, using: &generator)
            return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return Secret(String(decoding: bytes, as: UTF8.self))
    }

    /// The file with `key` where `api_key` is missing, empty or the placeholder (alone or in a list), and every other
    /// byte as it was: line ends, BOM, quotes, comments, and whether the last line is ended.
    package static func insert(_ key: Secret, into file: [UInt8]) -> [UInt8] {
        let document = INIDocument(file)
        let root = document.sections.filter { $0.name.isEmpty }.flatMap(\.entries)
        let key = Array(key.reveal().utf8)
        guard let entry = root.last(where: { $0.name == SettingsTable.clientKey }) else {
            return insertLine(key, into: file, document)
        }
        let range = entry.isQuoted ? entry.valueRange.dropFirst().dropLast() : entry.valueRange
        var replacement: [UInt8]
        if CommaList.parts(entry.value).isEmpty {
            replacement = entry.valueRange.isEmpty ? [UInt8(ascii: " ")] + key : key
        } else {
            replacement = replacePlaceholders(in: file[range], by: key)
        }
        var result = Array(file[..<range.lowerBound])
        result += replacement
        result += file[range.upperBound...]
        return result
    }

    /// Each part of the comma list that is the placeholder becomes the key; the white space around it stays.
    private static func replacePlaceholders(in list: ArraySlice<UInt8>, by key: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let parts = list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        let replaced = parts.map { part -> [UInt8] in
            let head = part.prefix(while: isSpace)
            let tail = part.dropFirst(head.count).reversed().prefix(while: isSpace).count
            let word = part.dropFirst(head.count).dropLast(tail)
            guard isPlaceholder(String(decoding: word, as: UTF8.self)) else { return Array(part) }
            return head + key + part.suffix(tail)
        }
        return Array(replaced.joined(separator: [UInt8(ascii: ",")]))
    }

    /// `api_key = KEY` on a line of its own: after the last entry before the first section, or else right before that
    /// section, or at the end of a file that has neither.
    private static func insertLine(_ key: [UInt8], into file: [UInt8], _ document: INIDocument) -> [UInt8] {
        let newline = firstNewline(of: file)
        let line = Array("\(SettingsTable.clientKey) = ".utf8) + key
        var offset = document.firstHeaderOffset
        if let last = document.sections[0].entries.last {
            let end = file[last.valueRange.upperBound...].firstIndex(of: UInt8(ascii: "\n"))
            offset = end.map { $0 + 1 } ?? file.count
        }
        let begin = file.starts(with: INIDocument.byteOrderMark) ? INIDocument.byteOrderMark.count : 0
        let followsOpenLine = offset > begin && file[offset - 1] != UInt8(ascii: "\n")
        let inserted = followsOpenLine ? newline + line : line + newline
        return Array(file[..<offset]) + inserted + file[offset...]
    }

    /// CRLF when the first line of the file ends so.
    private static func firstNewline(of file: [UInt8]) -> [UInt8] {
        guard let index = file.firstIndex(of: UInt8(ascii: "\n")), index > 0, file[index - 1] == UInt8(ascii: "\r")
        else { return [UInt8(ascii: "\n")] }
        return [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }
}
