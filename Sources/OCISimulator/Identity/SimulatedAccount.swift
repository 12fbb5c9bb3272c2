/// An OCI account (an API key of a user in a tenancy) that the simulator knows.
package struct SimulatedAccount: Sendable {
    /// Name in faults, records and statistics, such as `account_1`.
    package let id: String
    package let tenancy: String
    package let user: String
    package let region: String
    /// The compartment that this account may use beside its tenancy. Nil: any OCID is taken.
    package let compartment: String?
    /// PKCS#8 text, when the simulator made the key or was given it.
    package let privateKeyPEM: String?
    package let publicKey: RSAPublicKey
    package let fingerprint: String
    /// Generative AI API keys, two at most: valid in place of a signature on the OpenAI-compatible path (OCI wire notes 7).
    package private(set) var apiKeys: [String] = []

    /// `<tenancy>/<user>/<fingerprint>` (OCI wire notes 1.4).
    package var keyID: String { "\(tenancy)/\(user)/\(fingerprint)" }

    package init(
        id: String, tenancy: String, user: String, region: String, compartment: String? = nil, publicKeyPEM: String
    ) throws(KeyError) {
        self.id = id
        self.tenancy = tenancy
        self.user = user
        self.region = region
        self.compartment = compartment
        privateKeyPEM = nil
        publicKey = try RSAPublicKey(publicPEM: publicKeyPEM)
        fingerprint = publicKey.fingerprint
    }

    package init(
        id: String, tenancy: String, user: String, region: String, compartment: String? = nil, privateKeyPEM: String
    ) throws(KeyError) {
        self.id = id
        self.tenancy = tenancy
        self.user = user
        self.region = region
        self.compartment = compartment
        self.privateKeyPEM = privateKeyPEM
        publicKey = try RSAPublicKey(privatePEM: privateKeyPEM)
        fingerprint = publicKey.fingerprint
    }

    /// The same account with these Generative AI API keys, and no others. Throws when there are more than two, or when one
    /// could not travel in a header.
    package func with(apiKeys: [String]) throws(KeyError) -> SimulatedAccount {
        try APIKeys.check(apiKeys)
        var copy = self
        copy.apiKeys = apiKeys
        return copy
    }

    /// The same account with an API key that is made of its private key, and so the same whenever that is.
    package func withOwnAPIKey() throws(KeyError) -> SimulatedAccount {
        guard let privateKeyPEM else { throw KeyError(description: "\(id) has no private key to make an API key of") }
        let digits = Array("0123456789abcdef")
        let digest = Digest.sha256(Array(("API key of " + privateKeyPEM).utf8))
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return try with(apiKeys: ["simulated-" + String(text)])
    }

    /// Account number `number` (from 1) with OCIDs of the real form. Each has its own tenancy, except that accounts
    /// are put into one when `sharedTenancy` is true (accounts of one tenancy share limits at the real service).
    package static func numbered(
        _ number: Int, region: String, privateKeyPEM: String, sharedTenancy: Bool = false
    ) throws(KeyError) -> SimulatedAccount {
        func ocid(_ kind: String, _ number: Int) -> String {
            let name = kind.filter(\.isLetter)
            return "ocid1.\(kind).oc1..aaaaaaaasimulated\(name)\(number)"
        }
        return try SimulatedAccount(
            id: "account_\(number)", tenancy: ocid("tenancy", sharedTenancy ? 1 : number), user: ocid("user", number),
            region: region, compartment: ocid("compartment", number), privateKeyPEM: privateKeyPEM)
    }

    /// `count` accounts named `account_1`... with keys of this process (see `RSAPrivateKeyPEM.pooled`), their regions
    /// taken from `regions` in turn.
    package static func generate(
        _ count: Int, regions: [String] = ["us-chicago-1"], sharedTenancy: Bool = false
    ) throws(KeyError) -> [SimulatedAccount] {
        let keys = try RSAPrivateKeyPEM.pooled(count: count)
        var accounts: [SimulatedAccount] = []
        for (index, key) in keys.enumerated() {
            let region = regions.isEmpty ? "us-chicago-1" : regions[index % regions.count]
            accounts.append(
                try numbered(index + 1, region: region, privateKeyPEM: key, sharedTenancy: sharedTenancy))
        }
        return accounts
    }
}
