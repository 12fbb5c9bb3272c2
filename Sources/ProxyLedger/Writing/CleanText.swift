#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A text as SQLite can give it back: without NUL, where it would end, and not endless. What is billed is in no text.
enum CleanText {
    /// UTF-8 bytes. Longer texts are cut.
    static let bound = 256

    /// - Parameter room: of at least `bound` bytes.
    /// - Returns: how many bytes it has.
    static func copy(_ text: String, into room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var text = text
        let count: Int? = text.withUTF8 { bytes in
            guard let from = bytes.baseAddress, let to = room.baseAddress, bytes.count > 0 else {
                return 0
            }
            guard bytes.count <= bound, unsafe memchr(from, 0, bytes.count) == nil else { return nil }
            unsafe memcpy(to, from, bytes.count)
            return bytes.count
        }
        if let count { return count }
        return unsafe room.update(fromContentsOf: Array(cut(text).utf8))
    }

    static func of(_ text: String) -> String {
        text.utf8.count <= bound && !text.utf8.contains(0) ? text : cut(text)
    }

    private static func cut(_ text: String) -> String {
        var kept = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            let scalar = scalar == "\0" ? "\u{FFFD}" : scalar
            count += UTF8.width(scalar)
            guard count <= bound else { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
