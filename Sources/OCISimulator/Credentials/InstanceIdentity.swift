import COpenSSL

/// The certificate of a compute instance with its key, and the one that it was signed by (OCI wire notes 1.7).
package struct InstanceIdentity: Sendable {
    /// PEM texts.
    package let certificate: String
    package let privateKey: String
    package let intermediate: String
    package let publicKey: RSAPublicKey
    /// SHA-1 of the certificate, upper-case hex pairs with colons.
    package let fingerprint: String

    /// - Parameters:
    ///   - leafKey: PKCS#8 text.
    ///   - intermediateKey: the same.
    package init(tenancy: String, leafKey: String, intermediateKey: String) throws(KeyError) {
        let authority = try OwnedKey(leafKeyPEM: intermediateKey)
        let leaf = try OwnedKey(leafKeyPEM: leafKey)
        let issuer = [("CN", "Simulated PKISVC Identity Intermediate")]
        let subject = [
            ("CN", "ocid1.instance.oc1..aaaaaaaasimulatedinstance"), ("OU", "opc-certtype:instance"),
            ("OU", "opc-instance:ocid1.instance.oc1..aaaaaaaasimulatedinstance"), ("OU", "opc-tenant:\(tenancy)"),
        ]
        intermediate = try Self.certificate(subject: issuer, key: authority, issuer: issuer, signedBy: authority).pem
        (certificate, fingerprint) = try Self.certificate(
            subject: subject, key: leaf, issuer: issuer, signedBy: authority)
        privateKey = leafKey
        publicKey = try RSAPublicKey(privatePEM: leafKey)
    }

    /// A PEM text without armour lines and newlines.
    package static func content(_ pem: String) -> String {
        pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
    }

    private static func certificate(
        subject: [(String, String)], key: OwnedKey, issuer: [(String, String)], signedBy authority: OwnedKey
    ) throws(KeyError) -> (pem: String, fingerprint: String) {
        let failure = KeyError(description: "OpenSSL could not make a certificate")
        guard let certificate = X509_new() else { throw failure }
        defer { X509_free(certificate) }
        guard X509_set_version(certificate, 2) == 1, ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != nil,
            X509_set_pubkey(certificate, key.pointer) == 1,
            add(subject, to: X509_get_subject_name(certificate)), add(issuer, to: X509_get_issuer_name(certificate)),
            X509_sign(certificate, authority.pointer, EVP_sha256()) > 0
        else { throw failure }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha1(), &digest, &length) == 1 else { throw failure }
        let fingerprint = digest.prefix(Int(length)).map { byte in
            let hex = String(byte, radix: 16, uppercase: true)
            return hex.count == 1 ? "0" + hex : hex
        }.joined(separator: ":")
        guard let bio = BIO_new(BIO_s_mem()) else { throw failure }
        defer { BIO_free(bio) }
        guard PEM_write_bio_X509(bio, certificate) == 1 else { throw failure }
        var text = [UInt8](repeating: 0, count: 16384)
        let count = BIO_read(bio, &text, Int32(text.count))
        guard count > 0 else { throw failure }
        return (String(decoding: text.prefix(Int(count)), as: UTF8.self), fingerprint)
    }

    private static func add(_ attributes: [(String, String)], to name: OpaquePointer?) -> Bool {
        attributes.allSatisfy { attribute, value in
            // As a UTF-8 string that is taken as it is: an OCID is longer than X.520 allows an OU to be.
            X509_NAME_add_entry_by_txt(
                name, attribute, V_ASN1_UTF8STRING, Array(value.utf8), Int32(value.utf8.count), -1, 0) == 1
        }
    }

    /// A private key of OpenSSL's, freed with its last reference.
    private final class OwnedKey {
        let pointer: OpaquePointer

        init(leafKeyPEM text: String) throws(KeyError) {
            let bytes = Array(text.utf8)
            let key = bytes.withUnsafeBytes { buffer -> OpaquePointer? in
                guard let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
                defer { BIO_free(bio) }
                return PEM_read_bio_PrivateKey(bio, nil, nil, nil)
            }
            guard let key else { throw KeyError(description: "the text is not an unencrypted private key in PEM form") }
            pointer = key
        }

        deinit { EVP_PKEY_free(pointer) }
    }
}
