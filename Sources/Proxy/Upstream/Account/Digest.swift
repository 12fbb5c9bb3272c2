import COpenSSL

/// Hashes and their text forms, from the system's libcrypto.
enum Digest {
    /// Base64 of the SHA-256, as `x-content-sha256` carries it (OCI wire notes 1.1). Nil only when libcrypto cannot
    /// allocate or was built without SHA-256.
    static func sha256(_ bytes: UnsafeRawBufferPointer) -> String? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
            guard EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, EVP_sha256(), nil) == 1 else {
                ERR_clear_error()
                return nil
            }
            return base64(UnsafeRawBufferPointer(digest))
        }
    }

    static func sha256(_ bytes: [UInt8]) -> String? { bytes.withUnsafeBytes { sha256($0) } }

    /// MD5 as lower-case hex pairs with colons. It names a key and protects nothing, hence `-fips`: a machine that
    /// forbids MD5 for security may still compute it. Nil when even that is refused.
    static func md5Pairs(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard let algorithm = EVP_MD_fetch(nil, "MD5", "-fips") else {
            ERR_clear_error()
            return nil
        }
        defer { EVP_MD_free(algorithm) }
        var digest = [UInt8](repeating: 0, count: 16)
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, algorithm, nil) == 1 else {
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
    static func base64(_ bytes: UnsafeRawBufferPointer) -> String {
        guard let source = bytes.assumingMemoryBound(to: UInt8.self).baseAddress,
            let count = Int32(exactly: bytes.count)
        else { return "" }
        // EVP_EncodeBlock adds a NUL.
        return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) {
            Int(EVP_EncodeBlock($0.baseAddress, source, count))
        }
    }

    static func base64(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { base64($0) } }
}
