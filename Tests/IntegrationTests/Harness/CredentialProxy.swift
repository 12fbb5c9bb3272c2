import Foundation
import OCISimulator
import Testing

/// The real binary, with the credentials that a test gives it, in front of a simulator that also gives out tokens.
struct CredentialProxy {
    let simulator: OCISimulator
    let port: Int
    let process: Program

    /// A simulator and a directory before the proxy starts.
    struct Place {
        let simulator: OCISimulator
        let directory: URL

        var account: SimulatedAccount { simulator.accounts[0] }

        func write(_ text: String, to name: String) throws -> String {
            let file = directory.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            return file.path
        }

        /// A session of the account in files, as `oci session authenticate` makes one.
        func session() throws -> (token: String, tokenFile: String, keyFile: String) {
            let key = try RSAPrivateKeyPEM.pooled(count: 4)[3]
            let token = try simulator.sessionToken(for: account, key: key)
            return (token, try write(token + "\n", to: "session/token"), try write(key, to: "session/key.pem"))
        }
    }

    static let key = "k-0123456789abcdef"

    /// Starts both, runs `body`, stops both.
    ///
    /// - Parameter prepare: makes files and returns the account's lines of the config file, and environment variables.
    static func run(
        _ change: (inout SimulatorConfiguration) -> Void = { _ in },
        prepare: (Place) throws -> (account: String, environment: [String: String]),
        _ body: (CredentialProxy, Place) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration(accounts: try SimulatedAccount.generate(1))
        change(&configuration)
        let simulator = try await OCISimulator.start(configuration)
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        do {
            let place = Place(simulator: simulator, directory: directory)
            let (account, environment) = try prepare(place)
            let config = try place.write(Self.configuration(account, simulator), to: "config.conf")
            let process = try Program("ociai-proxy", ["-config", config], environment: environment)
            try await process.serve {
                let proxy = CredentialProxy(simulator: simulator, port: try await process.port(), process: process)
                // The only health check and the first discovery are over, and disturb nothing that a test counts.
                try await process.printed("Healthy accounts: ")
                try await proxy.refresh()
                try await body(proxy, place)
            }
        } catch {
            try? await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    /// `-check` of such a configuration.
    static func check(
        prepare: (Place) throws -> (account: String, environment: [String: String]),
        _ body: (Int32, String, Place) throws -> Void
    ) async throws {
        let simulator = try await OCISimulator.start(SimulatorConfiguration(accounts: try SimulatedAccount.generate(1)))
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        let place = Place(simulator: simulator, directory: directory)
        let (account, environment) = try prepare(place)
        _ = try place.write(configuration(account, simulator), to: "config.conf")
        let process = try Program("ociai-proxy", ["-check"], in: directory, environment: environment)
        let code = await process.exitCode()
        try await simulator.stop()
        try body(code, process.output, place)
    }

    private static func configuration(_ account: String, _ simulator: OCISimulator) -> String {
        """
        \(account)
        api_key = \(key)
        endpoint = \(simulator.endpoint)
        port = 0
        health_check_interval = 1h

        [MODELS]
        grok-4 = xai.grok-4
        """
    }

    func chat(streams: Bool = false) async throws -> RawAnswer {
        let body = RunningProxy.body(streams: streams)
        return try await send(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(Self.key)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    func get(_ path: String) async throws -> RawAnswer {
        try await send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(Self.key)\r\n\r\n")
    }

    /// Returns when no discovery is under way, whatever has come of it.
    private func refresh() async throws {
        let answer = try await send(
            "POST /admin/models/refresh HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(Self.key)\r\nContent-Length: 0\r\n\r\n"
        )
        try #require(answer.status == 200, "\(answer.body)")
    }

    private func send(_ request: String) async throws -> RawAnswer {
        let connection = try await RawConnection.open(port: port)
        defer { connection.close() }
        connection.send(request)
        return try await connection.answer()
    }

    /// The key ids of the chats so far.
    var chatSigners: [String] {
        simulator.requests.filter { $0.kind == .chat }.compactMap { record in
            record.header("authorization")?.firstMatch(of: /keyId="([^"]*)"/).map { String($0.1) }
        }
    }

    /// The error of the only account in `/test-oci`.
    func probeError() async throws -> String? {
        let accounts = try await get("/test-oci").json?["accounts"] as? [[String: Any]]
        return accounts?.first?["error"] as? String
    }
}
