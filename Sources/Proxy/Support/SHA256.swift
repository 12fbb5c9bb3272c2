import COpenSSL

/// The hash by which keys are known that are kept nowhere.
enum SHA256 {
    /// The 32 bytes. Nil only when libcrypto cannot allocate or was built without it.
    static func digest(of bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 32)
        // It reads what there is, and writes the 32 bytes that a SHA-256 has.
        guard unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            ERR_clear_error()
            return nil
        }
        return digest
    }
}
