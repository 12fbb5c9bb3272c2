package import NIOCore
import NIOPosix
package import ProxyCluster

/// Redis, or Valkey, at an address. It has no connections of its own: each caller has those that it has opened.
package struct RedisEngine: Engine {
    package enum Place: Equatable, Sendable {
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
    private let login: Login
    private let channels: ChannelOpener
    private let patience: Duration
    private let pulse: Duration

    /// - Parameters:
    ///   - authorities: the path of a PEM file with those that are trusted besides the system's.
    ///   - patience: for a connection, and then for it to be made ready; and for a sign of life of one that listens.
    ///   - pulse: how often one that listens is asked for a sign of life.
    package init(
        at place: Place, trusting authorities: String? = nil, as login: Login,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, patience: Duration = .milliseconds(1_500),
        pulse: Duration = .seconds(5)
    ) {
        self.place = place
        self.login = login
        channels = ChannelOpener(authorities: authorities, group: group)
        self.patience = patience
        self.pulse = pulse
    }

    /// In a cluster of engines it goes on to the node that has the keys, when it is first asked for one.
    package func connect() async throws -> any EngineConnection {
        let (channels, login, patience) = (channels, login, patience)
        let connection = try await Self.open(place, channels, login, within: patience)
        return MovingConnection(connection, to: place) { place, limit in
            try await Self.open(place, channels, login, within: min(limit, patience))
        }
    }

    /// In a cluster of engines any node will do: each is told what is published at another one.
    package func subscribe(to channel: String, hear: @escaping @Sendable ([UInt8]) -> Void) async throws
        -> any EngineConnection
    {
        let connection = try await Self.open(place, channels, login, within: patience, hear: hear)
        do {
            let answer = try await connection.ask(RESPCommand("SUBSCRIBE", channel).parts, within: patience)
            guard answer.array?.first?.bytes == Array("subscribe".utf8) else { throw EngineFailure(refusal: answer) }
        } catch {
            connection.close()
            throw error
        }
        connection.watch(every: pulse, within: patience)
        return connection
    }

    /// Opens a connection, and signs in.
    ///
    /// - Parameter limit: for each of the two.
    private static func open(
        _ place: Place, _ channels: ChannelOpener, _ login: Login, within limit: Duration,
        hear: (@Sendable ([UInt8]) -> Void)? = nil
    ) async throws -> ChannelConnection {
        let connection = try await channels.open(place, within: limit, hear: hear)
        do {
            try await SignIn(login: login).run(on: connection, within: limit)
            return connection
        } catch {
            connection.close()
            throw error
        }
    }
}
