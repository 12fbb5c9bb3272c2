/// What the process's environment says about credentials: variables of Oracle's SDKs and of the platforms that set them, and the
/// files that these name.
package struct CredentialEnvironment: Sendable {
    /// The variables that are read, and nothing else of the environment.
    package static let variables = [
        "OCI_CONFIG_FILE", "OCI_REGION", "OCI_METADATA_BASE_URL", "OCI_SDK_AUTH_CLIENT_REGION_URL",
        "OCI_RESOURCE_PRINCIPAL_VERSION", "OCI_RESOURCE_PRINCIPAL_RPST", "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM",
        "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE", "OCI_RESOURCE_PRINCIPAL_REGION",
        "KUBERNETES_SERVICE_HOST", "OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH",
        "OCI_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH",
        // Ours, for tests and for clusters behind something: a base URL in place of https://KUBERNETES_SERVICE_HOST:12250.
        "OCIAI_OKE_TOKEN_SERVICE",
    ]

    private let values: [String: String]
    private let readFile: @Sendable (String) -> [UInt8]?

    /// - Parameters:
    ///   - values: the environment.
    ///   - readFile: the bytes of a file; nil when it cannot be read.
    package init(values: [String: String] = [:], readFile: @escaping @Sendable (String) -> [UInt8]? = { _ in nil }) {
        self.values = values
        self.readFile = readFile
    }

    /// The value of a variable; nil when it is not set or empty.
    package subscript(name: String) -> String? {
        values[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    package func read(_ path: String) -> [UInt8]? { readFile(path) }

    // MARK: Kinds

    package var instancePrincipal: InstancePrincipalSettings {
        var settings = InstancePrincipalSettings()
        if let base = self["OCI_METADATA_BASE_URL"] { settings.metadata = [Self.withoutSlash(base)] }
        settings.auth = self["OCI_SDK_AUTH_CLIENT_REGION_URL"].map(Self.withoutSlash)
        return settings
    }

    /// Throws what is missing, as the end of a sentence.
    package func resourcePrincipal() throws(Missing) -> ResourcePrincipalSettings {
        let version = self["OCI_RESOURCE_PRINCIPAL_VERSION"]
        guard version == "2.2" else {
            throw Missing(
                version.map { "OCI_RESOURCE_PRINCIPAL_VERSION is \($0.prefix(16)), but only 2.2 is supported" }
                    ?? "OCI_RESOURCE_PRINCIPAL_VERSION is not set")
        }
        guard let token = self["OCI_RESOURCE_PRINCIPAL_RPST"] else {
            throw Missing("OCI_RESOURCE_PRINCIPAL_RPST is not set")
        }
        guard let key = self["OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"] else {
            throw Missing("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM is not set")
        }
        return ResourcePrincipalSettings(
            token: .init(token), privateKey: .init(key),
            passPhrase: self["OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE"].map { .init($0) })
    }

    /// Throws what is missing, as the end of a sentence.
    package func workloadIdentity() throws(Missing) -> WorkloadIdentitySettings {
        let override = self["OCIAI_OKE_TOKEN_SERVICE"].map(Self.withoutSlash)
        let host = self["KUBERNETES_SERVICE_HOST"].map { $0.contains(":") ? "[\($0)]" : $0 }
        guard let service = override ?? host.map({ "https://\($0):12250" }) else {
            throw Missing("KUBERNETES_SERVICE_HOST is not set")
        }
        var settings = WorkloadIdentitySettings(service: service)
        if let path = self["OCI_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"] { settings.serviceAccountToken = path }
        if let path = self["OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH"] { settings.authority = path }
        if service.hasPrefix("http://") { settings.authority = nil }
        return settings
    }

    /// A variable that a kind of authentication cannot do without.
    package struct Missing: Error, Equatable {
        package let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    private static func withoutSlash(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }
}
