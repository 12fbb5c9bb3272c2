import Proxy

/// The commands beside serving: the first argument names one.
enum Subcommand: String {
    case key, ledger, why
    case `import`

    static let usage = """
          ociai-proxy key list|create|rotate|revoke|history
                                               client keys, made and taken back while the proxy runs or not
          ociai-proxy ledger [TABLE]|export|reprice    what is recorded about requests: tokens, costs, failures
          ociai-proxy why REQUEST-ID           why a request went where it went
          ociai-proxy import litellm|oci-gateway FILE    a configuration of another program, as one of this proxy
        """

    /// Nobody has said what is to be done.
    struct Missing: Error {
        /// What can be.
        let usage: String
    }

    /// - Returns: nil when the arguments name none.
    static func named(in arguments: [String]) -> (command: Subcommand, arguments: [String])? {
        arguments.first.flatMap(Subcommand.init).map { ($0, Array(arguments.dropFirst())) }
    }

    /// - Throws: `ExitError` when it cannot be done, `Missing` when there is nothing to do.
    func run(_ arguments: [String]) async throws {
        do {
            switch self {
            case .key: try await KeyCommand.run(arguments)
            case .ledger: try await LedgerCommand.run(arguments)
            case .why: try await WhyCommand.run(arguments)
            case .import: try ImportCommand.run(arguments)
            }
        } catch is Console.ReaderLeft {
            // As in `ociai-proxy ledger export | head`.
        }
    }
}
