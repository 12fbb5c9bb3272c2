import ProxyCluster
import ProxyEngine
import Testing

/// Who gives up leaves nothing open.
@Suite struct CancellationTests {
    /// Says nothing to one command.
    private static func silent(to command: String) -> @Sendable ([String]) -> [PlayedEngine.Play] {
        { $0.first == command ? [] : PlayedEngine.usual($0) }
    }

    @Test(arguments: ["AUTH", "INFO", "CLIENT"], [false, true])
    func `While it signs in`(command: String, tls: Bool) async throws {
        let played = try await PlayedEngine(tls: tls, play: Self.silent(to: command))
        let engine = played.client(tls: tls, trusting: PlayedEngine.authority, password: "x")
        let task = Task { await caught { _ = try await engine.connect() } }
        await played.wait { $0.heard.last?.first == command }
        task.cancel()
        #expect(await task.value == .closed)
        await played.wait { $0.open == 0 }
        #expect(played.state.arrived == 1)
    }

    @Test func `While it subscribes`() async throws {
        let played = try await PlayedEngine(play: Self.silent(to: "SUBSCRIBE"))
        let engine = played.client()
        let task = Task { await caught { _ = try await engine.subscribe(to: "news") { _ in } } }
        await played.wait { $0.heard.last?.first == "SUBSCRIBE" }
        task.cancel()
        #expect(await task.value == .closed)
        await played.wait { $0.open == 0 }
    }

    @Test func `While it asks`() async throws {
        let played = try await PlayedEngine(play: Self.silent(to: "PING"))
        let connection = try await played.client().connect()
        let task = Task { await caught { _ = try await connection.ask("PING") } }
        await played.wait { $0.heard.last?.first == "PING" }
        task.cancel()
        #expect(await task.value == .closed)
        await connection.ended()
        await played.wait { $0.open == 0 }
        #expect(await caught { _ = try await connection.ask("GET", "a") } == .closed)
    }

    @Test func `Before anything`() async throws {
        let played = try await PlayedEngine()
        let engine = played.client()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await caught { _ = try await engine.connect() }
        }
        task.cancel()
        #expect(await task.value == .closed)
        await played.wait { $0.open == 0 }
        #expect(played.state.heard.isEmpty)
    }

    @Test func `While it is sent on to another node`() async throws {
        let other = try await PlayedEngine(play: Self.silent(to: "INFO"))
        let port = other.port
        let first = try await PlayedEngine {
            $0.first == "GET" ? [.say("-MOVED 1 :\(port)\r\n")] : PlayedEngine.usual($0)
        }
        let connection = try await first.client().connect()
        let task = Task { await caught { _ = try await connection.ask("GET", "a") } }
        await other.wait { $0.heard.last?.first == "INFO" }
        task.cancel()
        #expect(await task.value != nil)
        await other.wait { $0.open == 0 }
        await first.wait { $0.open == 0 }
    }

    @Test(arguments: [false, true]) func `At any moment`(tls: Bool) async throws {
        let played = try await PlayedEngine(tls: tls)
        let engine = played.client(tls: tls, trusting: PlayedEngine.authority, password: "x")
        for moment in 0..<60 {
            let task = Task { try await engine.connect() }
            for _ in 0..<moment * moment { await Task.yield() }
            task.cancel()
            // It may have been quicker.
            if let connection = try? await task.value { connection.close() }
        }
        await played.wait { $0.open == 0 }
    }

    @Test func `What is asked after the end fails at once`() async throws {
        let played = try await PlayedEngine(play: Self.silent(to: "PING"))
        let connection = try await played.client().connect()
        connection.close()
        for _ in 0..<3 { #expect(await caught { _ = try await connection.ask("PING") } == .closed) }
        await connection.ended()
        connection.close()
        #expect(!played.state.heard.contains(["PING"]))
    }

    @Test func `An answer that comes too late is nobody's`() async throws {
        let played = try await PlayedEngine(play: Self.silent(to: "GET"))
        let connection = try await played.client().connect()
        let late = await caught { _ = try await connection.ask([Array("GET".utf8)], within: .milliseconds(50)) }
        #expect(late == .timedOut)
        #expect(await caught { _ = try await connection.ask("PING") } == .timedOut)
        await connection.ended()
        await played.wait { $0.open == 0 }
    }
}
