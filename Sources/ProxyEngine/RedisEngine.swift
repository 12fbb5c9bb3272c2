package import NIOCore
import NIOPosix
import NIOSSL
package import ProxyCluster

/// Redis, or Valkey, at an address. It has no connections of its own: each caller has those that it has opened.
package struct RedisEngine: Engine {
    package enum Place: Sendable {
        case host(String, port: Int, isTLS: Bool)
        case unix(String)
    }

    /// Who signs in.
    package struct Login: Sendable {
        /// Empty: the engine's default user.
        package var user: String
        /// Nil: nobody signs in.
        package var password: String?
        package var database: Int
        /// What the engine shows of this client.
        package var name: String

        package init(user: String, password: String?, database: Int, name: String) {
            self.user = user
            self.password = password
            self.database = database
            self.name = name
        }
    }

    private let place: Place
    /// The path of a PEM file; nil: those of the system alone.
    private let authorities: String?
    private let login: Login
    private let group: any EventLoopGroup
    /// For a connection, and for each answer while it is made ready.
    private let patience: Duration

    /// - Parameters:
    ///   - authorities: the path of a PEM file with those that are trusted besides the system's.
    ///   - patience: for a connection, and for each answer while it is made ready.
    package init(
        at place: Place, trusting authorities: String? = nil, as login: Login,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, patience: Duration = .seconds(2)
    ) {
        self.place = place
        self.authorities = authorities
        self.login = login
        self.group = group
        self.patience = patience
    }

    package func connect() async throws -> any EngineConnection {
        try await open(at: place, hear: nil)
    }

    package func subscribe(to channel: String, hear: @escaping @Sendable ([UInt8]) -> Void) async throws
        -> any EngineConnection
    {
        let connection = try await open(at: place, hear: hear)
        do {
            try Self.check(try await connection.ask(RESPCommand("SUBSCRIBE", channel).parts, within: patience))
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    private func open(at place: Place, hear: (@Sendable ([UInt8]) -> Void)?) async throws -> any EngineConnection {
        let connection = try await channel(to: place, hear: hear)
        do {
            try await sign(in: connection)
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    // MARK: The channel

    private func channel(to place: Place, hear: (@Sendable ([UInt8]) -> Void)?) async throws -> ChannelConnection {
        let loop = group.next()
        let tls: NIOSSLContext?
        do {
            tls = if case .host(_, _, isTLS: true) = place { try context() } else { nil }
        } catch {
            throw EngineFailure.tls("\(error)")
        }
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(TimeAmount(patience))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls, case .host(let host, _, _) = place {
                        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
                    }
                    try channel.pipeline.syncOperations.addHandler(EngineHandler(on: channel.eventLoop, hear: hear))
                }
            }
        do {
            let channel =
                switch place {
                case .host(let host, let port, _): try await bootstrap.connect(host: host, port: port).get()
                case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
            let handler = try await channel.eventLoop.submit {
                NIOLoopBound(
                    try channel.pipeline.syncOperations.handler(type: EngineHandler.self), eventLoop: channel.eventLoop)
            }.get()
            return ChannelConnection(channel, handler)
        } catch {
            throw EngineFailure(error)
        }
    }

    private func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(authorities))]
        }
        return try NIOSSLContext(configuration: configuration)
    }

    // MARK: Signing in

    private func sign(in connection: some EngineConnection) async throws {
        if let password = login.password {
            let words = login.user.isEmpty ? ["AUTH", password] : ["AUTH", login.user, password]
            let answer = try await connection.ask(words.map { Array($0.utf8) }, within: patience)
            if case .error = answer { throw EngineFailure.refused(Self.words(of: answer)) }
        }
        let information = try await connection.ask(RESPCommand("INFO", "server").parts, within: patience)
        try Self.check(information)
        guard let version = EngineVersion(information) else { throw EngineFailure.malformed }
        guard version.isSupported else { throw EngineFailure.version(version.description) }
        if login.database != 0 {
            try Self.check(try await connection.ask(RESPCommand("SELECT", "\(login.database)").parts, within: patience))
        }
        // For people who look at CLIENT LIST; some engines' users may not.
        _ = try await connection.ask(RESPCommand("CLIENT", "SETNAME", login.name).parts, within: patience)
    }

    /// - Throws: what an engine's refusal means.
    private static func check(_ answer: RESP) throws(EngineFailure) {
        switch answer.errorCode {
        case nil: return
        case "NOAUTH", "WRONGPASS", "NOPERM": throw .refused(words(of: answer))
        default: throw .unreachable(words(of: answer))
        }
    }

    /// An engine's error, bounded: it may be any text.
    private static func words(of answer: RESP) -> String {
        guard case .error(let bytes) = answer else { return "" }
        return String(decoding: bytes.prefix(200), as: UTF8.self)
    }
}
