extension JSONValue {
    /// The value in one line, as an event of a stream must have it: its sender may have put line breaks between the tokens.
    var oneLine: ArraySlice<UInt8> {
        let raw = raw
        guard raw.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return raw }
        // Within a string they are escaped.
        return raw.filter { $0 != 0x0A && $0 != 0x0D }[...]
    }
}
