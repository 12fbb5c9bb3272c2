extension String {
    /// Whether both are the same but for the case of their ASCII letters, as names of header fields are compared.
    func isEqualIgnoringCase(to lowercase: StaticString) -> Bool {
        utf8.count == lowercase.utf8CodeUnitCount && hasPrefixIgnoringCase(lowercase)
    }

    /// Whether it begins with that text but for the case of ASCII letters.
    func hasPrefixIgnoringCase(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        guard utf8.count >= length else { return false }
        return utf8.span.isEqualIgnoringCase(0..<length, to: lowercase)
    }
}
