import NIOCore
import NIOPosix

/// OCI Generative AI on loopback: inference and model listing for any number of accounts on one port.
///
/// It is written from the description of the wire alone and shares no source with the proxy, so that both cannot be
/// wrong together. Signatures and API keys are always checked.
package final class OCISimulator: Sendable {
    package let accounts: [SimulatedAccount]
    package let host: String
    /// The common port.
    package let port: Int
    private let service: SimulatedService
    private let listeners: Listeners
    private let group: MultiThreadedEventLoopGroup

    private init(
        _ configuration: SimulatorConfiguration, _ service: SimulatedService, _ listeners: Listeners,
        _ group: MultiThreadedEventLoopGroup, port: Int
    ) {
        accounts = configuration.accounts
        host = configuration.host
        self.port = port
        self.service = service
        self.listeners = listeners
        self.group = group
    }

    /// Binds and serves. Throws what the system says when a port cannot be bound; nothing is left open then.
    package static func start(_ configuration: SimulatorConfiguration) async throws -> OCISimulator {
        let group = MultiThreadedEventLoopGroup.singleton
        let service = SimulatedService(configuration)
        let listeners = Listeners()
        let control = ControlAPI(service: service, listeners: listeners)
        func listener(port: Int) -> Listener {
            Listener(group: group, host: configuration.host, port: port, service: service, control: control)
        }
        let common = listener(port: configuration.port)
        var own: [String: Listener] = [:]
        if configuration.listenerPerAccount {
            for account in configuration.accounts { own[account.id] = listener(port: 0) }
        }
        listeners.set(common: common, accounts: own)
        do {
            for listener in listeners.all { try await listener.open().get() }
        } catch {
            for listener in listeners.all { try await listener.close().get() }
            throw error
        }
        return OCISimulator(configuration, service, listeners, group, port: common.port)
    }

    /// Closes all ports and connections. Tests that still wait for a request get a `CancellationError`.
    package func stop() async throws {
        for listener in listeners.all { try await listener.close().get() }
        service.log.close()
    }

    /// `http://127.0.0.1:PORT`: the `endpoint` of every account.
    package var endpoint: String { "http://\(host):\(port)" }

    /// The endpoint of one account's own port; the common one when it has none.
    package func endpoint(of account: String) -> String {
        guard let listener = listeners.listener(of: account) else { return endpoint }
        return "http://\(host):\(listener.port)"
    }

    // MARK: Steering

    package func add(_ fault: Fault) { service.add(fault) }
    package func removeFaults() { service.removeFaults() }

    package var pacing: Pacing { service.pacing }
    package func setPacing(_ pacing: Pacing) { service.pacing = pacing }

    /// Whether `GET /openai/v1/models` answers a list, or 404.
    package var listsOpenAIModels: Bool { service.listsOpenAIModels }
    package func setListsOpenAIModels(_ isListed: Bool) { service.listsOpenAIModels = isListed }

    /// From now on these are the account's Generative AI API keys, and no others (two at most; none: all are revoked).
    package func setAPIKeys(_ keys: [String], of account: String) throws(KeyError) {
        try service.apiKeys.set(keys, of: account)
    }

    /// Faults, records, totals, pacing and API keys as at the start.
    package func reset() { service.reset() }

    /// Closes the account's own port: new connections are refused, open ones are hung up on.
    package func refuseConnections(of account: String) async throws {
        try await listeners.listener(of: account)?.refuse().get()
    }

    /// Opens the account's own port again.
    package func acceptConnections(of account: String) async throws {
        try await listeners.listener(of: account)?.open().get()
    }

    // MARK: Tokens

    /// Of the session tokens to come, in seconds.
    package var tokenLifetime: Int { service.credentials.issuer.lifetime }
    package func setTokenLifetime(_ seconds: Int) { service.credentials.issuer.lifetime = seconds }

    /// So many session tokens have been issued.
    package var tokensIssued: Int { service.credentials.issuer.count }

    /// A session token for an account, as `oci session authenticate` gets one, without `ST$`.
    ///
    /// - Parameter key: PKCS#8 text of the session's key.
    package func sessionToken(for account: SimulatedAccount, key: String) throws(KeyError) -> String {
        service.credentials.issuer.issue(
            to: account, key: try RSAPublicKey(privatePEM: key), now: Int(service.configuration.now()))
    }

    /// From now on every token issued so far is refused with 401.
    package func revokeTokens() { service.credentials.issuer.revokeAll() }

    // MARK: Watching

    package var requests: [RequestRecord] { service.log.records }
    package var statistics: RequestLog.Statistics { service.log.statistics }

    /// The first request with an id above `after` that satisfies `condition`, at once or as soon as there is one.
    /// The condition is asked on every change of a request (status, each event, end), so that
    /// `{ $0.eventsSent >= 3 }` waits for the third event. It must be short.
    /// - Throws: `CancellationError` when the task is cancelled or the simulator stops.
    package func request(
        after: Int = 0, where condition: @escaping @Sendable (RequestRecord) -> Bool = { _ in true }
    ) async throws -> RequestRecord {
        try await service.log.first(after: after, where: condition)
    }

    /// The request with that id once its answer has ended, however it did.
    package func ended(_ id: Int) async throws -> RequestRecord {
        try await request(after: id - 1) { $0.id == id && $0.ending != nil }
    }
}
