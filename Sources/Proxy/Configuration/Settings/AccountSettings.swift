/// How an account proves who it is; the raw values are those of the key `auth`.
package enum AuthKind: String, Sendable, CaseIterable {
    case apiKey = "api_key"
    case securityToken = "security_token"
    case instancePrincipal = "instance_principal"
    case resourcePrincipal = "resource_principal"
    case okeWorkloadIdentity = "oke_workload_identity"
    case bearer
}

/// The identity behind an OCI API key. The key file is found, not opened: what it holds is the signer's concern.
package struct APIKeyIdentity: Sendable, Equatable {
    package var user: String
    package var tenancy: String
    /// Lower-case hex pairs with colons.
    package var fingerprint: String
    /// The path that exists, ready to be opened.
    package var keyFile: String
    package var passPhrase: Secret?
    /// Where the configuration names these, so that a key that does not fit is reported with file and line.
    package var keyFileLine: Int?
    package var fingerprintLine: Int?
    package var passPhraseLine: Int?
    /// The file in which those lines are, where it is not the configuration: a `profile` was read from it.
    package var keyFileOrigin: String?
    package var fingerprintOrigin: String?
    package var passPhraseOrigin: String?

    package init(
        user: String, tenancy: String, fingerprint: String, keyFile: String, passPhrase: Secret? = nil,
        keyFileLine: Int? = nil, fingerprintLine: Int? = nil, passPhraseLine: Int? = nil
    ) {
        self.user = user
        self.tenancy = tenancy
        self.fingerprint = fingerprint
        self.keyFile = keyFile
        self.passPhrase = passPhrase
        self.keyFileLine = keyFileLine
        self.fingerprintLine = fingerprintLine
        self.passPhraseLine = passPhraseLine
    }
}

/// What an account shows with its calls.
package enum Credentials: Sendable, Equatable {
    case apiKey(APIKeyIdentity)
    case securityToken(SecurityTokenIdentity)
    case instancePrincipal(InstancePrincipalSettings)
    case resourcePrincipal(ResourcePrincipalSettings)
    case okeWorkloadIdentity(WorkloadIdentitySettings)
    /// A Generative AI API key (OCI wire notes, 7).
    case bearer(Secret)

    package var kind: AuthKind {
        switch self {
        case .apiKey: .apiKey
        case .securityToken: .securityToken
        case .instancePrincipal: .instancePrincipal
        case .resourcePrincipal: .resourcePrincipal
        case .okeWorkloadIdentity: .okeWorkloadIdentity
        case .bearer: .bearer
        }
    }
}

/// One OCI account that is ready to be used.
package struct AccountSettings: Sendable, Equatable {
    /// Shown in logs and statistics; unique.
    package var id: String
    /// The line of the section, or 1 for an account at the root.
    package var line: Int
    package var credentials: Credentials
    /// OCID; nil when the configuration does not say and the credentials are only known to belong to some tenancy.
    package var tenancy: String?
    /// The OCID sent with each call.
    package var compartment: String
    /// A full region id, such as `us-chicago-1`.
    package var region: String
    /// Without the API's version path.
    package var endpoint: BaseURL
    package var managementEndpoint: BaseURL
    /// 1...1000.
    package var weight: Int
    /// Requests in flight at this account.
    package var maxConcurrency: Int
    /// False: listed in statistics, never used.
    package var isEnabled: Bool
    /// OCID of the Generative AI project in which OCI keeps responses; nil: Responses are translated.
    package var project: String?

    package init(
        id: String, line: Int = 1, credentials: Credentials, tenancy: String? = nil, compartment: String,
        region: String, endpoint: BaseURL,
        managementEndpoint: BaseURL, weight: Int = 1, maxConcurrency: Int = 50, isEnabled: Bool = true,
        project: String? = nil
    ) {
        self.id = id
        self.line = line
        self.credentials = credentials
        self.tenancy = tenancy
        self.compartment = compartment
        self.region = region
        self.endpoint = endpoint
        self.managementEndpoint = managementEndpoint
        self.weight = weight
        self.maxConcurrency = maxConcurrency
        self.isEnabled = isEnabled
        self.project = project
    }
}

/// An account as the file lists it: usable, or lost with the reasons why. One lost account does not poison the others.
package enum AccountEntry: Sendable, Equatable {
    case usable(AccountSettings)
    case unusable(id: String, line: Int, errors: [ConfigurationIssue])

    package var id: String {
        switch self {
        case .usable(let account): account.id
        case .unusable(let id, _, _): id
        }
    }
}
