import Foundation
import OCISimulator
import Synchronization
import Testing

/// The real binary as a process of its own, in front of a simulator in this one.
final class RunningProxy: Sendable {
    let simulator: OCISimulator
    let port: Int
    let directory: URL
    private let process: Program

    private init(simulator: OCISimulator, port: Int, directory: URL, process: Program) {
        self.simulator = simulator
        self.port = port
        self.directory = directory
        self.process = process
    }

    /// Starts both, runs `body`, stops both. The proxy must end with exit code 0 when it is told to stop.
    ///
    /// - Parameters:
    ///   - settings: further lines for the root of the config file.
    ///   - models: further lines for `[MODELS]`.
    ///   - start: starts the proxy with the config file.
    static func run(
        settings: String = "", models: String = "", pacing: Pacing = Pacing(), listenerPerAccount: Bool = false,
        start: (_ config: URL) throws -> Program = RunningProxy.start, _ body: (RunningProxy) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration(accounts: try SimulatedAccount.generate(1))
        configuration.pacing = pacing
        configuration.listenerPerAccount = listenerPerAccount
        try await launch(configuration, start: start, body) { simulator, directory in
            let account = simulator.accounts[0]
            try writeKey(#require(account.privateKeyPEM), to: directory.appending(path: "key.pem"))
            let config = directory.appending(path: "config.conf")
            try """
            api_key = \(key)
            user = \(account.user)
            fingerprint = \(account.fingerprint)
            tenancy = \(account.tenancy)
            key_file = key.pem
            region = \(account.region)
            endpoint = \(simulator.endpoint(of: account.id))
            port = 0
            \(settings)

            \(Self.models)
            \(models)
            """.write(to: config, atomically: true, encoding: .utf8)
            return config
        }
    }

    /// The client key of every configuration.
    static let key = "k-0123456789abcdef"
    var key: String { Self.key }

    static let models = """
        [MODELS]
        grok-4 = xai.grok-4
        grok-3-mini = xai.grok-3-mini
        llama-3.3-70b = meta.llama-3.3-70b-instruct
        gemini-2.5-flash = google.gemini-2.5-flash
        gpt-oss-120b = openai.gpt-oss-120b
        command-a = cohere.command-a-03-2025
        """

    /// Starts a simulator and a proxy, runs `body`, stops both.
    ///
    /// - Parameters:
    ///   - isAlone: no other proxy runs meanwhile, so that a heavy load spoils no test that measures time.
    ///   - start: starts the proxy with the config file.
    ///   - write: writes what the proxy needs into a directory, and returns its config file.
    static func launch(
        _ configuration: SimulatorConfiguration, isAlone: Bool = false,
        start: (_ config: URL) throws -> Program = RunningProxy.start, _ body: (RunningProxy) async throws -> Void,
        write: (OCISimulator, URL) throws -> URL
    ) async throws {
        let slots = isAlone ? Slots.shared.count : 1
        await Slots.shared.take(slots)
        defer { Slots.shared.giveBack(slots) }
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let simulator = try await OCISimulator.start(configuration)
        do {
            let config = try write(simulator, directory)
            let process = try start(config)
            try await process.serve {
                try await body(
                    RunningProxy(
                        simulator: simulator, port: try await process.port(), directory: directory, process: process))
            }
        } catch {
            try? await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    static func start(_ config: URL) throws -> Program { try Program("ociai-proxy", ["-config", config.path]) }

    /// A key file that only its owner may read.
    static func writeKey(_ pem: String, to file: URL) throws {
        try pem.write(to: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    }

    /// Everything that the proxy has logged.
    var log: String { process.output }

    /// Everything that the proxy logs until it has ended, to which it is told.
    func wholeLog() async -> String { await process.wholeOutput() }

    /// Of the proxy's process.
    var pid: Int32 { process.pid }

    /// Tells the proxy to stop, as systemd does.
    func terminate() { process.terminate() }

    func send(_ signal: Int32) { process.send(signal) }

    /// The process's end.
    func exitCode() async -> Int32 { await process.exitCode() }

    /// Tells the proxy to read its configuration again, as `systemctl reload` does.
    func hangUp() { process.hangUp() }

    /// Returns when the log has a line that contains `text`.
    func logged(_ text: String) async throws { try await process.printed(text) }

    /// A new connection.
    func connect() async throws -> RawConnection { try await RawConnection.open(port: port) }

    /// A whole exchange on a connection of its own.
    func send(_ request: String) async throws -> RawAnswer {
        let connection = try await connect()
        defer { connection.close() }
        connection.send(request)
        return try await connection.answer()
    }

    func get(_ path: String, _ headers: String...) async throws -> RawAnswer {
        try await send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers.map { $0 + "\r\n" }.joined())\r\n")
    }

    /// With our key and without a body.
    func post(_ path: String) async throws -> RawAnswer {
        try await send(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\nContent-Length: 0\r\n\r\n")
    }

    /// With our key.
    func post(_ path: String, _ body: String) async throws -> RawAnswer { try await send(request(path, body)) }

    func chat(_ body: String) async throws -> RawAnswer { try await send(chatRequest(body)) }

    /// The bytes of a chat request with our key.
    func chatRequest(_ body: String, _ headers: String = "") -> String {
        request("/v1/chat/completions", body, headers)
    }

    /// The bytes of a request with our key and a JSON body.
    private func request(_ path: String, _ body: String, _ headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    /// A chat about `text`.
    static func body(
        _ text: String = "Say hello.", model: String = "grok-4", streams: Bool = false, _ more: String = ""
    ) -> String {
        #"{"model":"\#(model)","stream":\#(streams),"messages":[{"role":"user","content":"\#(text)"}]\#(more)}"#
    }
}

/// A directory that only this test knows.
enum TemporaryDirectory {
    static func make() throws -> URL {
        let directory = FileManager.default.temporaryDirectory.appending(path: "ociai-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }
}

/// Bounds how many proxies run at once: more than a few would only measure how busy the machine is. First come first served.
private final class Slots: Sendable {
    static let shared = Slots(count: 4)

    private struct State {
        var free: Int
        var waiting: [(wanted: Int, continuation: CheckedContinuation<Void, Never>)] = []

        /// Those at the head of the line for whom there is room.
        mutating func served() -> [CheckedContinuation<Void, Never>] {
            var served: [CheckedContinuation<Void, Never>] = []
            while let first = waiting.first, first.wanted <= free {
                free -= first.wanted
                served.append(waiting.removeFirst().continuation)
            }
            return served
        }
    }

    let count: Int
    private let state: Mutex<State>

    private init(count: Int) {
        self.count = count
        state = Mutex(State(free: count))
    }

    func take(_ wanted: Int) async {
        await withCheckedContinuation { continuation in
            let served = state.withLock { state in
                state.waiting.append((wanted, continuation))
                return state.served()
            }
            for continuation in served { continuation.resume() }
        }
    }

    func giveBack(_ taken: Int) {
        let served = state.withLock { state in
            state.free += taken
            return state.served()
        }
        for continuation in served { continuation.resume() }
    }
}
