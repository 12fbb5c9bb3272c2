import COpenSSL

/// Hashes and their text forms, from the system's libcrypto.
enum Digest {
    /// Base64 of the SHA-256, as `x-content-sha256` carries it (OCI wire notes 1.1). Nil only when libcrypto cannot
    /// allocate or was built without SHA-256.
    static func sha256(_ bytes: Span<UInt8>) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
            // It reads what there is, and writes the 32 bytes that a SHA-256 has.
            let isDone = unsafe bytes.withUnsafeBytes {
                unsafe EVP_Digest($0.baseAddress, $0.count, digest.baseAddress, nil, EVP_sha256(), nil) == 1
            }
            guard isDone else {
                ERR_clear_error()
                return nil
            }
            return unsafe base64(Span(_unsafeElements: digest))
        }
    }

    static func sha256(_ bytes: [UInt8]) -> String? { sha256(bytes.span) }

    /// MD5 as lower-case hex pairs with colons. It names a key and protects nothing, hence `-fips`: a machine that
    /// forbids MD5 for security may still compute it. Nil when even that is refused.
    static func md5Pairs(_ bytes: Span<UInt8>) -> String? {
        guard let algorithm = unsafe EVP_MD_fetch(nil, "MD5", "-fips") else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe EVP_MD_free(algorithm) }
        var digest = [UInt8](repeating: 0, count: 16)
        // It reads what there is, and writes the 16 bytes that an MD5 has.
        let isDone = unsafe bytes.withUnsafeBytes {
            unsafe EVP_Digest($0.baseAddress, $0.count, &digest, nil, algorithm, nil) == 1
        }
        guard isDone else {
            ERR_clear_error()
            return nil
        }
        let hex = Array("0123456789abcdef".utf8)
        var pairs: [UInt8] = []
        for byte in digest {
            if !pairs.isEmpty { pairs.append(UInt8(ascii: ":")) }
            pairs += [hex[Int(byte >> 4)], hex[Int(byte & 0xF)]]
        }
        return String(decoding: pairs, as: UTF8.self)
    }

    /// Standard base64 with padding, in one line. For signatures and digests: at most 1 GiB.
    static func base64(_ bytes: Span<UInt8>) -> String {
        guard let count = Int32(exactly: bytes.count), count > 0 else { return "" }
        return unsafe bytes.withUnsafeBufferPointer { source in
            // EVP_EncodeBlock writes four characters for three bytes, and a NUL.
            unsafe String(unsafeUninitializedCapacity: (source.count + 2) / 3 * 4 + 1) {
                unsafe Int(EVP_EncodeBlock($0.baseAddress, source.baseAddress, count))
            }
        }
    }

    static func base64(_ bytes: [UInt8]) -> String { base64(bytes.span) }
}
