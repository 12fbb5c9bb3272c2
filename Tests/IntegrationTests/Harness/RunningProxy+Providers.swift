import Foundation
import OCISimulator
import Testing

extension RunningProxy {
    /// The proxy in front of OpenAI-compatible providers and no account.
    ///
    /// - Parameters:
    ///   - providers: by name; those with one name are a pool. The first has the key `sk-1`, and so on.
    ///   - settings: lines of `[GLOBAL]`.
    ///   - sections: what else the file says.
    static func run(
        providers: KeyValuePairs<String, FakeProvider>, settings: String = "", breaker: String = "",
        sections: String = "", isAlone: Bool = false,
        _ body: (RunningProxy) async throws -> Void
    ) async throws {
        let started: (RunningProxy) async throws -> Void = { proxy in
            try await proxy.logged("Healthy accounts: ")
            try await body(proxy)
        }
        do {
            try await launch(SimulatorConfiguration(accounts: []), isAlone: isAlone, started) { _, directory in
                let config = directory.appending(path: "multi_config.conf")
                let entries = providers.enumerated().map { index, entry in
                    "[PROVIDER_\(index + 1)]\nprovider = \(entry.key)\nbaseurl = \(entry.value.url)\ntoken = sk-\(index + 1)\n"
                }
                try """
                api_key = \(key)

                [GLOBAL]
                port = 0
                \(settings)

                [CIRCUIT_BREAKER]
                \(breaker)

                \(entries.joined(separator: "\n"))
                \(sections)
                """.write(to: config, atomically: true, encoding: .utf8)
                return config
            }
        } catch {
            for provider in providers { await provider.value.stop() }
            throw error
        }
        for provider in providers { await provider.value.stop() }
    }

    /// The names in `/v1/models`.
    func modelNames() async throws -> [String] {
        let answer = try await get("/v1/models", "Authorization: Bearer \(key)")
        try #require(answer.status == 200, "\(answer.body)")
        return (answer.json?["data"] as? [[String: Any]])?.compactMap { $0["id"] as? String } ?? []
    }

    /// What `/stats/accounts` says of the models of an account that are not well, by their ids there.
    func unwell(_ account: String, on page: String = "accounts") async throws -> [String: JSON] {
        let list = try #require(try await figure("models_unwell", of: account, on: page)?.array)
        return try Dictionary(uniqueKeysWithValues: list.map { (try #require($0["model"]?.string), $0) })
    }

    /// Sends a chat and waits for nothing.
    func begin(_ body: String, key: String = RunningProxy.key) async throws -> RawConnection {
        let connection = try await connect()
        connection.send(chatRequest(body).replacing("Bearer \(Self.key)", with: "Bearer \(key)"))
        return connection
    }
}
