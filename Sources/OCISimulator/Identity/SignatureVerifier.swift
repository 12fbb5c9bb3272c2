import FoundationEssentials

/// Why a signature was refused. The client never sees it (the service's message is vague on purpose); the record does.
package enum SignatureRefusal: Error, Equatable, CustomStringConvertible {
    case noAuthorization
    /// A Generative AI API key that no account has.
    case unknownAPIKey
    case malformedAuthorization(String)
    case unknownKey(String)
    case headerNotSigned(String)
    case headerMissing(String)
    case headerRepeated(String)
    case wrongDigest
    case wrongLength
    case malformedDate(String)
    case clockSkew(seconds: Int)
    case malformedSignature
    case expiredToken(seconds: Int)
    case wrongSignature(signingString: String)

    package var description: String {
        switch self {
        case .noAuthorization: "no authorization header"
        case .unknownAPIKey: "no account has this API key"
        case .malformedAuthorization(let reason): "malformed authorization header: \(reason)"
        case .unknownKey(let key): "unknown keyId '\(key)'"
        case .headerNotSigned(let name): "mandatory header '\(name)' is not signed"
        case .headerMissing(let name): "signed header '\(name)' is not in the request"
        case .headerRepeated(let name): "signed header '\(name)' is in the request twice"
        case .wrongDigest: "x-content-sha256 is not the digest of the body"
        case .wrongLength: "content-length is not the length of the body"
        case .malformedDate(let text): "malformed date '\(text)'"
        case .clockSkew(let seconds): "the date is \(seconds) s away from the service's clock"
        case .expiredToken(let seconds): "the token expired \(seconds) s ago"
        case .malformedSignature: "the signature is not base64"
        case .wrongSignature(let string): "the signature does not fit the signing string:\n\(string)"
        }
    }
}

/// A request as it came in, as far as its signature is concerned.
package struct SignedRequest: Sendable {
    package var method: String
    /// Path and query, byte for byte.
    package var target: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(method: String, target: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// Checks request signatures as OCI wire notes 1 describe them, against the keys of known accounts and those of issued
/// session tokens.
package struct SignatureVerifier: Sendable {
    /// Allowed distance between the request's date and the service's clock, in seconds (OCI wire notes 1.10).
    package static let toleratedSkew = 300

    private let accounts: [String: SimulatedAccount]
    private let tokens: TokenIssuer?

    package init(_ accounts: [SimulatedAccount], tokens: TokenIssuer? = nil) {
        self.tokens = tokens
        self.accounts = Dictionary(accounts.map { ($0.keyID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A signature that was read, but not checked.
    package struct Claim: Sendable {
        fileprivate let authorization: AuthorizationHeader
        package let account: SimulatedAccount
        fileprivate let key: RSAPublicKey
        /// Of a session token, in seconds since 1970.
        fileprivate let expiry: Int?
    }

    /// Reads whose signature the request claims to bear; nothing is proved by it.
    package func claim(of request: SignedRequest) throws(SignatureRefusal) -> Claim {
        let authorization = try authorization(of: request)
        if authorization.keyID.hasPrefix("ST$") {
            guard let issued = tokens?.find(String(authorization.keyID.dropFirst(3))) else {
                throw .unknownKey(authorization.keyID)
            }
            return Claim(authorization: authorization, account: issued.account, key: issued.key, expiry: issued.expiry)
        }
        guard let account = accounts[authorization.keyID] else { throw .unknownKey(authorization.keyID) }
        return Claim(authorization: authorization, account: account, key: account.publicKey, expiry: nil)
    }

    /// The only authorization header, read.
    package func authorization(of request: SignedRequest) throws(SignatureRefusal) -> AuthorizationHeader {
        let authorizations = header("authorization", of: request)
        guard let text = authorizations.first else { throw .noAuthorization }
        guard authorizations.count == 1 else { throw .headerRepeated("authorization") }
        return try AuthorizationHeader(text)
    }

    /// The account whose key signed the request. `now` is in seconds since 1970.
    package func verify(_ request: SignedRequest, now: Int) throws(SignatureRefusal) -> SimulatedAccount {
        let claim = try claim(of: request)
        try verify(claim, of: request, now: now)
        return claim.account
    }

    /// Checks a claim. `now` is in seconds since 1970.
    package func verify(_ claim: Claim, of request: SignedRequest, now: Int) throws(SignatureRefusal) {
        let signed = claim.authorization.signedHeaders
        for name in mandatoryHeaders(of: request.method, signed: signed) where !signed.contains(name) {
            throw .headerNotSigned(name)
        }
        if let expiry = claim.expiry, expiry <= now { throw .expiredToken(seconds: now - expiry) }
        try verify(claim.authorization, by: claim.key, of: request, now: now)
    }

    /// Checks the headers that are under the signature, whichever they are, and the signature itself.
    package func verify(
        _ authorization: AuthorizationHeader, by key: RSAPublicKey, of request: SignedRequest, now: Int
    ) throws(SignatureRefusal) {
        let signed = authorization.signedHeaders
        let string = try signingString(of: request, signed: signed)
        try checkDate(of: request, signed: signed, now: now)
        if signed.contains("content-length"), header("content-length", of: request) != [String(request.body.count)] {
            throw .wrongLength
        }
        if signed.contains("x-content-sha256") {
            let digest = Data(Digest.sha256(request.body)).base64EncodedString()
            guard header("x-content-sha256", of: request) == [digest] else { throw .wrongDigest }
        }
        guard let signature = Data(base64Encoded: authorization.signature) else { throw .malformedSignature }
        guard key.isValid(signature: Array(signature), of: Array(string.utf8)) else {
            throw .wrongSignature(signingString: string)
        }
    }

    /// OCI wire notes 1.1. `x-date` may stand in for `date`.
    private func mandatoryHeaders(of method: String, signed: [String]) -> [String] {
        var names = [signed.contains("x-date") ? "x-date" : "date", "(request-target)", "host"]
        if ["POST", "PUT"].contains(method) { names += ["content-length", "content-type", "x-content-sha256"] }
        return names
    }

    private func header(_ name: String, of request: SignedRequest) -> [String] {
        request.headers.filter { $0.name == name || Self.isLowercase($0.name, name) }.map(\.value)
    }

    /// True when `name` is `lowercase` but for the case of its ASCII letters.
    private static func isLowercase(_ name: String, _ lowercase: String) -> Bool {
        name.utf8.count == lowercase.utf8.count
            && zip(name.utf8, lowercase.utf8).allSatisfy { byte, wanted in
                byte == wanted || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte + 32 == wanted
            }
    }

    /// OCI wire notes 1.2.
    package func signingString(of request: SignedRequest, signed: [String]) throws(SignatureRefusal) -> String {
        var lines: [String] = []
        for name in signed {
            if name == "(request-target)" {
                let target = request.target.isEmpty ? "/" : request.target
                lines.append("(request-target): \(request.method.lowercased()) \(target)")
                continue
            }
            let values = header(name, of: request)
            guard let value = values.first else { throw .headerMissing(name) }
            guard values.count == 1 else { throw .headerRepeated(name) }
            lines.append("\(name): \(value)")
        }
        return lines.joined(separator: "\n")
    }

    private func checkDate(of request: SignedRequest, signed: [String], now: Int) throws(SignatureRefusal) {
        let name = signed.contains("x-date") ? "x-date" : "date"
        guard let text = header(name, of: request).first else { throw .headerMissing(name) }
        guard let date = HTTPDate.parse(text) else { throw .malformedDate(text) }
        guard abs(date - now) <= Self.toleratedSkew else { throw .clockSkew(seconds: date - now) }
    }
}
