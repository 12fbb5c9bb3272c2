/// From a place that is no JSON to what somebody who has edited a configuration by hand can do about it.
enum JSONHint {
    /// - Parameter text: what was parsed, with its comments blanked.
    static func problem(_ error: JSONSyntaxError, in text: [UInt8], _ lines: LineNumbers) -> SettingProblem {
        let found = error.offset < text.count ? text[error.offset] : nil
        var offset = error.offset
        // A comma is missed where the next value begins, often a line further; it belongs behind the value before.
        if error.problem == JSONSyntaxError.missingComma, found != nil {
            while offset > 0, isBlank(text[offset - 1]) { offset -= 1 }
        }
        offset = min(offset, max(text.count - 1, 0))
        return SettingProblem(
            line: lines.line(at: offset), message: "\(error.problem) (column \(lines.column(at: offset)))",
            fix: fix(error, found, text))
    }

    private static func fix(_ error: JSONSyntaxError, _ found: UInt8?, _ text: [UInt8]) -> String {
        guard let found else { return "close every { with }, every [ with ] and every string with a quote" }
        if error.problem == JSONSyntaxError.notUTF8 { return "save the file as UTF-8" }
        if error.problem == JSONSyntaxError.missingComma {
            return found == UInt8(ascii: "\"")
                ? "put a comma between the two values"
                : "put a comma after the value, or close what is open with } or ]"
        }
        return switch found {
        case UInt8(ascii: "'"), 0xE2: "enclose strings in straight double quotes"
        case UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"): "write true, false or null in lower case"
        case UInt8(ascii: "\\"): #"write a backslash in a string as \\"#
        case 0x0A, 0x0D: #"close the string with a quote on the same line; write a line break in a string as \n"#
        case 0..<0x20: #"write a tab in a string as \t, and remove other control characters"#
        case UInt8(ascii: ","): "remove the comma, or put a value before it"
        case UInt8(ascii: "}"), UInt8(ascii: "]"): "add what is missing before the bracket, or correct the bracket"
        case UInt8(ascii: "/"), UInt8(ascii: "#"): "begin a comment with //, or with # at the start of a line"
        case UInt8(ascii: "{"), UInt8(ascii: "["): "check the brackets and commas before this place"
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            "enclose names and strings in double quotes"
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            "write a number such as 30 or 0.5, or enclose the value in double quotes"
        default: #"compare the line with configs/config.json.example"#
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
