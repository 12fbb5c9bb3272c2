extension String {
    /// Whether both are the same but for the case of their ASCII letters, as names of header fields are compared.
    func isEqualIgnoringCase(to lowercase: StaticString) -> Bool {
        let count = lowercase.utf8CodeUnitCount
        guard utf8.count == count else { return false }
        var expected = lowercase.utf8Start
        for byte in utf8 {
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 == expected.pointee : byte == expected.pointee else { return false }
            expected += 1
        }
        return true
    }
}
