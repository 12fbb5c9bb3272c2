import Logging

/// An account whose credentials have been looked at, and can serve.
package struct LoadedAccount: Sendable {
    let settings: AccountSettings
    let identity: Identity

    /// What was found out at start.
    enum Identity: Sendable {
        case key(RequestSigner)
        /// It signs with tokens, which are fetched when they are needed.
        case tokens(TokenOrigin)
        /// It shows a key and signs nothing.
        case bearer(Secret)
    }

    /// Where its tokens come from.
    enum TokenOrigin: Sendable {
        case files(SecurityTokenIdentity)
        case instance(InstancePrincipalSettings)
        case resource(ResourcePrincipalSettings)
        case workload(WorkloadIdentitySettings)
    }

    var id: String { settings.id }

    func account(transports: Transports, time: TimeSource, logger: Logger) -> OCIAccount {
        OCIAccount(
            id: settings.id, region: settings.region, compartment: settings.compartment,
            inference: ServiceURL(settings.endpoint), management: ServiceURL(settings.managementEndpoint),
            credentials: credentials(transports, time, logger), auth: settings.credentials.kind,
            project: settings.project, transport: transports.common, time: time)
    }

    private func credentials(_ transports: Transports, _ time: TimeSource, _ logger: Logger) -> RequestCredentials {
        switch identity {
        case .key(let signer): .key(signer)
        case .bearer(let key): .bearer(key)
        case .tokens(let origin):
            .token(
                TokenCache(
                    account: settings.id, source: source(of: origin, transports, time), time: time, logger: logger))
        }
    }

    private func source(of origin: TokenOrigin, _ transports: Transports, _ time: TimeSource) -> any TokenSource {
        switch origin {
        case .files(let identity): SessionTokenFile(identity: identity)
        case .instance(let places): InstancePrincipal(places: places, transport: transports.common, time: time)
        case .resource(let settings): ResourcePrincipal(settings: settings)
        case .workload(let settings):
            WorkloadIdentity(settings: settings, transport: transports.cluster ?? transports.common)
        }
    }

    /// What Oracle throttles as one: a tenancy in a region.
    var throttle: String { "\(settings.tenancy ?? settings.compartment)/\(settings.region)" }

    /// The authority that the account's token service has its certificate from, when that is not one that everybody trusts.
    var authority: String? {
        if case .tokens(.workload(let settings)) = identity { settings.authority } else { nil }
    }
}

/// The ways to an account's services.
struct Transports: Sendable {
    /// Trusts the system's authorities and those of `ca_file`.
    let common: any HTTPTransport
    /// To a token service whose certificate has another authority; nil when there is none of its own.
    let cluster: (any HTTPTransport)?
}

/// An account as the file names it: loaded, or listed only.
package enum ConfiguredAccount: Sendable {
    case loaded(LoadedAccount)
    case idle(IdleAccount)
}
