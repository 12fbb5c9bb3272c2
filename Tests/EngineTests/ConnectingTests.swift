import Foundation
import ProxyCluster
import Testing

@testable import ProxyEngine

/// Ways to an engine, and what stands in them.
@Suite struct ConnectingTests {
    /// Long enough for a busy machine to come to where nothing happens, and short enough to wait for.
    private let brief = Duration.milliseconds(300)

    private func engine(at place: RedisEngine.Place, patience: Duration = .seconds(30)) -> RedisEngine {
        RedisEngine(
            at: place, as: .init(user: "", password: nil, database: 0, name: "here"), patience: patience)
    }

    @Test func `Nobody is there`() async throws {
        let played = try await PlayedEngine()
        let port = played.port
        try await played.stop()
        let failure = await caught { _ = try await engine(at: .host("127.0.0.1", port: port, isTLS: false)).connect() }
        #expect(failure == .unreachable("connection refused"))
    }

    @Test func `A Unix socket`() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/ociai-\(UInt32.random(in: 0 ... .max)).sock"
        let absent = await caught { _ = try await engine(at: .unix(path)).connect() }
        #expect(absent == .unreachable("there is no such socket"))
        let played = try await PlayedEngine(path: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let connection = try await engine(at: .unix(path)).connect()
        #expect(try await connection.ask("PING") == .status(Array("PONG".utf8)))
        #expect(played.state.arrived == 1)
        let long = await caught {
            _ = try await engine(at: .unix("/tmp/" + String(repeating: "a", count: 200))).connect()
        }
        #expect(long == .unreachable("the path of its socket is too long"))
    }

    @Test func `A server of something else`() async throws {
        let played = try await PlayedEngine { _ in [.say("HTTP/1.1 400 Bad Request\r\n\r\n"), .close] }
        #expect(await caught { _ = try await played.client().connect() } == .malformed)
        await played.wait { $0.open == 0 }
    }

    @Test(arguments: [nil, "$100\r\n# Server\r\nredis_ver", "*1\r\n", "$", "+O"])
    func `One that says nothing, or half an answer, and stops`(text: String?) async throws {
        let played = try await PlayedEngine { _ in text.map { [.say($0)] } ?? [] }
        #expect(await caught { _ = try await played.client(patience: brief).connect() } == .timedOut)
        await played.wait { $0.open == 0 }
    }

    @Test(arguments: [nil, "$100\r\n# Server\r\nredis_ver", "*1\r\n"])
    func `One that closes, at once or in an answer`(text: String?) async throws {
        let played = try await PlayedEngine { _ in (text.map { [.say($0)] } ?? []) + [.close] }
        #expect(await caught { _ = try await played.client().connect() } == .closed)
    }

    @Test(arguments: ["*2147483647\r\n", "$9223372036854775807\r\n" + String(repeating: "a", count: 9 << 20)])
    func `Answers beyond bounds`(text: String) async throws {
        let played = try await PlayedEngine { _ in [.say(text)] }
        let failure = await caught { _ = try await played.client().connect() }
        #expect(failure == .unable("its answer is larger than any that is read"))
        await played.wait { $0.open == 0 }
    }

    @Test func `One that has no room says so before it is asked`() async throws {
        let played = try await PlayedEngine(greeting: "-ERR max number of clients reached\r\n") { _ in [] }
        let failure = await caught { _ = try await played.client().connect() }
        #expect(failure?.words.contains("max number of clients reached") == true)
        let withPassword = await self.failure(of: played.client(password: "x"))
        #expect(withPassword?.words.contains("max number of clients reached") == true)
    }

    private func failure(of engine: RedisEngine) async -> EngineFailure? {
        await caught { _ = try await engine.connect() }
    }

    // MARK: TLS

    @Test(arguments: ["127.0.0.1", "localhost"]) func `TLS with an authority of one's own`(host: String) async throws {
        let played = try await PlayedEngine(tls: true)
        let engine = played.client(host: host, tls: true, trusting: PlayedEngine.authority, password: "x")
        let connection = try await engine.connect()
        #expect(played.state.heard.first == ["AUTH", "x"])
        #expect(try await connection.ask("PING") == .status(Array("PONG".utf8)))
        connection.close()
        #expect(await caught { _ = try await connection.ask("PING") } == .closed)
        await connection.ended()
        await played.wait { $0.open == 0 }
    }

