/// The bytes of a file as text, without what the parser would stumble over.
enum YAMLText {
    /// - Throws: `ImportFailure` with the line of the first byte that is no text.
    static func text(of bytes: [UInt8]) throws(ImportFailure) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ImportFailure(line: 1, "the file is UTF-16", "save it as UTF-8")
        }
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            throw ImportFailure(line: invalidLine(content), "the line is not valid UTF-8", "save the file as UTF-8")
        }
        var line = 1
        for byte in content {
            if byte == 0x0A { line += 1 }
            guard byte == 0x7F || (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) else { continue }
            let code = String(byte, radix: 16, uppercase: true)
            throw ImportFailure(line: line, "the line contains the control character 0x\(code)", "remove it")
        }
        guard content.contains(where: { $0 > 0x20 }) else {
            throw ImportFailure(line: nil, "the file is empty", "name the file with the configuration")
        }
        return text
    }

    private static func invalidLine(_ content: ArraySlice<UInt8>) -> Int {
        var line = 1
        for part in content.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }
}
