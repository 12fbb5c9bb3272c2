/// Reads configurations of other programs: bytes in, the proxy's own configuration and a report out. Nothing is asked, nothing is written.
package enum ConfigurationImport {
    /// - Parameters:
    ///   - file: the YAML file; nil where the settings are all there is.
    ///   - settings: `config.py` or `.env`, which stand beside the file of oci-gateway.
    /// - Throws: `ImportFailure` when a file cannot be read as what it is meant to be.
    package static func read(
        _ source: ImportSource, file: [UInt8]?, settings: [UInt8]? = nil
    ) throws(ImportFailure) -> ImportResult {
        switch source {
        case .litellm: try LiteLLMImport.read(file ?? [])
        case .ociGateway: try OCIGatewayImport.read(file, settings: settings)
        }
    }
}
