/// Members of the endpoints' documents, as people read them. What is null, or not there, is `-` and never 0.
enum Figures {
    static func text(_ value: JSONValue?) -> String { value?.string ?? TextTable.unknown }

    static func count(_ value: JSONValue?) -> String { value?.int.map(String.init) ?? TextTable.unknown }

    /// Texts with commas between them; `-` for none.
    static func list(_ value: JSONValue?) -> String {
        let texts = value.map { $0.elements.compactMap(\.string) } ?? []
        return texts.isEmpty ? TextTable.unknown : texts.joined(separator: ", ")
    }

    /// Nano-dollars as dollars with four digits behind the point.
    static func dollars(_ value: JSONValue?) -> String { value?.int.map(dollars) ?? TextTable.unknown }

    /// What is less than the last digit, and not nothing, is said to be so.
    static func dollars(_ nano: Int) -> String {
        guard nano != 0 else { return "0.0000" }
        let sign = nano < 0 ? "-" : ""
        let (whole, rest) = nano.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        if whole == 0, rest < 50_000 { return sign.isEmpty ? "<0.0001" : ">-0.0001" }
        var (dollars, digits) = (whole, (rest + 50_000) / 100_000)
        if digits == 10_000 { (dollars, digits) = (dollars + 1, 0) }
        return "\(sign)\(dollars).\(String(String(10_000 + digits).dropFirst()))"
    }

    /// Whole milliseconds.
    static func milliseconds(_ value: JSONValue?) -> String {
        value?.double.map { String(Int($0.rounded())) } ?? TextTable.unknown
    }

    /// A part of 1 as percent.
    static func share(_ value: JSONValue?) -> String {
        guard let share = value?.double else { return TextTable.unknown }
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
