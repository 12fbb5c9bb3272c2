/// What a token says about itself. Nothing is verified: the service that takes the token does that, we only want to know when it
/// ends and whose it is.
struct TokenClaims: Equatable, Sendable {
    /// Seconds since 1970.
    var expiry: Int64?
    /// OCID of the tenancy, in the token of a resource principal (OCI wire notes 1.8).
    var tenancy: String?

    /// Reads the payload of a JWT; a text that is none says nothing, and may be a token all the same.
    ///
    /// - Parameter token: without `ST$`.
    init(of token: String) {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[1]), let claims = try? JSONDocument(parsing: bytes).root
        else { return }
        expiry = claims["exp"]?.double.flatMap { Int64(exactly: $0.rounded(.down)) }
        tenancy = claims["res_tenant"]?.string
    }

    init(expiry: Int64? = nil, tenancy: String? = nil) {
        self.expiry = expiry
        self.tenancy = tenancy
    }
}
