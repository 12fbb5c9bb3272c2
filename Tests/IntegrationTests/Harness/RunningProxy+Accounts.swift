import Foundation
import OCISimulator
import Testing

extension RunningProxy {
    /// The proxy in front of several accounts, named `account_1`, `account_2` and so on.
    ///
    /// `body` begins when the first health checks are done, so that the simulator's log goes on with what the test does.
    ///
    /// - Parameters:
    ///   - maxConcurrency: of each account.
    ///   - regions: of the accounts, in turn.
    ///   - settings: lines of `[GLOBAL]`.
    ///   - models: further lines of `[MODELS]`.
    ///   - breaker: lines of `[CIRCUIT_BREAKER]`.
    ///   - accountSettings: further lines of an account, by its number.
    ///   - brokenKeys: numbers of accounts whose key file is none.
    ///   - isAlone: no other proxy runs meanwhile.
    ///   - faults: in force from the start.
    ///   - catalogue: the models that the upstream has.
    static func run(
        accounts count: Int, weights: [Int] = [], maxConcurrency: Int? = nil, regions: [String] = ["us-chicago-1"],
        sharedTenancy: Bool = false,
        settings: String = "", models: String = "", breaker: String = "", accountSettings: [Int: String] = [:],
        brokenKeys: Set<Int> = [],
        faults: [Fault] = [], catalogue: Catalogue = Catalogue(), pacing: Pacing = Pacing(),
        listenerPerAccount: Bool = false, isAlone: Bool = false,
        _ body: (RunningProxy) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration(
            accounts: try SimulatedAccount.generate(count, regions: regions, sharedTenancy: sharedTenancy))
        configuration.catalogue = catalogue
        configuration.pacing = pacing
        configuration.listenerPerAccount = listenerPerAccount
        let started: (RunningProxy) async throws -> Void = { proxy in
            try await proxy.logged("Healthy accounts: ")
            try await body(proxy)
        }
        try await launch(configuration, isAlone: isAlone, started) { simulator, directory in
            for fault in faults { simulator.add(fault) }
            let sections = try simulator.accounts.enumerated().map { index, account in
                let number = index + 1
                let file = "\(account.id).pem"
                try writeKey(
                    brokenKeys.contains(number) ? "no key" : #require(account.privateKeyPEM),
                    to: directory.appending(path: file))
                return """
                    [ACCOUNT_\(number)]
                    id = \(account.id)
                    user = \(account.user)
                    fingerprint = \(account.fingerprint)
                    tenancy = \(account.tenancy)
                    key_file = \(file)
                    region = \(account.region)
                    endpoint = \(simulator.endpoint(of: account.id))
                    \(index < weights.count ? "weight = \(weights[index])" : "")
                    \(maxConcurrency.map { "max_concurrency = \($0)" } ?? "")
                    \(accountSettings[number] ?? "")
                    """
            }
            let config = directory.appending(path: "multi_config.conf")
            try """
            api_key = \(key)

            [GLOBAL]
            port = 0
            \(settings)

            [CIRCUIT_BREAKER]
            \(breaker)

            \(sections.joined(separator: "\n"))

            \(Self.models)
            \(models)
            """.write(to: config, atomically: true, encoding: .utf8)
            return config
        }
    }

    /// For `breaker`: no test that is not about it wants it to open.
    static let patientBreaker = "max_failures = 1000\nfailure_rate = 1\nmin_requests = 1000"

    // MARK: What the proxy says of itself

    /// A page of `/stats/`.
    func stats(_ page: String) async throws -> JSON {
        let answer = try await get("/stats/\(page)", "Authorization: Bearer \(key)")
        try #require(answer.status == 200, "\(answer.body)")
        return try JSONParser.parse(Array(answer.body.utf8))
    }

    /// What a page of `/stats/` says of each account, by id.
    func accounts(on page: String = "accounts") async throws -> [String: JSON] {
        let list = try #require(try await stats(page)["accounts"]?.array)
        return try Dictionary(uniqueKeysWithValues: list.map { (try #require($0["id"]?.string), $0) })
    }

    /// One figure of an account on a page of `/stats/`.
    func figure(_ name: String, of account: String, on page: String = "accounts") async throws -> JSON? {
        try await accounts(on: page)[account]?[name]
    }

    /// Nothing holds a permit or waits for one.
    func isIdle() async throws -> Bool {
        let concurrency = try await stats("concurrency")
        let figures = [concurrency["global"] ?? .null] + (concurrency["accounts"]?.array ?? [])
        return try await stats("queue")["depth"] == 0 && figures.allSatisfy { $0["in_flight"] == 0 }
    }

    func health() async throws -> (code: Int, status: String?, healthyAccounts: Int?) {
        let answer = try await get("/health")
        return (answer.status, answer.json?["status"] as? String, answer.json?["healthy_accounts"] as? Int)
    }

    /// The log line of the request that got this answer.
    func accessLine(of answer: RawAnswer) async throws -> String {
        let id = "request.id=\(try #require(answer.headers["x-request-id"]))"
        var line: Substring?
        try await eventually("the access line of \(id)") {
            line = log.split(separator: "\n").first { $0.contains(id) && $0.contains("path=") }
            return line != nil
        }
        return String(line ?? "")
    }

    /// Returns when the models of all accounts are known: their names work from then on.
    func discovered() async throws {
        let answer = try await post("/admin/models/refresh")
        try #require(answer.status == 200, "\(answer.body)")
    }

    // MARK: What the upstream has seen

    /// The calls of a kind, in the order in which they came.
    func calls(_ kind: RequestKind) -> [RequestRecord] { simulator.requests.filter { $0.kind == kind } }

    /// The chats, in the order in which they came.
    var chats: [RequestRecord] { calls(.chat) }

    /// The accounts that were asked, in that order.
    var accountsAsked: [String] { chats.compactMap(\.account) }

    /// Opens a stream that gets an event or two and then no more: it holds its permits until it is closed.
    func openStream(of account: String? = nil) async throws -> RawConnection {
        simulator.add(Fault(.stallMidway(afterEvents: 2), account: account, kind: .chat))
        let connection = try await connect()
        connection.send(chatRequest(Self.body("hold on to it", streams: true)))
        try await connection.received(#""content":"#)
        return connection
    }
}

/// Asks again and again until the condition holds. Records an issue and throws when it does not within `limit`, which is long: a busy machine
/// can stand still for many seconds, and a test that passes never waits so long.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(
            ContinuousClock.now < deadline, "\(what) has not come about within \(limit)", sourceLocation: sourceLocation
        )
        try await Task.sleep(for: .milliseconds(5))
    }
}

extension [String] {
    /// What stands there several times in a row counts once: a request that meets the end of a kept connection is repeated unseen.
    var withoutRepeats: [String] { reduce(into: []) { if $0.last != $1 { $0.append($1) } } }
}
