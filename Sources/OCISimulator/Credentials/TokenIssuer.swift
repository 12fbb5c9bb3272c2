import FoundationEssentials
import Synchronization

/// The session tokens that the simulator has issued, each with the public key whose requests it covers.
package final class TokenIssuer: Sendable {
    package struct Issued: Sendable {
        package let account: SimulatedAccount
        package let key: RSAPublicKey
        /// Seconds since 1970.
        package let expiry: Int
    }

    private struct State {
        var tokens: [String: Issued] = [:]
        var lifetime: Int
        var count = 0
    }

    private let state: Mutex<State>
    private let initialLifetime: Int

    /// - Parameter lifetime: of the tokens, in seconds.
    package init(lifetime: Int) {
        initialLifetime = lifetime
        state = Mutex(State(lifetime: lifetime))
    }

    /// Of the tokens to come, in seconds; 0 makes tokens that have expired already.
    package var lifetime: Int {
        get { state.withLock { $0.lifetime } }
        set { state.withLock { $0.lifetime = newValue } }
    }

    /// So many have been issued.
    package var count: Int { state.withLock { $0.count } }

    /// A JWT without `ST$`. Its signature is noise: nobody but us takes the token, and we know what we have issued.
    package func issue(to account: SimulatedAccount, key: RSAPublicKey, now: Int) -> String {
        state.withLock { state in
            state.count += 1
            let expiry = now + state.lifetime
            let claims: JSON = [
                "sub": .string(account.user), "tenant": .string(account.tenancy),
                "res_tenant": .string(account.tenancy),
                "iat": .integer(now), "exp": .integer(expiry), "jti": .integer(state.count), "ptype": "simulated",
            ]
            var random = SystemRandomNumberGenerator()
            let noise = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let token = [Array(#"{"alg":"RS256","typ":"JWT"}"#.utf8), claims.bytes, noise].map(Self.base64URL).joined(
                separator: ".")
            state.tokens[token] = Issued(account: account, key: key, expiry: expiry)
            return token
        }
    }

    /// What a token stands for, be it expired or not; nil for one that is unknown or revoked.
    package func find(_ token: String) -> Issued? { state.withLock { $0.tokens[token] } }

    /// From now on every token issued so far is refused.
    package func revokeAll() { state.withLock { $0.tokens.removeAll() } }

    /// As at the start, but for the tokens in use.
    package func reset() { state.withLock { $0.lifetime = initialLifetime } }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
