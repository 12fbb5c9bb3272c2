/// Names of keys. They stand in section titles, paths, headers, logs and tables, so they are plain.
package enum KeyName {
    package static let longest = 64

    private static let forbidden = Set(",/\\\"'`[]".unicodeScalars)

    /// What is wrong with a name, for people; nil when nothing is.
    ///
    /// Allowed are 1...64 visible ASCII characters but commas, slashes, quotes and brackets; and not only dots, which a
    /// path cannot hold.
    package static func problem(with name: String) -> String? {
        guard !name.isEmpty else { return "the name of a key is empty; \(expected)" }
        guard name.utf8.count <= longest else {
            return "the name of a key has \(name.utf8.count) bytes; \(expected)"
        }
        for scalar in name.unicodeScalars {
            if scalar == " " { return "the name of a key has a space in it; \(expected)" }
            guard scalar.value > 0x20, scalar.value < 0x7F else {
                return "the name of a key has the character \(code(of: scalar)) in it; \(expected)"
            }
            guard !forbidden.contains(scalar) else {
                return "the name of a key has \(scalar) in it; \(expected)"
            }
        }
        guard name.contains(where: { $0 != "." }) else {
            return "the name of a key has nothing but dots; \(expected)"
        }
        return nil
    }

    private static let expected =
        "expected 1 to \(longest) letters, digits and signs of ASCII as in \"team-a.ci\", "
        + "no spaces, commas, slashes, quotes or brackets"

    /// `U+00E9`: the character itself may not be fit to print.
    private static func code(of scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
    }
}
