/// Whose configuration is read; the raw values are those of the command line.
package enum ImportSource: String, Sendable, CaseIterable {
    case litellm
    case ociGateway = "oci-gateway"
}
