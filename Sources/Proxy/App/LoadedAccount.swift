/// An account whose key has been read and fits.
package struct LoadedAccount: Sendable {
    let settings: AccountSettings
    let signer: RequestSigner

    var id: String { settings.id }

    func account(transport: any HTTPTransport, time: TimeSource) -> OCIAccount {
        OCIAccount(
            id: settings.id, region: settings.region, compartment: settings.compartment,
            inference: OCIEndpoint(settings.endpoint), management: OCIEndpoint(settings.managementEndpoint),
            signer: signer, transport: transport, time: time)
    }

    /// What Oracle throttles as one: a tenancy in a region.
    var throttle: String {
        switch settings.credentials {
        case .apiKey(let identity): "\(identity.tenancy)/\(settings.region)"
        }
    }
}

/// An account as the file names it: loaded, or listed only.
package enum ConfiguredAccount: Sendable {
    case loaded(LoadedAccount)
    case idle(IdleAccount)
}
