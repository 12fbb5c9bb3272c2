/// A table that reads well as text too: columns of one width, figures to the right.
struct MarkdownTable {
    private var rows: [[String]]

    init(_ heads: [String]) { rows = [heads] }

    /// As many cells as there are heads.
    mutating func add(_ cells: [String]) { rows.append(cells) }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        // Words to the left, figures to the right.
        let isFigure = rows[0].indices.map { column in
            rows.dropFirst().allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" } ?? false }
        }
        let lines = rows.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return isFigure[column] ? space + row[column] : row[column] + space
            }.joined(separator: " | ")
        }
        let rule = widths.indices.map { column in
            isFigure[column]
                ? String(repeating: "-", count: widths[column] - 1) + ":"
                : String(repeating: "-", count: widths[column])
        }.joined(separator: " | ")
        return ([lines[0], rule] + lines.dropFirst()).map { "| " + $0 + " |\n" }.joined()
    }
}

extension Double {
    /// With so many digits after the point; not a number is a dash.
    func decimal(_ digits: Int) -> String {
        guard isFinite else { return "-" }
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((magnitude * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let sign = self < 0 && scaled > 0 ? "-" : ""
        return sign + String(scaled / scale)
            + (digits == 0 ? "" : "." + String(repeating: "0", count: digits - fraction.count) + fraction)
    }
}
