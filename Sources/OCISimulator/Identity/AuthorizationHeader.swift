/// The parameters of `Authorization: Signature ...` (OCI wire notes 1.3), read strictly: each parameter once, quoted,
/// parted by a comma without a space, in any order.
package struct AuthorizationHeader: Equatable {
    package let keyID: String
    /// Lower-case names in the order of the signing string.
    package let signedHeaders: [String]
    /// Standard base64.
    package let signature: String

    package init(_ text: String) throws(SignatureRefusal) {
        let scheme = "Signature "
        guard text.hasPrefix(scheme) else { throw .malformedAuthorization("the scheme is not 'Signature'") }
        var parameters: [String: String] = [:]
        var rest = text.dropFirst(scheme.count)
        while true {
            guard let equals = rest.firstIndex(of: "=") else {
                throw .malformedAuthorization("a parameter has no '='")
            }
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            guard rest.first == "\"" else { throw .malformedAuthorization("the value of '\(name)' is not quoted") }
            rest = rest.dropFirst()
            guard let quote = rest.firstIndex(of: "\"") else {
                throw .malformedAuthorization("the value of '\(name)' has no closing quote")
            }
            guard ["algorithm", "headers", "keyId", "signature", "version"].contains(name) else {
                throw .malformedAuthorization("unknown parameter '\(name)'")
            }
            guard parameters.updateValue(String(rest[..<quote]), forKey: name) == nil else {
                throw .malformedAuthorization("parameter '\(name)' is there twice")
            }
            rest = rest[rest.index(after: quote)...]
            if rest.isEmpty { break }
            guard rest.first == "," else { throw .malformedAuthorization("no comma after '\(name)'") }
            rest = rest.dropFirst()
        }
        guard parameters["version"] == "1" else { throw .malformedAuthorization("version is not \"1\"") }
        guard parameters["algorithm"] == "rsa-sha256" else {
            throw .malformedAuthorization("algorithm is not \"rsa-sha256\"")
        }
        guard let keyID = parameters["keyId"], !keyID.isEmpty, let headers = parameters["headers"],
            let signature = parameters["signature"]
        else { throw .malformedAuthorization("keyId, headers or signature is missing") }
        self.keyID = keyID
        self.signature = signature
        signedHeaders = headers.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard signedHeaders.allSatisfy({ !$0.isEmpty && $0 == $0.lowercased() }),
            Set(signedHeaders).count == signedHeaders.count
        else { throw .malformedAuthorization("the list of signed headers is not made of distinct lower-case names") }
    }
}
