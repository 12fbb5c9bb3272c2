import COpenSSL

/// Signs requests as OCI asks: HTTP Signatures (draft-cavage-08, version 1), RSA-SHA256, PKCS#1 v1.5.
///
/// A value: the moment is a parameter, and the three steps (which headers, which string, which authorization) can be
/// called one by one. The headers go out in the order of Oracle's own SDK.
struct RequestSigner: Sendable {
    /// Who signs: `tenancy/user/fingerprint` for an API key, `ST$token` for a session token.
    let keyID: String
    private let key: PrivateKey

    init(keyID: String, key: PrivateKey) {
        self.keyID = keyID
        self.key = key
    }

    /// The key id of an API key.
    static func keyID(tenancy: String, user: String, fingerprint: String) -> String { "\(tenancy)/\(user)/\(fingerprint)" }

    /// The headers to add to a request: those that are signed, and `authorization`.
    ///
    /// - Parameters:
    ///   - method: upper case.
    ///   - authority: the `host` header exactly as it is sent.
    ///   - target: path and query exactly as in the request line, still percent-encoded.
    ///   - date: seconds since 1970. The service accepts five minutes in both directions.
    ///   - body: the bytes exactly as they are sent; POST, PUT and PATCH sign their length and digest.
    /// - Throws: `PrivateKeyError.signingFailed`.
    func sign(
        method: String, authority: String, target: String, date: Int64, contentType: String = "application/json", body: [UInt8]?
    ) throws(PrivateKeyError) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [("date", HTTPDate.format(date)), ("host", authority)]
        if Self.signsBody(method) {
            headers.append(("content-length", String(body?.count ?? 0)))
            headers.append(("content-type", contentType))
            headers.append(("x-content-sha256", Self.digest(body ?? [])))
        }
        let text = Self.signingString(method: method, target: target, headers: headers)
        headers.append(("authorization", authorization(signedHeaders: headers.map(\.name), signature: try key.sign(text))))
        return headers
    }

    private static func signsBody(_ method: String) -> Bool { method == "POST" || method == "PUT" || method == "PATCH" }

    /// One line `name: value` a header, `(request-target)` after the date, without a newline at the end.
    static func signingString(method: String, target: String, headers: [(name: String, value: String)]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(headers.reduce(target.utf8.count + 40) { $0 + $1.name.utf8.count + $1.value.utf8.count + 3 })
        for (index, header) in headers.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "\n")) }
            append(header.name, header.value, to: &text)
            if index == 0 {
                text.append(UInt8(ascii: "\n"))
                append("(request-target)", method.lowercased() + " " + (target.isEmpty ? "/" : target), to: &text)
            }
        }
        return text
    }

    private static func append(_ name: String, _ value: String, to text: inout [UInt8]) {
        text.append(contentsOf: name.utf8)
        text.append(contentsOf: [UInt8(ascii: ":"), UInt8(ascii: " ")])
        text.append(contentsOf: value.utf8)
    }

    /// The value of `authorization`; `signedHeaders` in the order of the signing string, without `(request-target)`.
    func authorization(signedHeaders: [String], signature: [UInt8]) -> String {
        var list = signedHeaders
        list.insert("(request-target)", at: 1)
        return "Signature algorithm=\"rsa-sha256\",headers=\"\(list.joined(separator: " "))\",keyId=\"\(keyID)\","
            + "signature=\"\(Self.base64(signature))\",version=\"1\""
    }

    /// Base64 of the SHA-256 of a body.
    static func digest(_ body: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        // Cannot fail: SHA-256 is always there and the output has its size.
        _ = body.withUnsafeBytes { EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha256(), nil) }
        return base64(digest)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}
