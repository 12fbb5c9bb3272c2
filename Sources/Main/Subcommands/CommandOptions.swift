import ArgumentParser
import Proxy

/// What all commands take.
struct CommandOptions: ParsableArguments {
    @Option(name: .oneOrTwoDashes("config"))
    var config: String?

    @Option(name: .oneOrTwoDashes("port"))
    var port: Int?

    @Option(name: .oneOrTwoDashes("host"))
    var host: String?

    @Flag(name: .oneOrTwoDashes("multi-account"))
    var multiAccount = false

    @Option(name: .oneOrTwoDashes("state-dir"))
    var stateDirectory: String?

    @Option(name: .oneOrTwoDashes("at"))
    var address: String?

    @Option(name: .oneOrTwoDashes("key-file"))
    var keyFile: String?

    @Flag(name: .oneOrTwoDashes("help"))
    var help = false

    func validate() throws {
        if let port, !(1...65535).contains(port) {
            throw ValidationError("invalid port \(port): must be 1 to 65535")
        }
        if let stateDirectory, stateDirectory.isEmpty { throw ValidationError("-state-dir is empty: name a directory") }
        if address != nil, config != nil || port != nil || host != nil || multiAccount || stateDirectory != nil {
            throw ValidationError(
                "-at names the proxy by its address alone: leave out -config, -multi-account, -host, -port and -state-dir"
            )
        }
    }

    static let usage = """
          -config PATH     the configuration file, as for the proxy itself
          -multi-account   the default file is multi_config.conf
          -host, -port     as the proxy was started with, where that was not by the file
          -state-dir DIR   where the ledger is, when no proxy runs and the file has no state_dir (systemd's
                           STATE_DIRECTORY, such as /var/lib/ociai-proxy)
          -at ADDRESS      asks the proxy at http://HOST:PORT, https://HOST:PORT or unix:PATH, whatever its
                           configuration; no file is read
          -key-file PATH   a file with the key of an administrator; - reads it from standard input. Not needed
                           for the proxy's own user and root on its machine
          -help            print this help
        """

    /// How the proxy is asked.
    ///
    /// - Throws: `ExitError` when the file with the key cannot be used.
    func calls() throws -> OperatorCalls {
        try OperatorCalls(
            address.map { .address($0) }
                ?? .configuration(
                    Startup.Options(config: config, host: host, port: port, multiAccount: multiAccount),
                    stateDirectory: stateDirectory),
            environment: ProcessEnvironment.ofService, workingDirectory: ProcessEnvironment.workingDirectory,
            key: try keyFile.map(AdministratorKey.read), ledger: OwnLedger.opener,
            log: { Console.note("ociai-proxy: \($0)\n") })
    }
}

extension NameSpecification {
    static func oneOrTwoDashes(_ name: String) -> NameSpecification {
        [.customLong(name, withSingleDash: true), .customLong(name)]
    }
}

extension ParsableArguments {
    /// - Parameter command: for the message, such as `key create`.
    /// - Throws: `ExitError` when the arguments are not understood.
    static func read(_ arguments: [String], of command: String) throws -> Self {
        do {
            return try parse(arguments)
        } catch {
            throw Console.badUsage(message(for: error), of: command)
        }
    }
}
