extension JSONWriter {
    /// RFC 3339, or null.
    ///
    /// - Parameter seconds: since 1970.
    mutating func moment(_ seconds: Int64?) {
        if let seconds { string(RFC3339.format(seconds)) } else { null() }
    }
}
