/// Writes a Swift file with the texts of others: `embed-files OUTPUT FILE...`.
import Foundation

let output = CommandLine.arguments[1]
let quotes = "####\"\"\""
var text = """
    /// The files of the operator's page, as they are in `Operator/Dashboard`.
    enum EmbeddedPage {
        static let files: [(name: String, text: String)] = [

    """
for path in CommandLine.arguments.dropFirst(2) {
    let content = try String(contentsOfFile: path, encoding: .utf8)
    precondition(!content.contains("\"\"\"####") && !content.contains("\r"), "\(path): it cannot be embedded")
    text += "(\"\(URL(fileURLWithPath: path).lastPathComponent)\", \(quotes)\n\(content)\n\"\"\"####),\n"
}
text += "    ]\n}\n"
try text.write(toFile: output, atomically: true, encoding: .utf8)
