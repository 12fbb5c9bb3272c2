/// What has become of a configuration.
package struct ImportResult: Sendable, Equatable {
    /// In the proxy's INI form; nil when nothing in the source is an upstream that the proxy could ask.
    package let configuration: String?
    package let report: ImportReport
}
