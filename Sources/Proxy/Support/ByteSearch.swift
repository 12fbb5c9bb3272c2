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
    static func offset(of byte: UInt8, in text: String) -> Int? {
        var text = text
        return text.withUTF8 { text in
            guard let base = text.baseAddress, let place = memchr(base, Int32(byte), text.count) else { return nil }
            return UnsafeRawPointer(place) - UnsafeRawPointer(base)
        }
    }

    static func firstIndex(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { text in
            guard start < text.count, let base = text.baseAddress,
                let place = memchr(base + start, Int32(byte), text.count - start)
            else { return nil }
            return UnsafeRawPointer(place) - base
        }
    }

    static func contains(_ byte: UInt8, in bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes.withUnsafeBytes { text in
            guard !range.isEmpty, let base = text.baseAddress else { return false }
            return memchr(base + range.lowerBound, Int32(byte), range.count) != nil
        }
    }
}
