extension Substring {
    /// Without the blanks and tabs at both ends.
    func trimmingBlanks() -> Substring {
        var text = utf8
        while let first = text.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { text.removeFirst() }
        while let last = text.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { text.removeLast() }
        return Substring(text)
    }
}