    @Test func `TLS that ends without a goodbye`() async throws {
        let played = try await PlayedEngine(tls: true) { $0.first == "PING" ? [.cut] : PlayedEngine.usual($0) }
        let connection = try await played.client(tls: true, trusting: PlayedEngine.authority).connect()
        #expect(await caught { _ = try await connection.ask("PING") } == .closed)
        await connection.ended()
    }

    @Test func `An authority that is not trusted`() async throws {
        let played = try await PlayedEngine(tls: true)
        let failure = await failure(of: played.client(tls: true, password: "x"))
        #expect(failure == .tls("its certificate is not from an authority that is trusted here (ca_file)"))
        #expect(played.state.heard.isEmpty)
        await played.wait { $0.open == 0 }
    }

    @Test func `A certificate of another host`() async throws {
        let played = try await PlayedEngine(host: "127.0.0.2", tls: true)
        let failure = await failure(
            of: played.client(host: "127.0.0.2", tls: true, trusting: PlayedEngine.authority, password: "x"))
        #expect(failure == .tls("its certificate is not for this host name"))
        #expect(played.state.heard.isEmpty)
    }

    @Test func `A file of authorities that cannot be read`() async throws {
        let played = try await PlayedEngine(tls: true)
        let failure = await failure(of: played.client(tls: true, trusting: "/nowhere/authority.pem"))
        guard case .tls(let words) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(words.contains("ca_file"))
        #expect(played.state.arrived == 0)
    }

    @Test func `TLS with who does not speak it`() async throws {
        let played = try await PlayedEngine()
        let failure = await failure(of: played.client(tls: true))
        #expect(failure == .tls("it does not speak TLS: the address must begin with redis://"))
    }

    @Test func `No TLS with who speaks nothing else`() async throws {
        let played = try await PlayedEngine(tls: true)
        switch await failure(of: played.client(patience: .seconds(5))) {
        // With an alert, or without.
        case .tls, .closed: break
        case let other: Issue.record("\(String(describing: other))")
        }
        #expect(played.state.heard.isEmpty)
    }

    // MARK: Subscriptions

    @Test func `A subscription is told what is told, and notices its end`() async throws {
        let played = try await PlayedEngine()
        let heard = Recorder<[UInt8]>()
        let connection = try await played.client().subscribe(to: "news") { heard.add($0) }
        #expect(played.state.heard.last == ["SUBSCRIBE", "news"])
        let any = (0...255).map { UInt8($0) }
        played.say(PlayedEngine.message("one") + PlayedEngine.message("two"))
        played.say(Array("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$256\r\n".utf8) + any + [0x0D, 0x0A])
        await heard.wait(for: 3)
        #expect(heard.all == [Array("one".utf8), Array("two".utf8), any])
        played.cut()
        await connection.ended()
        #expect(await caught { _ = try await connection.ask("PING") } == .closed)
    }

    @Test func `A subscription is asked for signs of life, and ends without one`() async throws {
        let played = try await PlayedEngine()
        let lively = try await played.client(pulse: .milliseconds(10)).subscribe(to: "news") { _ in }
        await played.wait { $0.heard.count { $0 == ["PING"] } == 3 }
        #expect(played.state.open == 1)
        lively.close()

        let silent = try await PlayedEngine { $0.first == "PING" ? [] : PlayedEngine.usual($0) }
        let connection = try await silent.client().subscribe(to: "news") { _ in }
        try #require(connection as? ChannelConnection).watch(every: .milliseconds(10), within: brief)
        await connection.ended()
        #expect(silent.state.heard.last == ["PING"])
        await silent.wait { $0.open == 0 }
    }

    @Test func `A subscription that is answered oddly is none`() async throws {
        let played = try await PlayedEngine { $0.first == "SUBSCRIBE" ? [.say("+OK\r\n")] : PlayedEngine.usual($0) }
        #expect(
            await caught { _ = try await played.client().subscribe(to: "news") { _ in } } == .malformed)
        await played.wait { $0.open == 0 }
    }
}
