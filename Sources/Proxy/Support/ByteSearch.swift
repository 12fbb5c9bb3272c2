#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds a byte.
enum ByteSearch {
    /// The place of a byte of ASCII in a text, in bytes.
    static func offset(of byte: UInt8, in text: String) -> Int? { firstIndex(of: byte, in: text.utf8.span, from: 0) }

    static func firstIndex(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
        firstIndex(of: byte, in: bytes.span, from: start)
    }

    /// The place of some bytes, of which there is at least one.
    static func firstIndex(of pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var place = start
        while let found = firstIndex(of: pattern[0], in: bytes, from: place), found + pattern.count <= bytes.count {
            if bytes[found..<found + pattern.count].elementsEqual(pattern) { return found }
            place = found + 1
        }
        return nil
    }

    static func contains(_ byte: UInt8, in bytes: [UInt8], _ range: Range<Int>) -> Bool {
        firstIndex(of: byte, in: bytes.span.extracting(range), from: 0) != nil
    }

    private static func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int? {
        guard start >= 0, start < bytes.count else { return nil }
        return unsafe bytes.withUnsafeBytes { text in
            // From `start` to the end, and no further.
            guard let base = text.baseAddress, let place = unsafe memchr(base + start, Int32(byte), text.count - start)
            else {
                return nil
            }
            return unsafe UnsafeRawPointer(place) - base
        }
    }
}
