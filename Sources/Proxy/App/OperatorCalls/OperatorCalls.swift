/// How the command line asks the proxy: the process that runs with the configuration, else the ledger itself by the same endpoints.
///
/// Nothing is started, and no port is opened.
package struct OperatorCalls: Sendable {
    private let source: ConfigurationSource
    private let opener: LedgerOpener?
    private let key: Secret?
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - options: host and port as the process was started with, where that was not by the file.
    ///   - key: an administrator's; nil where the local rule is enough.
    ///   - ledger: opens the ledger, where the program has one.
    ///   - log: gets what the ledger has to say to the operator while this process has it, a sentence at a time.
    package init(
        _ options: Startup.Options, environment: [String: String], workingDirectory: String, key: Secret?,
        ledger: LedgerOpener?, log: @escaping @Sendable (String) -> Void
    ) {
        source = ConfigurationSource(options, environment: environment, workingDirectory: workingDirectory)
        opener = ledger
        self.key = key
        self.log = log
    }

    /// Asks, and hands the answer to `read` while it comes. Whoever cancels the task ends the request.
    ///
    /// - Throws: `ExitError` when the configuration cannot be used, nobody can be asked, or the call is refused; what `read` throws.
    package func ask<Result: Sendable>(
        _ call: OperatorCall, _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        let settings = try await settings()
        let silence: String
        if let address = OperatorAddress(settings.server) {
            let carrier = NetworkCarrier(address: address, certificate: settings.server.tlsCertificate, key: key)
            switch try await carrier.send(call) {
            case .answered(let answer):
                return try await Self.take(answer, read) { status, code in
                    Self.hint(status, code, at: address, key: key)
                }
            case .nobody(let reason): silence = "nobody answers at \(address) (\(reason))"
            }
        } else {
            silence = "the address of the proxy is not known, as its port is any free one"
        }
        return try await LedgerCarrier(source: source, settings: settings, opener: opener, log: log)
            .send(call, after: silence) { answer in try await Self.take(answer, read) { _, _ in nil } }
    }

    private func settings() async throws(ExitError) -> Settings {
        do {
            return try await source.patiently(on: .system) { [source] () throws(ConfigurationError) in
                try source.readSettings().settings
            }
        } catch {
            throw ExitError(.badConfiguration, error.description)
        }
    }

    private static func take<Result>(
        _ answer: OperatorAnswer, _ read: @Sendable (OperatorAnswer) async throws -> Result,
        hint: (Int, String?) -> String?
    ) async throws -> Result {
        guard !answer.isSuccess else { return try await read(answer) }
        let error = (try? JSONDocument(parsing: try await answer.document()))?.root.present("error")
        let code = error?["code"]?.string
        let message = error?["message"]?.string ?? "the proxy refuses it with status \(answer.status)"
        throw ExitError(
            // What the proxy finds wrong with a request are the arguments that it was made of.
            answer.status == 400 ? .badUsage : .refused,
            hint(answer.status, code).map { "\(message) \($0)" } ?? message)
    }

    /// What helps, besides what the proxy itself says.
    private static func hint(_ status: Int, _ code: String?, at address: OperatorAddress, key: Secret?) -> String? {
        switch status {
        case 401 where key == nil:
            "For the command line: run it on the proxy's machine as the proxy's user or root, or name a file with the key of an administrator by -key-file FILE."
        case 401, 403:
            "For the command line: the file that -key-file names must hold a key with the role that is needed."
        case 404 where code == "unknown_path":
            "The proxy at \(address) does not serve the operator's endpoints there: it was started with another admin_listen, or is an older version. Restart it."
        default: nil
        }
    }
}
