import COpenSSL

/// The certificate by which an instance shows the auth service who it is (OCI wire notes 1.7).
struct LeafCertificate: Equatable, Sendable {
    /// SHA-1 of the certificate, upper-case hex pairs with colons.
    let fingerprint: String
    /// OCID of the tenancy, from the subject.
    let tenancy: String

    /// The key id of requests to the auth service.
    var keyID: String { "\(tenancy)/fed-x509/\(fingerprint)" }

    private static let fix = "try again; if the error persists, check that the instance metadata service is OCI's"

    init(pem: [UInt8]) throws(CredentialFailure) {
        guard pem.count <= Int(Int32.max) else {
            throw CredentialFailure("the instance's certificate is too large", fix: Self.fix)
        }
        ERR_clear_error()
        defer { ERR_clear_error() }
        let certificate = unsafe MemoryBIO.read(pem) { unsafe PEM_read_bio_X509($0, nil, nil, nil) }
        guard let certificate = unsafe certificate else {
            throw CredentialFailure("the instance's certificate cannot be read", fix: Self.fix)
        }
        defer { unsafe X509_free(certificate) }

        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // No digest is longer than EVP_MAX_MD_SIZE.
        guard unsafe X509_digest(certificate, EVP_sha1(), &digest, &length) == 1 else {
            throw CredentialFailure(
                "the fingerprint of the instance's certificate cannot be computed",
                fix: "enable OpenSSL's default provider")
        }
        fingerprint = Self.pairs(digest.prefix(Int(length)))
        guard let tenancy = unsafe Self.tenancy(among: Self.subjectValues(certificate)) else {
            throw CredentialFailure("the instance's certificate contains no tenancy", fix: Self.fix)
        }
        self.tenancy = tenancy
    }

    /// The OCID behind `opc-tenant:` or `opc-identity:` in one of the subject's values.
    static func tenancy(among values: [String]) -> String? {
        for prefix in ["opc-tenant:", "opc-identity:"] {
            for value in values where value.hasPrefix(prefix) {
                let ocid = value.dropFirst(prefix.count)
                // It becomes part of a header.
                let isOCID =
                    !ocid.isEmpty
                    && ocid.utf8.allSatisfy {
                        (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "/")
                    }
                if isOCID { return String(ocid) }
            }
        }
        return nil
    }

    private static func subjectValues(_ certificate: OpaquePointer) -> [String] {
        guard let subject = unsafe X509_get_subject_name(certificate) else { return [] }
        return unsafe (0..<max(X509_NAME_entry_count(subject), 0)).compactMap { index in
            guard let entry = unsafe X509_NAME_get_entry(subject, index),
                let data = unsafe X509_NAME_ENTRY_get_data(entry)
            else {
                return nil
            }
            let count = unsafe Int(ASN1_STRING_length(data))
            guard count > 0, let bytes = unsafe ASN1_STRING_get0_data(data) else { return nil }
            // OpenSSL has said how many bytes it has there.
            return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        }
    }

    private static func pairs(_ bytes: ArraySlice<UInt8>) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text += [hex[Int(byte >> 4)], hex[Int(byte & 0xF)]]
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// PEM blocks as OCI's services want them in JSON: without armour lines and line ends (OCI wire notes 1.7).
enum PEMContent {
    /// The base64 of each block, in order.
    static func blocks(of text: [UInt8]) -> [String] {
        var blocks: [String] = []
        var current: String?
        for line in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.filter { $0 != " " && $0 != "\t" || line.hasPrefix("-----") }
            if line.hasPrefix("-----BEGIN ") {
                current = ""
            } else if line.hasPrefix("-----END ") {
                if let block = current, !block.isEmpty { blocks.append(block) }
                current = nil
            } else {
                current? += line
            }
        }
        return blocks
    }
}
