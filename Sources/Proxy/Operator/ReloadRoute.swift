import ProxyRouting

/// `POST /v1/reload`: reads the configuration again.
struct ReloadRoute: Sendable {
    /// - Throws: `CancellationError` when the proxy is ending.
    typealias Reload = @Sendable () async throws -> Result<ReloadReport, ConfigurationError>

    let reload: Reload

    /// - Throws: 400 with everything that is wrong in the file; then nothing has changed.
    func answer() async throws -> Response {
        let report: ReloadReport
        switch try await reload() {
        case .success(let done): report = done
        case .failure(let error):
            throw Failure.invalidRequest(
                "Reload failed; the current configuration stays in use. "
                    + error.errors.map { "\($0)." }.joined(separator: " "), field: nil,
                as: .configuration)
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("message")
        writer.string(
            "Configuration reloaded."
                + (report.restart.isEmpty
                    ? "" : " \(report.restart.joined(separator: ", ")) changed: restart the proxy to apply the change.")
        )
        writer.key("providers_count")
        writer.int(report.providers)
        writer.key("accounts_count")
        writer.int(report.accounts)
        writer.endObject()
        return .json(writer.bytes)
    }
}

/// What came of a reload.
struct ReloadReport: Sendable {
    let providers: Int
    let accounts: Int
    /// Keys that differ from those with which the process started, and take effect with the next start only.
    let restart: [String]
}
