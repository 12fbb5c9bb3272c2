extension String {
    /// Whether both are the same but for the case of their ASCII letters, as names of header fields are compared.
    func isEqualIgnoringCase(to lowercase: StaticString) -> Bool {
        guard utf8.count == lowercase.utf8CodeUnitCount else { return false }
        let answer = utf8.withContiguousStorageIfAvailable { text in
            UnsafeRawBufferPointer(text).isEqualIgnoringCase(0..<text.count, to: lowercase)
        }
        if let answer { return answer }
        var text = self
        return text.withUTF8 { UnsafeRawBufferPointer($0).isEqualIgnoringCase(0..<$0.count, to: lowercase) }
    }
}
