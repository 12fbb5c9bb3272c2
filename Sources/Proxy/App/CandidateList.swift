import NIOCore
import ProxyRouting

/// From what a file names to the upstreams that the router may be given.
struct CandidateList: Sendable {
    /// Who can be used, the file's accounts before its providers.
    private(set) var candidates: [Membership.Candidate] = []
    /// The order of the file: who of them serves, and who is only listed.
    private var entries: [IdleAccount?] = []

    /// - Throws: a sentence for authorities that cannot be used.
    init(_ configuration: LoadedConfiguration, in state: ProcessState) throws(CertificateProblem) {
        let settings = configuration.settings
        let connections = try Connections(settings, in: state)
        let breaker = CircuitBreaker.Settings(settings.breaker)
        for account in configuration.accounts {
            switch account {
            case .idle(let account): entries.append(account)
            case .loaded(let loaded):
                entries.append(nil)
                let transports = Transports(
                    common: connections.accounts.transport, cluster: try connections.trusting(loaded.authority))
                candidates.append(
                    Membership.Candidate(
                        identity: UpstreamIdentity(loaded.settings, over: connections.accounts.options), id: loaded.id,
                        settings: Upstream.Settings(
                            weight: loaded.settings.weight, maxConcurrency: loaded.settings.maxConcurrency,
                            throttle: loaded.throttle.hashValue,
                            breaker: breaker),
                        // An account's id is the operator's choice and part of its identity: nobody else has it.
                        backend: { _ in loaded.account(transports: transports, time: state.time, logger: state.logger) }
                    ))
            }
        }
        for provider in settings.providers {
            entries.append(nil)
            let transport = connections.providers.transport
            candidates.append(
                Membership.Candidate(
                    identity: UpstreamIdentity(provider, over: connections.providers.options), id: provider.id,
                    // What one provider throttles is no business of the others, nor of its own other tokens.
                    settings: Upstream.Settings(
                        maxConcurrency: provider.maxConcurrency, throttle: "provider \(provider.id)".hashValue,
                        breaker: breaker),
                    backend: { id in
                        var provider = provider
                        provider.id = id
                        return Provider(provider, transport: transport, time: state.time)
                    }))
        }
    }

    /// The roster over these upstreams, which are those of `candidates`.
    func accountList(of upstreams: [Upstream]) -> AccountList {
        var places = upstreams.map(\.index)[...]
        return AccountList(
            entries: entries.compactMap { idle in idle.map { .idle($0) } ?? places.popFirst().map { .serving($0) } })
    }
}

/// The transports of a configuration.
private struct Connections {
    typealias Way = (options: NIOTransport.Options, transport: NIOTransport)

    let accounts: Way
    /// The file says how long unused connections are kept.
    let providers: Way
    private let state: ProcessState

    /// Streams, and all answers of OCI, are asked for uncompressed; this is for those who compress them all the same.
    private static let longestUnpackedStream = 64 << 20

    init(_ settings: Settings, in state: ProcessState) throws(CertificateProblem) {
        self.state = state
        let fix = "use a PEM file with one or more certificates"
        let authorities = try settings.caFile.map { path throws(CertificateProblem) in
            try Self.authorities(path, key: "ca_file", fix: fix)
        }
        func way(_ options: NIOTransport.Options) throws(CertificateProblem) -> Way {
            try Self.way(options, on: state.transports, key: "ca_file", fix: fix)
        }
        accounts = try way(
            .init(unpackedLimit: Self.longestUnpackedStream, authorities: authorities, proxies: state.proxies))
        providers = try way(
            .init(
                idleTimeout: TimeAmount(settings.connections.keepAliveExpiry),
                idleConnections: settings.connections.keptAlive,
                unpackedLimit: max(settings.limits.maxResponseSize, Self.longestUnpackedStream),
                authorities: authorities, proxies: state.proxies))
    }

    /// A way to a token service whose certificate comes from an authority of its cluster.
    func trusting(_ authority: String?) throws(CertificateProblem) -> (any HTTPTransport)? {
        guard let authority else { return nil }
        let (key, fix) = ("the cluster's authority", "set OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH to a PEM file")
        let options = NIOTransport.Options(authorities: try Self.authorities(authority, key: key, fix: fix))
        return try Self.way(options, on: state.transports, key: key, fix: fix).transport
    }

    private static func authorities(_ path: String, key: String, fix: String) throws(CertificateProblem)
        -> AuthorityFile
    {
        do {
            return AuthorityFile(path: path, content: try ConfigurationFile.read(path, name: path))
        } catch {
            throw CertificateProblem(
                message: "\(key) = \(path) cannot be used (\(error.errors.first?.message ?? "unreadable"))", fix: fix)
        }
    }

    private static func way(
        _ options: NIOTransport.Options, on shelf: TransportCache, key: String, fix: String
    ) throws(CertificateProblem) -> Way {
        do {
            return (options, try shelf.transport(options))
        } catch {
            throw CertificateProblem(
                message: "\(key) = \(options.authorities?.path ?? "") cannot be used (\(error))", fix: fix)
        }
    }
}
