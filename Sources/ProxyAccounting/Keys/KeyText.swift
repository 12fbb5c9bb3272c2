/// The text of a key that the proxy makes: `oci-`, 32 random characters of base 62, and a checksum of 6.
///
/// The random part has 190 bits. The checksum lets a scanner for leaked keys tell one from other text, offline.
package enum KeyText {
    private static let beginning = "oci-"
    private static let randomLength = 32
    private static let checksumLength = 6
    private static let shownLength = 6
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new key, from the system's generator.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(using: &generator)
    }

    /// For tests: real keys come from `make()`.
    static func make(using generator: inout some RandomNumberGenerator) -> String {
        // `Int.random` is even over its range: it throws away what would favour some digits.
        let random = (0..<randomLength).map { _ in digits[Int.random(in: digits.indices, using: &generator)] }
        let text = Array(beginning.utf8) + random
        return String(decoding: text + checksum(of: text), as: UTF8.self)
    }

    /// It has the form of a key and the right checksum. It need not be anybody's.
    package static func isWellFormed(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        let length = beginning.utf8.count + randomLength
        guard bytes.count == length + checksumLength, bytes.starts(with: beginning.utf8) else { return false }
        guard bytes.dropFirst(beginning.utf8.count).allSatisfy(digits.contains) else { return false }
        return checksum(of: bytes[..<length]) == Array(bytes[length...])
    }

    /// The beginning of a key, for people to know it by: `oci-` and 6 characters. 154 of its bits stay secret.
    package static func prefix(of key: String) -> String { String(key.prefix(beginning.count + shownLength)) }

    /// CRC-32 in base 62, the highest digit first.
    private static func checksum(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var rest = Int(crc32(of: bytes))
        var text: [UInt8] = []
        for _ in 0..<checksumLength {
            text.append(digits[rest % digits.count])
            rest /= digits.count
        }
        return text.reversed()
    }

    /// As of zlib and PNG (IEEE 802.3).
    static func crc32(of bytes: some Sequence<UInt8>) -> UInt32 {
        var sum: UInt32 = .max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
