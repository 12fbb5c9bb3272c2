import NIOCore

/// A line at the beginning of a buffer that ends with CR LF or with a line feed alone, as answers may have them.
struct TolerantLine {
    /// Bytes of the line, without its end.
    let length: Int
    /// Bytes before the next line.
    let next: Int
}

extension ByteBuffer {
    /// - Returns: nil when the line's end is not there yet.
    func tolerantLine() -> TolerantLine? {
        guard let feed = readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - readerIndex }) else {
            return nil
        }
        let hasReturn = feed > 0 && readableBytesUInt8Span[feed - 1] == UInt8(ascii: "\r")
        return TolerantLine(length: hasReturn ? feed - 1 : feed, next: feed + 1)
    }
}
