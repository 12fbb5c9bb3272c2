import Foundation
import ProxyTestSupport

@testable import Proxy

/// Tokens and keys for tests.
enum CredentialSamples {
    /// A JWT with these claims and no real signature.
    static func jwt(_ claims: String) -> String {
        let encode = { (text: String) in
            Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
                "=", with: "")
        }
        return [encode(#"{"alg":"RS256"}"#), encode(claims), encode("signature")].joined(separator: ".")
    }

    /// One key for all tests of this process: making one takes its time.
    static let key = Result<PrivateKey, CredentialFailure> { () throws(CredentialFailure) in try PrivateKey.session() }

    /// - Parameter expiry: seconds since 1970; nil for a token that does not say.
    static func token(_ name: String, expiry: Int64?) throws -> SessionToken {
        let claims = expiry.map { #"{"exp":\#($0),"jti":"\#(name)"}"# } ?? #"{"jti":"\#(name)"}"#
        return try SessionToken(jwt(claims), key: try key.get(), source: "the test")
    }
}
