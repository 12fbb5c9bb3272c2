import ProxyCluster
import Testing

@testable import ProxyEngine

/// What is said first, and what comes of it.
@Suite struct SignInTests {
    private static let named = ["CLIENT", "SETNAME", "here"]
    private static let informed = ["INFO", "server"]

    private static func refusing(_ command: String, _ text: String) -> @Sendable ([String]) -> [PlayedEngine.Play] {
        { words in words.first == command ? [.say("-\(text)\r\n")] : PlayedEngine.usual(words) }
    }

    @Test func `Nobody signs in where there is no password`() async throws {
        let engine = try await PlayedEngine()
        let connection = try await engine.client().connect()
        #expect(engine.state.heard == [Self.informed, Self.named])
        #expect(try await connection.ask("PING") == .status(Array("PONG".utf8)))
        connection.close()
        await engine.wait { $0.open == 0 }
    }

    @Test func `A password alone, a user, and a database`() async throws {
        let engine = try await PlayedEngine()
        _ = try await engine.client(password: "s e\"cret").connect()
        #expect(engine.state.heard.first == ["AUTH", "s e\"cret"])
        _ = try await engine.client(user: "me", password: "x", database: 7).connect()
        #expect(engine.state.heard.dropFirst(3) == [["AUTH", "me", "x"], Self.informed, ["SELECT", "7"], Self.named])
    }

    @Test(arguments: [
        ("WRONGPASS invalid username-password pair or user is disabled.", "no such user with this password"),
        ("ERR invalid password", "password is wrong"),
        (
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
            "it has no password"
        ),
        ("ERR Client sent AUTH, but no password is set", "it has no password"),
        ("ERR unknown command 'AUTH', with args beginning with: 'me' 'secret'", "does not accept AUTH"),
    ])
    func `A password that is refused, which no text shows`(text: String, words: String) async throws {
        let engine = try await PlayedEngine(play: Self.refusing("AUTH", text))
        let failure = await caught { _ = try await engine.client(user: "me", password: "secret").connect() }
        guard case .refused(let reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(reason.contains(words))
        #expect(!reason.contains("secret"))
        await engine.wait { $0.open == 0 }
    }

    @Test func `An engine that knows no users is too old`() async throws {
        let engine = try await PlayedEngine(
            play: Self.refusing("AUTH", "ERR wrong number of arguments for 'auth' command"))
        let failure = await caught { _ = try await engine.client(user: "me", password: "x").connect() }
        #expect(failure == .version("an engine that knows no users"))
    }

    @Test func `A password that is wanted`() async throws {
        let engine = try await PlayedEngine(play: Self.refusing("INFO", "NOAUTH Authentication required."))
        let failure = await caught { _ = try await engine.client().connect() }
        #expect(failure?.words.contains("it wants a password") == true)
    }

    @Test func `What a user may not do`() async throws {
        let text = "NOPERM this user has no permissions to run the 'info' command"
        let engine = try await PlayedEngine(play: Self.refusing("INFO", text))
        #expect(await caught { _ = try await engine.client().connect() } == .refused(text))
        let other = try await PlayedEngine(play: Self.refusing("SUBSCRIBE", text))
        #expect(await caught { _ = try await other.client().subscribe(to: "news") { _ in } } == .refused(text))
        await other.wait { $0.open == 0 }
        // The name is for people alone.
        let third = try await PlayedEngine(play: Self.refusing("CLIENT", text))
        #expect(await caught { _ = try await third.client().connect() } == nil)
    }

    @Test func `A database that there is not`() async throws {
        let engine = try await PlayedEngine(play: Self.refusing("SELECT", "ERR DB index is out of range"))
        let failure = await caught { _ = try await engine.client(database: 99).connect() }
        #expect(failure?.words.contains("DB index is out of range") == true)
    }

    @Test func `A cluster has one database`() async throws {
        let engine = try await PlayedEngine { words in
            words.first == "INFO"
                ? [.say(PlayedEngine.bulk(PlayedEngine.information(mode: "cluster")))] : PlayedEngine.usual(words)
        }
        #expect(await caught { _ = try await engine.client().connect() } == nil)
        let failure = await caught { _ = try await engine.client(database: 3).connect() }
        #expect(failure == .unable("it is a cluster, which has database 0 alone, and not 3"))
        #expect(!engine.state.heard.contains(["SELECT", "3"]))
    }

    @Test(arguments: [
        (PlayedEngine.information(version: "5.0.14"), EngineFailure.version("Redis 5.0.14")),
        (
            PlayedEngine.information(mode: "sentinel"),
            .version("a sentinel, which only knows where an engine is")
        ),
        ("something else", .malformed),
    ])
    func `An engine that will not do`(information: String, failure expected: EngineFailure) async throws {
        let engine = try await PlayedEngine { words in
            words.first == "INFO" ? [.say(PlayedEngine.bulk(information))] : PlayedEngine.usual(words)
        }
        #expect(await caught { _ = try await engine.client().connect() } == expected)
        await engine.wait { $0.open == 0 }
    }

    /// Answers at once, and knows how much time each question was given.
    private struct Timed: EngineConnection {
        let limits = Recorder<Duration>()

        func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP {
            limits.add(limit)
            return .string(Array(PlayedEngine.information().utf8))
        }

        func ended() async {}
        func close() {}
    }

    @Test func `All of it has one time`() async throws {
        let connection = Timed()
        let login = RedisEngine.Login(user: "me", password: "x", database: 1, name: "here")
        try await SignIn(login: login).run(on: connection, within: .seconds(2))
        let limits = connection.limits.all
        #expect(limits.count == 4)
        #expect(zip([.seconds(2)] + limits, limits).allSatisfy { $0 > $1 })
    }

    @Test func `Valkey will do`() async throws {
        let engine = try await PlayedEngine { words in
            words.first == "INFO"
                ? [.say(PlayedEngine.bulk(PlayedEngine.information(more: "valkey_version:8.1.0\r\n")))]
                : PlayedEngine.usual(words)
        }
        #expect(await caught { _ = try await engine.client().connect() } == nil)
    }
}
