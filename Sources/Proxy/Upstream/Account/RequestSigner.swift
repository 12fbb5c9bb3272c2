/// Signs requests as OCI asks: HTTP Signatures (draft-cavage-08, version 1), RSA-SHA256, PKCS#1 v1.5 (OCI wire notes 1.1
/// to 1.4).
///
/// A value: the moment is a parameter, and the three steps (which headers, which string, which authorization) can be
/// called one by one. The headers go out in the order of Oracle's own SDK.
struct RequestSigner: Sendable {
    /// Who signs: `tenancy/user/fingerprint` for an API key, `ST$token` for a session token.
    let keyID: String
    private let key: PrivateKey
    /// The value of `authorization` up to the signature: all of it is known beforehand.
    private let head: String
    private let headWithBody: String
    private let signsHost: Bool

    /// - Parameters:
    ///   - keyID: without a quote or a line end: it becomes part of a header.
    ///   - signsHost: false towards the auth service only (OCI wire notes 1.7).
    init(keyID: String, key: PrivateKey, signsHost: Bool = true) {
        self.keyID = keyID
        self.key = key
        self.signsHost = signsHost
        head = Self.authorizationHead(method: "GET", keyID: keyID, signsHost: signsHost)
        headWithBody = Self.authorizationHead(method: "POST", keyID: keyID, signsHost: signsHost)
    }

    /// Whether this signer's key id is that of an `authorization` header.
    func made(_ authorization: String) -> Bool {
        authorization.hasPrefix(head) || authorization.hasPrefix(headWithBody)
    }

    /// The key id of an API key.
    static func keyID(tenancy: String, user: String, fingerprint: String) -> String {
        "\(tenancy)/\(user)/\(fingerprint)"
    }

    /// The key id of a session token; blanks and line ends around it, as its file has them, do not belong to it.
    static func keyID(sessionToken: String) -> String {
        let isBlank = { (character: Character) in character.isWhitespace }
        var token = sessionToken.drop(while: isBlank)
        while let last = token.last, isBlank(last) { token.removeLast() }
        return "ST$\(token)"
    }

    /// The headers to add to a request: those that are signed, and `authorization`.
    ///
    /// - Parameters:
    ///   - method: upper case.
    ///   - authority: the `host` header exactly as it is sent.
    ///   - target: path and query exactly as in the request line, still percent-encoded; empty counts as `/`.
    ///   - date: seconds since 1970. The service accepts five minutes in both directions.
    ///   - contentType: exactly as it is sent; used with a body only.
    ///   - body: the bytes exactly as they are sent; only POST, PUT and PATCH sign their length and digest. Not copied.
    /// - Throws: `PrivateKeyError.signingFailed`.
    func sign(
        method: String, authority: String, target: String, date: Int64, contentType: String = "application/json",
        body: Span<UInt8>
    ) throws(PrivateKeyError) -> [(name: String, value: String)] {
        let content = Self.signsBody(method) ? Content(type: contentType, bytes: body) : nil
        return try sign(method: method, authority: authority, target: target, date: date, content: content)
    }

    /// The same for a body in an array, or for none.
    func sign(
        method: String, authority: String, target: String, date: Int64, contentType: String = "application/json",
        body: [UInt8]?
    ) throws(PrivateKeyError) -> [(name: String, value: String)] {
        let body = body ?? []
        let content = Self.signsBody(method) ? Content(type: contentType, bytes: body.span) : nil
        return try sign(method: method, authority: authority, target: target, date: date, content: content)
    }

    private func sign(
        method: String, authority: String, target: String, date: Int64, content: Content?
    ) throws(PrivateKeyError) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        headers.reserveCapacity(6)
        headers.append(("date", HTTPDate.format(date)))
        if signsHost { headers.append(("host", authority)) }
        if let content {
            guard let digest = content.digest else { throw .signingFailed }
            headers.append(("content-length", content.length))
            headers.append(("content-type", content.type))
            headers.append(("x-content-sha256", digest))
        }
        let signature = try key.sign(Self.signingString(method: method, target: target, headers: headers))
        headers.append(("authorization", authorization(method: method, signature: signature)))
        return headers
    }
}

// MARK: - The three steps

extension RequestSigner {
    /// The names under the signature, in the order of the signing string and of `authorization`.
    static func signedHeaders(method: String, signsHost: Bool = true) -> [String] {
        ["date", "(request-target)"] + (signsHost ? ["host"] : [])
            + (signsBody(method) ? ["content-length", "content-type", "x-content-sha256"] : [])
    }

    /// One line `name: value` a header, `(request-target)` after the first, without a newline at the end.
    static func signingString(method: String, target: String, headers: [(name: String, value: String)]) -> [UInt8] {
        var text: [UInt8] = []
        var size = method.utf8.count + target.utf8.count + 24
        for header in headers { size += header.name.utf8.count + header.value.utf8.count + 3 }
        text.reserveCapacity(size)
        for (index, header) in headers.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "\n")) }
            text.append(contentsOf: header.name.utf8)
            text.append(UInt8(ascii: ":"))
            text.append(UInt8(ascii: " "))
            text.append(contentsOf: header.value.utf8)
            if index == 0 { appendRequestTarget(method, target, to: &text) }
        }
        return text
    }

    private static func appendRequestTarget(_ method: String, _ target: String, to text: inout [UInt8]) {
        text.append(contentsOf: "\n(request-target): ".utf8)
        for byte in method.utf8 {
            text.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
        }
        text.append(UInt8(ascii: " "))
        if target.utf8.first != UInt8(ascii: "/") { text.append(UInt8(ascii: "/")) }
        text.append(contentsOf: target.utf8)
    }

    /// The value of `authorization`.
    func authorization(method: String, signature: [UInt8]) -> String {
        let head = Self.signsBody(method) ? headWithBody : head
        var value = ""
        value.reserveCapacity(head.utf8.count + (signature.count + 2) / 3 * 4 + 14)
        value += head
        value += Digest.base64(signature)
        value += "\",version=\"1\""
        return value
    }

    private static func authorizationHead(method: String, keyID: String, signsHost: Bool) -> String {
        let names = signedHeaders(method: method, signsHost: signsHost).joined(separator: " ")
        return "Signature algorithm=\"rsa-sha256\",headers=\"\(names)\",keyId=\"\(keyID)\",signature=\""
    }

    private static func signsBody(_ method: String) -> Bool { method == "POST" || method == "PUT" || method == "PATCH" }

    /// What is signed of a body.
    private struct Content {
        let type: String
        let length: String
        let digest: String?

        init(type: String, bytes: Span<UInt8>) {
            self.type = type
            length = String(bytes.count)
            digest = Digest.sha256(bytes)
        }
    }
}
