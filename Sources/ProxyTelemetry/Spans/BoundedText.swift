/// Texts of others, cut to a length that cannot hurt and made fit to be printed.
enum BoundedText {
    /// The beginning of a text, at most so many bytes of UTF-8; no character's code is cut in two.
    static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        // An index within a scalar is taken for the scalar's beginning.
        return String(text.unicodeScalars[..<text.utf8.index(text.startIndex, offsetBy: max(limit, 0))])
    }

    /// The same counted in Unicode scalars, as OpenTelemetry's limits are.
    static func cut(_ text: String, toScalars limit: Int) -> String {
        // There are at most as many as bytes, which are counted already.
        guard text.utf8.count > limit else { return text }
        return String(text.unicodeScalars.prefix(limit))
    }

    /// In one line of a log: cut, and with `?` for control characters.
    static func printable(_ text: String, toBytes limit: Int) -> String {
        let cut = cut(text, toBytes: limit)
        guard cut.unicodeScalars.contains(where: { isControl($0) }) else { return cut }
        var printable = String.UnicodeScalarView()
        for scalar in cut.unicodeScalars { printable.append(isControl(scalar) ? "?" : scalar) }
        return String(printable)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
