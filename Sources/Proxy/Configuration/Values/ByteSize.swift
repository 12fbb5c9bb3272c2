/// Sizes of bodies: `32 MiB`, `10MB`, `512k`, or bare bytes.
///
/// `KiB`, `MiB`, `GiB` count in 1024 and `kB`, `MB`, `GB` in 1000; the single letters `k`, `m`, `g` count in 1024 as
/// nginx has it. Case does not matter.
package enum ByteSize {
    /// In bytes; nil when `text` is no size or does not fit an `Int`.
    package static func parse(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        var index = 0
        guard let number = DecimalNumber(bytes, at: &index) else { return nil }
        while index < bytes.count, bytes[index] == UInt8(ascii: " ") { index += 1 }
        let unit = String(decoding: bytes[index...], as: UTF8.self).lowercased()
        guard let scale = scales[unit], let size = number.scaled(by: Int128(scale)) else { return nil }
        return Int(exactly: size)
    }

    /// In the largest binary unit that needs no fraction: `32 MiB`, `1000 B`.
    package static func format(_ bytes: Int) -> String {
        for (unit, scale) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes >= scale && bytes % scale == 0 {
            return "\(bytes / scale) \(unit)"
        }
        return "\(bytes) B"
    }

    private static let scales: [String: Int] = [
        "": 1, "b": 1,
        "k": 1 << 10, "kib": 1 << 10, "kb": 1000,
        "m": 1 << 20, "mib": 1 << 20, "mb": 1_000_000,
        "g": 1 << 30, "gib": 1 << 30, "gb": 1_000_000_000,
    ]
}
