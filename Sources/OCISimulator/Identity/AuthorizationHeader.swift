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
        // By bytes: walking a long signature character by character costs more than checking it.
        var rest = text.utf8.dropFirst(scheme.utf8.count)
        while true {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
                throw .malformedAuthorization("a parameter has no '='")
            }
            let name = String(Substring(rest[..<equals]))
            rest = rest[rest.index(after: equals)...]
            guard rest.first == UInt8(ascii: "\"") else {
                throw .malformedAuthorization("the value of '\(name)' is not quoted")
            }
            rest = rest.dropFirst()
            guard let quote = rest.firstIndex(of: UInt8(ascii: "\"")) else {
                throw .malformedAuthorization("the value of '\(name)' has no closing quote")
            }
            guard ["algorithm", "headers", "keyId", "signature", "version"].contains(name) else {
                throw .malformedAuthorization("unknown parameter '\(name)'")
            }
            guard parameters.updateValue(String(Substring(rest[..<quote])), forKey: name) == nil else {
                throw .malformedAuthorization("parameter '\(name)' is there twice")
            }
            rest = rest[rest.index(after: quote)...]
            if rest.isEmpty { break }
            guard rest.first == UInt8(ascii: ",") else { throw .malformedAuthorization("no comma after '\(name)'") }
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
