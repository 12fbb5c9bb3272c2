import Foundation
import ProxyCluster
import ProxyEngine
import TestFixtures
import Testing

/// With a real server, where one is installed.
@Suite(.enabled(if: RealEngine.program != nil)) struct RealEngineTests {
    private let pong = RESP.status(Array("PONG".utf8))

    @Test func `A password`() async throws {
        let server = try RealEngine(["--requirepass", "s3cret"])
        let connection = try await server.client(password: "s3cret", database: 5).connect()
        #expect(try await connection.ask("PING") == pong)
        _ = try await connection.ask("SET", "a", "b")
        let clients = try await connection.ask("CLIENT", "LIST").bytes ?? []
        #expect(String(decoding: clients, as: UTF8.self).contains("name=here"))
        #expect(String(decoding: clients, as: UTF8.self).contains("db=5"))

        let wrong = await caught { _ = try await server.client(password: "other").connect() }
        #expect(wrong?.words.contains("WRONGPASS") == true)
        let none = await caught { _ = try await server.client().connect() }
        #expect(none?.words.contains("wants a password") == true)
        let nobody = await caught { _ = try await server.client(user: "nobody", password: "s3cret").connect() }
        #expect(nobody?.words.contains("WRONGPASS") == true)
        let database = await caught { _ = try await server.client(password: "s3cret", database: 99).connect() }
        #expect(database?.words.contains("out of range") == true)
    }

    @Test func `A password that it does not want`() async throws {
        let server = try RealEngine()
        let failure = await caught { _ = try await server.client(password: "x").connect() }
        #expect(failure?.words.contains("it has no password") == true)
    }

    @Test(.enabled(if: RealEngine.hasTLS)) func `TLS`() async throws {
        let (server, ports) = try await RealEngine.withPorts(1) { ports in
            [
                "--tls-port", "\(ports[0])", "--tls-auth-clients", "no", "--bind", "127.0.0.1",
                "--tls-cert-file", Fixtures.url("tls/server.pem").path, "--tls-key-file",
                Fixtures.url("tls/server.key").path, "--tls-ca-cert-file", PlayedEngine.authority,
            ]
        }
        let port = try #require(ports.first)
        let place = RedisEngine.Place.host("127.0.0.1", port: port, isTLS: true)
        let connection = try await server.client(at: place, trusting: PlayedEngine.authority).connect()
        #expect(try await connection.ask("PING") == pong)
        let heard = Recorder<[UInt8]>()
        let listening = try await server.client(at: place, trusting: PlayedEngine.authority).subscribe(to: "news") {
            heard.add($0)
        }
        _ = try await connection.ask(
            [Array("PUBLISH".utf8), Array("news".utf8), [0, 13, 10, 255]], within: .seconds(30))
        await heard.wait(for: 1)
        #expect(heard.all == [[0, 13, 10, 255]])
        listening.close()
        await listening.ended()
        connection.close()
        await connection.ended()

        let stranger = await caught { _ = try await server.client(at: place).connect() }
        #expect(stranger == .tls("its certificate is not from an authority that is trusted here (ca_file)"))
        switch await caught({
            _ = try await server.client(at: .host("127.0.0.1", port: port, isTLS: false)).connect()
        }) {
        case .tls, .closed: break
        case let other: Issue.record("\(String(describing: other))")
        }
    }

    @Test func `A replica, and an engine without memory`() async throws {
        let replica = try RealEngine(["--replicaof", "127.0.0.1", "1"])
        let connection = try await replica.client().connect()
        let refused = EngineFailure(refusal: try await Exchange(on: connection).answer())
        #expect(refused.words.contains("lead to the primary"))

        let full = try RealEngine(["--maxmemory", "1"])
        let other = try await full.client().connect()
        let unable = EngineFailure(refusal: try await other.ask("SET", "a", "b"))
        #expect(unable.words.contains("its memory is full"))
    }

    @Test func `An engine that wants replicas`() async throws {
        let server = try RealEngine(["--min-replicas-to-write", "1"])
        let refused = EngineFailure(refusal: try await Exchange(on: server.client().connect()).answer())
        #expect(refused.words.contains("min-replicas-to-write"))
    }

    @Test func `An engine that somebody's script holds up`() async throws {
        let server = try RealEngine(["--lua-time-limit", "1"])
        let (holding, waiting) = (try await server.client().connect(), try await server.client().connect())
        let task = Task { await caught { _ = try await holding.ask("EVAL", "while true do end", "0") } }
        var answer = try await waiting.ask("GET", "a")
        while answer.errorCode == nil { answer = try await waiting.ask("GET", "a") }
        #expect(EngineFailure(refusal: answer).words.contains("SCRIPT KILL"))
        // Who comes now hears it as well.
        let failure = await caught { _ = try await server.client(password: "x").connect() }
        #expect(failure?.words.contains("SCRIPT KILL") == true || failure?.words.contains("no password") == true)
        _ = try await waiting.ask("SCRIPT", "KILL")
        #expect(await task.value == nil)
    }

    // MARK: Permissions

    /// Of the engine's user: what docs/operations.md tells operators to give.
    private static let connecting = ["info", "client|setname"]
    private static let exchanging = ["script|load", "evalsha", "eval"]
    private static let listening = ["subscribe", "ping"]
    private static let scripting = [
        "time", "hget", "hmget", "hset", "hdel", "hincrby", "get", "set", "del", "pexpire", "zadd", "zscore", "zrem",
        "zrangebyscore", "publish",
    ]

    private static func user(without: String? = nil) -> [String] {
        let commands = (connecting + exchanging + listening + scripting).filter { $0 != without }
        return ["reset", "on", ">s3cret", "~{ociai:east}:*", "&{ociai:east}:*"] + commands.map { "+\($0)" }
    }

    @Test func `The script does nothing that the user may not do`() {
        var called: Set<String> = ["publish"]
        var rest = ExchangeScript.text[...]
        while let mark = rest.firstRange(of: "redis.call('") {
            rest = rest[mark.upperBound...]
            called.insert(rest.prefix { $0 != "'" }.lowercased())
        }
        #expect(called.subtracting(Self.scripting + Self.connecting).isEmpty)
        #expect(Set(Self.scripting).subtracting(called).isEmpty)
    }

    @Test func `A user with what is needed and no more`() async throws {
        let server = try RealEngine(["--user", "ociai"] + Self.user())
        let engine = server.client(user: "ociai", password: "s3cret")
        let heard = Recorder<[UInt8]>()
        let keys = try #require(ExchangeKeys(cluster: "east"))
        let listening = try await engine.subscribe(to: keys.channel) { heard.add($0) }
        #expect(try await listening.ask("PING") == .array([.string(Array("pong".utf8)), .string([])]))
        let connection = try await engine.connect()
        let exchange = Exchange(on: connection)
        for _ in 0..<3 { #expect(try await exchange.isAnswered()) }
        await heard.wait(for: 2)
        #expect(try await exchange.leaves())
        #expect(try await connection.ask("GET", "{ociai:east}:other").errorCode == nil)
        #expect(try await connection.ask("GET", "other").errorCode == "NOPERM")
        #expect(try await connection.ask("FLUSHALL").errorCode == "NOPERM")
    }

    @Test(arguments: ["info", "subscribe", "script|load", "evalsha", "time", "hset", "publish", "zadd"])
    func `A user without something that is needed`(command: String) async throws {
        let server = try RealEngine(["--user", "ociai"] + Self.user(without: command))
        let engine = server.client(user: "ociai", password: "s3cret")
        let failure = await caught {
            let listening = try await engine.subscribe(to: "{ociai:east}:1:news") { _ in }
            defer { listening.close() }
            let exchange = Exchange(on: try await engine.connect())
            let answer = try await exchange.answer()
            if case .error = answer { throw EngineFailure(refusal: answer) }
        }
        guard case .refused = failure else {
            Issue.record("\(command): \(String(describing: failure))")
            return
        }
    }

    // MARK: A cluster

    @Test func `A cluster of two: whichever is asked, the keys are found, and news reach all`() async throws {
        func node() async throws -> (engine: RealEngine, ports: [Int]) {
            try await RealEngine.withPorts(2) { ports in
                [
                    "--port", "\(ports[0])", "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--cluster-port",
                    "\(ports[1])", "--requirepass", "s3cret", "--masterauth", "s3cret",
                ]
            }
        }
        let nodes = [try await node(), try await node()]
        let clients = nodes.map { node in
            node.engine.client(at: .host("127.0.0.1", port: node.ports[0], isTLS: false), password: "s3cret")
        }
        let asked = [try await clients[0].connect(), try await clients[1].connect()]

        // Nobody has the keys.
        let early = EngineFailure(refusal: try await Exchange(on: asked[0]).answer())
        #expect(early.words.contains("cluster"))

        _ = try await asked[0].ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
        _ = try await asked[1].ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
        _ = try await asked[0].ask("CLUSTER", "MEET", "127.0.0.1", "\(nodes[1].ports[0])", "\(nodes[1].ports[1])")
        for connection in asked {
            while true {
                let state = try await connection.ask("CLUSTER", "INFO").bytes ?? []
                if String(decoding: state, as: UTF8.self).contains("cluster_state:ok") { break }
                // For a replica, which there is not: the server waits so long.
                _ = try await connection.ask("WAIT", "1", "50")
            }
        }

        let keys = try #require(ExchangeKeys(cluster: "east"))
        let (first, second) = (Recorder<[UInt8]>(), Recorder<[UInt8]>())
        let listening = [
            try await clients[0].subscribe(to: keys.channel) { first.add($0) },
            try await clients[1].subscribe(to: keys.channel) { second.add($0) },
        ]
        for (index, connection) in asked.enumerated() {
            let exchange = Exchange(on: connection, instance: "i\(index)")
            #expect(try await exchange.isAnswered())
            #expect(try await exchange.isAnswered())
        }
        await first.wait(for: 2)
        await second.wait(for: 2)
        for connection in listening + asked { connection.close() }

        let failure = await caught {
            _ = try await nodes[0].engine.client(
                at: .host("127.0.0.1", port: nodes[0].ports[0], isTLS: false), password: "s3cret", database: 1
            ).connect()
        }
        #expect(failure?.words.contains("database 0 alone") == true)
    }
}
