/// Rows of texts in columns, as a terminal shows them.
struct TextTable: Equatable, Sendable {
    struct Column: Equatable, Sendable {
        enum Side: Sendable { case left, right }
        var title: String
        /// Numbers stand at the right.
        var side = Side.left
        /// It is left out where nothing is known of it in any row.
        var isOptional = false

        init(_ title: String, _ side: Side = .left, isOptional: Bool = false) {
            self.title = title
            self.side = side
            self.isOptional = isOptional
        }
    }

    /// What stands for what is not known.
    static let unknown = "-"

    let columns: [Column]
    /// As many texts in each as there are columns.
    var rows: [[String]] = []

    init(_ columns: [Column], rows: [[String]] = []) {
        self.columns = columns
        self.rows = rows.map { $0.map(Self.printable) }
    }

    /// The titles and the rows, each with a line end. Lines have no blanks at their ends.
    var text: String {
        let shown = columns.indices.filter { column in
            !columns[column].isOptional || rows.contains { $0[column] != Self.unknown }
        }
        let lines = [columns.map(\.title)] + rows
        let widths = shown.map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for line in lines {
            var cells: [String] = []
            for (column, width) in zip(shown, widths) {
                let blanks = String(repeating: " ", count: width - line[column].count)
                cells.append(columns[column].side == .left ? line[column] + blanks : blanks + line[column])
            }
            var joined = cells.joined(separator: "  ")
            while joined.last == " " { joined.removeLast() }
            text += joined + "\n"
        }
        return text
    }

    /// Names come from elsewhere: nothing in them may move a terminal's cursor.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { clean.append(isControl(scalar) ? "?" : scalar) }
        return String(clean)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
