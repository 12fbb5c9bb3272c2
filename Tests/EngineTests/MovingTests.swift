import ProxyCluster
import ProxyEngine
import Testing

/// An engine that is one of a cluster, where another one has the keys.
@Suite struct MovingTests {
    /// Sends who wants keys on.
    private static func sending(to place: String, _ word: String = "MOVED")
        -> @Sendable ([String]) -> [PlayedEngine.Play]
    {
        { words in words.first == "GET" ? [.say("-\(word) 9974 \(place)\r\n")] : PlayedEngine.usual(words) }
    }

    private static func having(_ value: String) -> @Sendable ([String]) -> [PlayedEngine.Play] {
        { words in words.first == "GET" ? [.say(PlayedEngine.bulk(value))] : PlayedEngine.usual(words) }
    }

    @Test(arguments: [false, true], ["127.0.0.1", ""])
    func `The node that has the keys is asked, as the first one was`(tls: Bool, host: String) async throws {
        let second = try await PlayedEngine(tls: tls, play: Self.having("here"))
        let first = try await PlayedEngine(tls: tls, play: Self.sending(to: "\(host):\(second.port)"))
        let engine = first.client(tls: tls, trusting: PlayedEngine.authority, user: "u", password: "p")
        let connection = try await engine.connect()
        #expect(second.state.arrived == 0)
        #expect(try await connection.ask("GET", "a") == .string(Array("here".utf8)))
        #expect(
            second.state.heard == [
                ["AUTH", "u", "p"], ["INFO", "server"], ["CLIENT", "SETNAME", "here"], ["GET", "a"],
            ])
        await first.wait { $0.open == 0 }

        // From now on, at once.
        #expect(try await connection.ask("GET", "b") == .string(Array("here".utf8)))
        #expect(first.state.heard.count == 4)
        #expect(second.state.open == 1)
        connection.close()
        await second.wait { $0.open == 0 }
        await connection.ended()
    }

    @Test func `The connection has ended when that to the other node has`() async throws {
        let second = try await PlayedEngine(play: Self.having("here"))
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(second.port)"))
        let connection = try await first.client().connect()
        let ended = Recorder<Bool>()
        let task = Task {
            await connection.ended()
            ended.add(true)
        }
        _ = try await connection.ask("GET", "a")
        await first.wait { $0.open == 0 }
        #expect(try await connection.ask("PING") == .status(Array("PONG".utf8)))
        #expect(ended.all.isEmpty)
        second.cut()
        await task.value
    }

    @Test func `One that sends on again is not followed`() async throws {
        let third = try await PlayedEngine(play: Self.having("there"))
        let second = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(third.port)"))
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(second.port)"))
        let connection = try await first.client().connect()
        let answer = try await connection.ask("GET", "a")
        #expect(answer.errorCode == "MOVED")
        #expect(EngineFailure(refusal: answer).words.contains("do not agree"))
        #expect(third.state.arrived == 0)
    }

    @Test(arguments: [("ASK", "moves the keys"), ("CROSSSLOT", "several hash slots"), ("CLUSTERDOWN", "lost nodes")])
    func `Other refusals of a cluster are not followed`(word: String, meaning: String) async throws {
        let second = try await PlayedEngine(play: Self.having("here"))
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(second.port)", word))
        let connection = try await first.client().connect()
        let answer = try await connection.ask("GET", "a")
        #expect(EngineFailure(refusal: answer).words.contains(meaning))
        #expect(second.state.arrived == 0)
        #expect(first.state.open == 1)
    }

    @Test func `A node that cannot be reached`() async throws {
        let second = try await PlayedEngine()
        let port = second.port
        try await second.stop()
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(port)"))
        let connection = try await first.client().connect()
        let failure = await caught { _ = try await connection.ask("GET", "a") }
        guard case .unable(let words) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(words.contains("connection refused"))
        #expect(words.contains("cluster-announce-ip"))
        #expect(!words.contains("127.0.0.1"))
        // Whoever goes on finds the way anew.
        await first.wait { $0.open == 0 }
    }

    @Test func `A node that is silent has no more time than was left`() async throws {
        let second = try await PlayedEngine { _ in [] }
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(second.port)"))
        let connection = try await first.client().connect()
        let failure = await caught {
            _ = try await connection.ask([Array("GET".utf8)], within: .milliseconds(300))
        }
        // On a busy machine the first answer may come too late.
        #expect(failure == .timedOut || failure?.words.contains("did not answer in time") == true)
        await second.wait { $0.open == 0 }
        await first.wait { $0.open == 0 }
    }

    @Test func `A node that wants another password`() async throws {
        let second = try await PlayedEngine { $0.first == "AUTH" ? [.say("-WRONGPASS no\r\n")] : [] }
        let first = try await PlayedEngine(play: Self.sending(to: "127.0.0.1:\(second.port)"))
        let connection = try await first.client(password: "x").connect()
        let failure = await caught { _ = try await connection.ask("GET", "a") }
        #expect(failure?.words.contains("WRONGPASS") == true)
        await second.wait { $0.open == 0 }
    }
}
