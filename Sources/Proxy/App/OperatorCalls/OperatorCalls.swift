/// How the command line asks the proxy: the process that runs with the configuration, else the ledger itself by the same endpoints.
///
/// Nothing is started, and no port is opened.
package struct OperatorCalls: Sendable {
    /// Who is to be asked.
    package enum Place: Sendable {
        /// The proxy of a configuration.
        ///
        /// - Parameters:
        ///   - options: host and port as the process was started with, where that was not by the file.
        ///   - stateDirectory: where its ledger is, when it does not run and neither the file nor the environment says it.
        case configuration(Startup.Options, stateDirectory: String? = nil)
        /// Whoever is at an address (`http://HOST:PORT`, `https://HOST:PORT`, `unix:PATH`), whatever configuration it has. No file is read.
        case address(String)
    }

    private enum Target: Sendable {
        case configuration(ConfigurationSource, stateDirectory: String?)
        case address(OperatorAddress)
    }

    private let target: Target
    private let opener: LedgerOpener?
    private let key: Secret?
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - key: an administrator's; nil where the local rule is enough.
    ///   - ledger: opens the ledger, where the program has one.
    ///   - log: gets what the ledger has to say to the operator while this process has it, a sentence at a time.
    /// - Throws: `ExitError` when the place is none.
    package init(
        _ place: Place, environment: [String: String], workingDirectory: String, key: Secret?,
        ledger: LedgerOpener?, log: @escaping @Sendable (String) -> Void
    ) throws(ExitError) {
        switch place {
        case .configuration(let options, let stateDirectory):
            target = .configuration(
                ConfigurationSource(options, environment: environment, workingDirectory: workingDirectory),
                stateDirectory: stateDirectory)
        case .address(let text):
            guard let address = OperatorAddress(text) else {
                throw ExitError(
                    .badUsage,
                    "-at \(text) is no address: use http://HOST:PORT, https://HOST:PORT, unix:PATH, or a port of 127.0.0.1"
                )
            }
            target = .address(address)
        }
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
        switch target {
        case .configuration(let source, let stateDirectory):
            try await ask(call, of: source, stateDirectory, read)
        case .address(let address):
            switch try await carrier(to: address, of: nil, nil).send(call) {
            case .answered(let answer): try await take(answer, from: address, read)
            case .nobody(let reason):
                throw ExitError(
                    .cannotBind,
                    "\(reason); without -at, and with -config, the ledger itself is asked where no proxy runs")
            }
        }
    }

    private func ask<Result: Sendable>(
        _ call: OperatorCall, of source: ConfigurationSource, _ stateDirectory: String?,
        _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        let settings = try await settings(source)
        let silence: String
        if let address = OperatorAddress(settings.server) {
            switch try await carrier(to: address, of: source, settings).send(call) {
            case .answered(let answer): return try await take(answer, from: address, read)
            case .nobody(let reason): silence = reason
            }
        } else {
            silence = "the address of the proxy is not known, as its port is any free one"
        }
        return try await LedgerCarrier(
            source: source, settings: settings, stateDirectory: stateDirectory, opener: opener, log: log
        ).send(call, after: silence) { answer in try await Self.take(answer, read) { _, _ in nil } }
    }

    private func carrier(to address: OperatorAddress, of source: ConfigurationSource?, _ settings: Settings?)
        -> NetworkCarrier
    {
        var files: [String] = []
        if let source {
            files.append(source.path)
            if case .named(let directory)? = settings?.ledger.directory { files.append(directory) }
        }
        return NetworkCarrier(
            address: address, certificate: settings?.server.tlsCertificate, key: key,
            configuration: source.map { ConfigurationIdentity(ofFileAt: $0.path) },
            receiver: KeyReceiver(ownersOf: files))
    }

    private func settings(_ source: ConfigurationSource) async throws(ExitError) -> Settings {
        do {
            return try await source.patiently(on: .system) { () throws(ConfigurationError) in
                try source.readSettings().settings
            }
        } catch {
            let hint = key == nil ? "" : "\nWith -at ADDRESS a proxy that runs is asked without its configuration."
            throw ExitError(.badConfiguration, error.description + hint)
        }
    }

    private func take<Result>(
        _ answer: OperatorAnswer, from address: OperatorAddress,
        _ read: @Sendable (OperatorAnswer) async throws -> Result
    ) async throws -> Result {
        try await Self.take(answer, read) { status, code in Self.hint(status, code, at: address, key: key) }
    }

    private static func take<Result>(
        _ answer: OperatorAnswer, _ read: @Sendable (OperatorAnswer) async throws -> Result,
        hint: (Int, String?) -> String?
    ) async throws -> Result {
        guard !answer.isSuccess else { return try await read(answer) }
        let error = (try? JSONDocument(parsing: try await answer.document()))?.root.present("error")
        let code = error?["code"]?.string
        let message = TextTable.printable(
            error?["message"]?.string ?? "\(answer.origin) refuses it with status \(answer.status)")
        // What the proxy finds wrong with a request are the arguments that it was made of.
        var exit = answer.status == 400 ? ExitCode.badUsage : .refused
        if code == "other_configuration" { exit = .cannotBind }
        throw ExitError(exit, hint(answer.status, code).map { "\(message) \($0)" } ?? message)
    }

    /// What helps, besides what the proxy itself says.
    private static func hint(_ status: Int, _ code: String?, at address: OperatorAddress, key: Secret?) -> String? {
        switch status {
        case 401 where key == nil:
            "For the command line: run it on the proxy's machine as the proxy's user or root, or name a file with the key of an administrator by -key-file FILE."
        case 401, 403:
            "For the command line: the file that -key-file names must hold a key with the role that is needed."
        case 412 where code == "other_configuration":
            "It answers at \(address). Name the address of the right proxy (-port and -host as it was started with, or its admin_listen) or stop that one; -config with its file, or -at \(address), asks that one."
        case 404 where code == "unknown_path":
            "The proxy at \(address) does not serve the operator's endpoints there: it was started with another admin_listen, or is an older version. Restart it."
        default: nil
        }
    }
}
