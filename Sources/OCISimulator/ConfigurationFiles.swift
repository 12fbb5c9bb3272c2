import FoundationEssentials

/// The key files and proxy configurations of a directory: everything that a proxy needs to use the simulator.
package struct ConfigurationFiles {
    /// Of the simulator, as an account sees it.
    package typealias Endpoint = (SimulatedAccount) -> String

    private let directory: String

    package init(directory: String) { self.directory = directory }

    /// Accounts with the keys of the directory's `account_N.pem`; missing ones are made and written (mode 0600).
    package func accounts(_ count: Int, regions: [String]) throws -> [SimulatedAccount] {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        return try (1...max(count, 1)).map { number in
            let path = keyPath(number)
            let pem: String
            if FileManager.default.fileExists(atPath: path) {
                pem = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            } else {
                pem = try RSAPrivateKeyPEM.generate()
                try write(pem, to: path, mode: 0o600)
            }
            do {
                let region = regions[(number - 1) % regions.count]
                return try SimulatedAccount.numbered(number, region: region, privateKeyPEM: pem)
            } catch {
                throw KeyError(description: "\(path): \(error). Remove it, and a new key is made.")
            }
        }
    }

    /// Writes `config.conf` and `multi_config.conf` and returns their paths. Accounts with API keys are written with
    /// `auth = bearer`, the others with their key files. An `api_key` that is in the file already
    /// (a proxy writes the one that it generated) is kept.
    package func write(_ accounts: [SimulatedAccount], endpoint: Endpoint) throws -> [String] {
        let single = path("config.conf")
        let multi = path("multi_config.conf")
        guard let first = accounts.first else { return [] }
        let singleText = """
            # Made by oci-simulator: one simulated OCI account.
            api_key = \(apiKey(in: single))

            \(identity(first, endpoint(first)))

            \(Self.models)
            """
        let sections = accounts.enumerated().map { index, account in
            """
            [ACCOUNT_\(index + 1)]
            id = \(account.id)
            \(identity(account, endpoint(account)))
            """
        }
        let multiText = """
            # Made by oci-simulator: \(accounts.count) simulated OCI accounts.
            api_key = \(apiKey(in: multi))

            [GLOBAL]
            global_max_concurrency = 200
            queue_size = 2000
            retry_attempts = 3
            load_balance_strategy = round_robin
            health_check_interval = 30s

            [CIRCUIT_BREAKER]
            max_failures = 5
            reset_timeout = 60s
            failure_rate = 0.6
            min_requests = 10

            \(sections.joined(separator: "\n\n"))

            \(Self.models)
            """
        try write(singleText, to: single, mode: 0o600)
        try write(multiText, to: multi, mode: 0o600)
        return [single, multi]
    }

    /// An account with API keys authenticates by the first of them.
    private func identity(_ account: SimulatedAccount, _ endpoint: String) -> String {
        if let key = account.apiKeys.first {
            return """
                auth = bearer
                bearer_key = \(key)
                region = \(account.region)
                compartment = \(account.compartment ?? account.tenancy)
                endpoint = \(endpoint)
                """
        }
        return """
            user = \(account.user)
            fingerprint = \(account.fingerprint)
            key_file = \(account.id).pem
            tenancy = \(account.tenancy)
            region = \(account.region)
            compartment = \(account.compartment ?? account.tenancy)
            endpoint = \(endpoint)
            """
    }

    private static let models = """
        [MODELS]
        grok-4 = xai.grok-4
        grok-3-mini = xai.grok-3-mini
        llama-3.3-70b = meta.llama-3.3-70b-instruct
        gemini-2.5-flash = google.gemini-2.5-flash
        gpt-oss-120b = openai.gpt-oss-120b
        gpt-5 = openai.gpt-5
        command-a = cohere.command-a-03-2025
        command-r-plus = cohere.command-r-plus-08-2024
        command-a-reasoning = cohere.command-a-reasoning-08-2025

        """

    private func path(_ name: String) -> String { directory + "/" + name }
    private func keyPath(_ number: Int) -> String { path("account_\(number).pem") }

    private func apiKey(in path: String) -> String {
        let placeholder = "auto_generated_key"
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return placeholder }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("api_key") {
            if let equals = line.firstIndex(of: "=") {
                let value = line[line.index(after: equals)...].drop { $0 == " " }
                return value.isEmpty ? placeholder : String(value)
            }
        }
        return placeholder
    }

    /// The mode is set before the content is in place under its name, so that a key is never readable by others.
    private func write(_ text: String, to path: String, mode: Int) throws {
        let temporary = path + ".new"
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else { throw KeyError(description: "cannot write \(temporary): does the directory allow it?") }
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: temporary, toPath: path)
    }
}
