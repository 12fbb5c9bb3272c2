/// A session token and its key in files. Found, not opened.
package struct SecurityTokenIdentity: Sendable, Equatable {
    package var tokenFile: String
    package var keyFile: String
    package var passPhrase: Secret?
    package var tokenFilePlace: SettingPlace
    package var keyFilePlace: SettingPlace

    package init(
        tokenFile: String, keyFile: String, passPhrase: Secret? = nil, tokenFilePlace: SettingPlace = .init(),
        keyFilePlace: SettingPlace = .init()
    ) {
        self.tokenFile = tokenFile
        self.keyFile = keyFile
        self.passPhrase = passPhrase
        self.tokenFilePlace = tokenFilePlace
        self.keyFilePlace = keyFilePlace
    }
}

/// Where something was set: in the configuration, or in the file that a `profile` is read from.
package struct SettingPlace: Sendable, Equatable {
    /// Nil: the configuration.
    package var file: String?
    package var line: Int?

    package init(file: String? = nil, line: Int? = nil) {
        self.file = file
        self.line = line
    }
}

/// Where an instance principal's services are (OCI wire notes 1.7).
package struct InstancePrincipalSettings: Sendable, Equatable {
    /// Base URLs of the metadata service; the next one is asked when there is no way to the one before.
    package var metadata = ["http://169.254.169.254/opc/v2", "http://[fd00:c1::a9fe:a9fe]/opc/v2"]
    /// Base URL of the auth service; nil for the one of the instance's region.
    package var auth: String?

    package init() {}
}

/// What the platform has given to a resource principal (OCI wire notes 1.8).
package struct ResourcePrincipalSettings: Sendable, Equatable {
    /// What an environment variable holds: the text itself, or the absolute path of a file with it.
    package enum Value: Equatable, Sendable {
        case text(Secret)
        case file(String)

        package init(_ value: String) {
            self = value.hasPrefix("/") ? .file(value) : .text(Secret(value))
        }

        package var path: String? { if case .file(let path) = self { path } else { nil } }
    }

    package var token: Value
    package var privateKey: Value
    package var passPhrase: Value?

    package init(token: Value, privateKey: Value, passPhrase: Value? = nil) {
        self.token = token
        self.privateKey = privateKey
        self.passPhrase = passPhrase
    }
}

/// Where a pod of OKE gets its token (OCI wire notes 1.9).
package struct WorkloadIdentitySettings: Sendable, Equatable {
    /// Base URL of the cluster's token service.
    package var service: String
    /// File with the service account's token.
    package var serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    /// PEM file of the cluster's authority; nil when the service is not asked over TLS.
    package var authority: String? = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

    package init(service: String) { self.service = service }
}
