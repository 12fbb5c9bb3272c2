import COpenSSL
import Synchronization

/// What OpenSSL could not do, in one sentence.
package struct KeyError: Error, CustomStringConvertible {
    package let description: String
}

/// An RSA public key that checks signatures.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is never changed after `init`; OpenSSL documents that a key may be used by
/// several threads at once as long as none changes it, and each check makes its own digest context.
package final class RSAPublicKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// Takes ownership of the key.
    fileprivate init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(key) }

    /// Reads `BEGIN PUBLIC KEY`.
    package convenience init(publicPEM: String) throws(KeyError) {
        guard let key = Self.read(publicPEM, { PEM_read_bio_PUBKEY($0, nil, nil, nil) }) else {
            throw KeyError(description: "the text is not a public key in PEM form")
        }
        self.init(key)
    }

    /// Takes the public half of an unencrypted private key (PKCS#8 or PKCS#1).
    package convenience init(privatePEM: String) throws(KeyError) {
        guard let key = Self.read(privatePEM, { PEM_read_bio_PrivateKey($0, nil, nil, nil) }) else {
            throw KeyError(description: "the text is not an unencrypted private key in PEM form")
        }
        self.init(key)
    }

    /// The DER SubjectPublicKeyInfo.
    package var der: [UInt8] {
        var der: UnsafeMutablePointer<UInt8>?
        let length = i2d_PUBKEY(key, &der)
        guard length > 0, let der else { return [] }
        defer { CRYPTO_free(der, #file, #line) }
        return Array(UnsafeBufferPointer(start: der, count: Int(length)))
    }

    /// MD5 of the DER SubjectPublicKeyInfo, lower-case hex pairs with colons (OCI wire notes 1.4).
    package var fingerprint: String {
        der.withUnsafeBufferPointer(Digest.md5).map { byte in
            let hex = String(byte, radix: 16)
            return hex.count == 1 ? "0" + hex : hex
        }.joined(separator: ":")
    }

    /// RSA-SHA256 with PKCS#1 v1.5 padding.
    package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        // The default padding of an RSA key is PKCS#1 v1.5.
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        let verdict = EVP_DigestVerify(context, signature, signature.count, message, message.count)
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }

    private static func read(_ text: String, _ reader: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        let bytes = Array(text.utf8)
        // The BIO does not copy the bytes, so it must not outlive the closure.
        return bytes.withUnsafeBytes { buffer in
            guard let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(bio) }
            let key = reader(bio)
            if key == nil { ERR_clear_error() }
            return key
        }
    }
}

/// A fresh RSA-2048 private key as PKCS#8 text.
package enum RSAPrivateKeyPEM {
    private static let pool = Mutex<[String]>([])

    /// The `count` first keys of this process. They are made once and used again by each caller, since a key costs
    /// 50 to 300 ms and a test process starts many simulators.
    package static func pooled(count: Int) throws(KeyError) -> [String] {
        let result = pool.withLock { pool in
            Result<[String], KeyError> { () throws(KeyError) in
                while pool.count < count { pool.append(try generate()) }
                return Array(pool.prefix(count))
            }
        }
        return try result.get()
    }

    package static func generate() throws(KeyError) -> String {
        let failure = KeyError(description: "OpenSSL could not make an RSA key")
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw failure }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw failure }
        defer { EVP_PKEY_free(key) }
        guard let bio = BIO_new(BIO_s_mem()) else { throw failure }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { throw failure }
        var text = [UInt8](repeating: 0, count: 8192)
        let length = BIO_read(bio, &text, Int32(text.count))
        guard length > 0 else { throw failure }
        return String(decoding: text.prefix(Int(length)), as: UTF8.self)
    }
}

/// Digests of OpenSSL.
package enum Digest {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { digest($0, EVP_sha256()) }
    }

    fileprivate static func md5(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] { digest(bytes, EVP_md5()) }

    private static func digest(_ bytes: UnsafeBufferPointer<UInt8>, _ kind: OpaquePointer?) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // An empty array may have no base address, and OpenSSL takes none for zero bytes.
        guard EVP_Digest(bytes.baseAddress, bytes.count, &output, &length, kind, nil) == 1 else { return [] }
        return Array(output.prefix(Int(length)))
    }
}
