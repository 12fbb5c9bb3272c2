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
}
