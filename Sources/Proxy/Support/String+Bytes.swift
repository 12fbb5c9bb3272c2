extension String {
    /// The text itself when it has no more than `limit` bytes, else what of its beginning does, cut between two scalars. A `prefix` of
    /// characters has no bound: one character may have any number of marks.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: max(limit, 0))
        while end > startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(self[..<end])
    }

    /// As much of what a stranger has sent as an error message repeats.
    var quotable: String { cut(toBytes: 200) }
}
