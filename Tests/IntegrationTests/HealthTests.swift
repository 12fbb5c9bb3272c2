import OCISimulator
import Testing

/// What the periodic checks find out, and what follows from it.
@Suite struct HealthTests {
    /// The model listing of these accounts fails until the faults are removed.
    private func failListing(of accounts: [Int], _ proxy: RunningProxy) {
        for number in accounts {
            proxy.simulator.add(Fault(.status(500), account: "account_\(number)", kind: .models, times: nil))
        }
    }

    private func expectHealth(_ proxy: RunningProxy, _ code: Int, _ status: String, _ healthy: Int) async throws {
        try await eventually("\(status), \(healthy) healthy accounts") {
            try await proxy.health() == (code, status, healthy)
        }
    }

    @Test func `The start is said with the number of healthy accounts`() async throws {
        try await RunningProxy.run(accounts: 3) { proxy in
            #expect(proxy.log.contains("Healthy accounts: 3/3"))
            let answer = try await proxy.get("/health")
            #expect(answer.status == 200 && answer.json?["mode"] as? String == "multi-account")
            #expect(
                answer.json?["accounts"] as? [String: Bool] == [
                    "account_1": true, "account_2": true, "account_3": true,
                ])
            #expect(answer.json?["healthy_accounts"] as? Int == 3 && answer.json?["total_accounts"] as? Int == 3)
            #expect((answer.json?["providers"] as? [String: Any])?.isEmpty == true)
            #expect(answer.json?["healthy_providers"] as? Int == 0 && answer.json?["total_providers"] as? Int == 0)
        }
    }

    @Test func `Health follows the accounts down and up again`() async throws {
        try await RunningProxy.run(accounts: 3, settings: "health_check_interval = 50ms") { proxy in
            try await expectHealth(proxy, 200, "healthy", 3)
            failListing(of: [1], proxy)
            try await expectHealth(proxy, 200, "degraded", 2)
            failListing(of: [2, 3], proxy)
            try await expectHealth(proxy, 503, "unhealthy", 0)
            proxy.simulator.removeFaults()
            try await expectHealth(proxy, 200, "healthy", 3)
            let check = try #require(try await proxy.figure("last_health_check", of: "account_1"))
            #expect(check["ok"] == true && check["at"]?.string != nil && check["latency_ms"]?.number != nil)
        }
    }

    @Test func `An unhealthy account is not asked`() async throws {
        try await RunningProxy.run(accounts: 3, settings: "health_check_interval = 50ms") { proxy in
            failListing(of: [2], proxy)
            try await expectHealth(proxy, 200, "degraded", 2)
            let tally = try await Load(count: 8, concurrency: 2).run(against: proxy)
            #expect(tally.whole == 8, "\(tally.flaws)")
            #expect(!proxy.accountsAsked.contains("account_2"))
            #expect(try await proxy.figure("healthy", of: "account_2") == false)
            #expect(try await proxy.stats("accounts")["healthy_accounts"] == 2)
            proxy.simulator.removeFaults()
            try await expectHealth(proxy, 200, "healthy", 3)
            for _ in 0..<3 { _ = try await proxy.chat(RunningProxy.body()) }
            #expect(proxy.accountsAsked.contains("account_2"))
        }
    }

    @Test func `With no healthy account a client is turned away at once`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "health_check_interval = 50ms") { proxy in
            failListing(of: [1, 2], proxy)
            try await expectHealth(proxy, 503, "unhealthy", 0)
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(
                answer.status == 503 && answer.error("code") == "no_account_available"
                    && answer.headers["retry-after"] != nil, "\(answer.body)")
            #expect(proxy.chats.isEmpty)
        }
    }

    /// The account for which a request waits is found ill: nobody will free a permit for it any more.
    @Test func `Who waits is told when no healthy account is left`() async throws {
        try await RunningProxy.run(
            accounts: 1, maxConcurrency: 1, settings: "health_check_interval = 50ms\nrequest_timeout = 60s"
        ) { proxy in
            let stream = try await proxy.openStream()
            defer { stream.close() }
            let waiter = try await proxy.connect()
            defer { waiter.close() }
            waiter.send(proxy.chatRequest(RunningProxy.body()))
            try await eventually("a line of one") { try await proxy.stats("queue")["depth"] == 1 }
            failListing(of: [1], proxy)
            let answer = try await waiter.answer()
            #expect(answer.status == 503 && answer.error("code") == "no_account_available", "\(answer.body)")
            #expect(try await proxy.stats("queue")["depth"] == 0)
        }
    }

    /// One check that fails may be bad luck.
    @Test func `One failed check is no verdict`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "health_check_interval = 50ms") { proxy in
            let last = proxy.simulator.requests.last?.id ?? 0
            proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .models))
            let failed = try await proxy.simulator.request(after: last) { $0.status == 500 }
            // Two more rounds of that account begin only after the failed one has been noted.
            let next = try await proxy.simulator.request(after: failed.id) {
                $0.kind == .models && $0.account == "account_1"
            }
            _ = try await proxy.simulator.request(after: next.id) { $0.kind == .models && $0.account == "account_1" }
            #expect(!proxy.log.contains("unhealthy"), "\(proxy.log)")
        }
    }

    /// Refused credentials do not heal by themselves, so the first check is the verdict.
    @Test(arguments: [401, 403])
    func `Refused credentials are seen by the first check`(status: Int) async throws {
        let fault = Fault(.status(status), account: "account_2", kind: .models, times: nil)
        try await RunningProxy.run(accounts: 3, settings: "health_check_interval = 1h", faults: [fault]) { proxy in
            #expect(proxy.log.contains("Healthy accounts: 2/3"), "\(proxy.log)")
            try await expectHealth(proxy, 200, "degraded", 2)
        }
    }

    /// Nothing works at the start, and then it does.
    @Test func `A start without any account recovers by itself`() async throws {
        let outage = Fault(.close, kind: .models, times: nil)
        try await RunningProxy.run(accounts: 2, settings: "health_check_interval = 50ms", faults: [outage]) { proxy in
            try await expectHealth(proxy, 503, "unhealthy", 0)
            proxy.simulator.removeFaults()
            try await expectHealth(proxy, 200, "healthy", 2)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
    }

    /// A check that hangs at one account holds up none of the others: the first round, in which each takes a while.
    @Test func `Accounts are checked side by side`() async throws {
        let slowness = Fault(.delay(.milliseconds(300)), kind: .models, times: nil)
        try await RunningProxy.run(accounts: 3, settings: "health_check_interval = 1h", faults: [slowness]) { proxy in
            // A discovery asks for longer pages.
            let round = proxy.simulator.requests.filter { $0.target.hasSuffix("&limit=1") }
            #expect(round.count == 3 && Set(round.compactMap(\.account)).count == 3)
            let ended = try #require(round.compactMap(\.ended).min())
            #expect(round.allSatisfy { $0.arrived < ended }, "all of them had begun before the first was over")
        }
    }

    @Test func `A check that hangs does not hold up the stop`() async throws {
        var done = ContinuousClock.now
        try await RunningProxy.run(accounts: 2, settings: "health_check_interval = 50ms") { proxy in
            let last = proxy.simulator.requests.last?.id ?? 0
            proxy.simulator.add(Fault(.stall, account: "account_1", kind: .models, times: nil))
            try await eventually("a check that hangs") {
                proxy.simulator.requests.contains {
                    $0.id > last && $0.account == "account_1" && $0.ending == nil
                        && .now - $0.arrived > .milliseconds(200)
                }
            }
            done = .now
        }
        #expect(ContinuousClock.now - done < .seconds(5))
    }
}
