/// Bytes in the gzip format (RFC 1952), in blocks that are stored as they are (RFC 1951, 3.2.4): whoever reads them has to unpack.
struct StoredGzip {
    private var checksum: UInt32 = ~0
    private var count: UInt32 = 0
    private var hasBegun = false

    /// The next bytes, packed so that they can be read at once.
    mutating func add(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = hasBegun ? [] : [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        hasBegun = true
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(0xFFFF)
            output += Self.header(of: part.count, isLast: false)
            output += part
            rest = rest.dropFirst(part.count)
        }
        for byte in bytes { checksum = Self.table[Int((checksum ^ UInt32(byte)) & 0xFF)] ^ (checksum >> 8) }
        count &+= UInt32(truncatingIfNeeded: bytes.count)
        return output
    }

    /// The end.
    mutating func finish() -> [UInt8] {
        add([]) + Self.header(of: 0, isLast: true) + Self.littleEndian(~checksum) + Self.littleEndian(count)
    }

    private static func header(of count: Int, isLast: Bool) -> [UInt8] {
        let length = UInt16(count)
        return [isLast ? 1 : 0, UInt8(length & 0xFF), UInt8(length >> 8), UInt8(~length & 0xFF), UInt8(~length >> 8)]
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xFF) } }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }
}
