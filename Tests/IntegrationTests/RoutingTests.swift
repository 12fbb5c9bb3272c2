import Foundation
import OCISimulator
import Testing

/// Which account a request goes to.
@Suite struct RoutingTests {
    private func ask(_ proxy: RunningProxy, times: Int) async throws {
        let tally = try await Load(count: times, concurrency: 1).run(against: proxy)
        #expect(tally.whole == times, "\(tally.flaws)")
    }

    @Test func `Weights are spread smoothly`() async throws {
        try await RunningProxy.run(accounts: 3, weights: [3, 2, 1], settings: "load_balance_strategy = weighted") {
            proxy in
            try await ask(proxy, times: 12)
            let turn = [1, 2, 1, 3, 2, 1].map { "account_\($0)" }
            #expect(proxy.accountsAsked == turn + turn)
        }
    }

    @Test func `Round robin asks each in turn`() async throws {
        try await RunningProxy.run(accounts: 3) { proxy in
            try await ask(proxy, times: 6)
            #expect(
                proxy.accountsAsked == ["account_1", "account_2", "account_3", "account_1", "account_2", "account_3"])
        }
    }

    @Test func `Least connections prefers the idle account`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "load_balance_strategy = least_connections") { proxy in
            let stream = try await proxy.openStream()
            defer { stream.close() }
            let busy = try #require(proxy.accountsAsked.first)
            try await ask(proxy, times: 4)
            #expect(proxy.accountsAsked.dropFirst().allSatisfy { $0 != busy }, "\(proxy.accountsAsked)")
        }
    }

    @Test func `An account that is switched off is listed and never used`() async throws {
        try await RunningProxy.run(accounts: 3, accountSettings: [2: "enabled = false"]) { proxy in
            try await ask(proxy, times: 6)
            #expect(!proxy.simulator.requests.contains { $0.account == "account_2" }, "neither chats nor health checks")
            let accounts = try await proxy.accounts()
            #expect(
                accounts.count == 3 && accounts["account_2"]?["enabled"] == false
                    && accounts["account_1"]?["enabled"] == true)
            #expect(accounts["account_2"]?["requests_total"] == 0)
            #expect(try await proxy.health() == (200, "healthy", 2), "nobody misses what is switched off")
        }
    }

    @Test func `An account with a broken key is said and the others serve`() async throws {
        try await RunningProxy.run(accounts: 3, brokenKeys: [2]) { proxy in
            let warning = proxy.log.split(separator: "\n").first {
                $0.contains("account_2") && $0.contains("multi_config.conf:")
            }
            #expect(warning?.contains("[WARNING]") == true, "\(proxy.log)")
            #expect(proxy.log.contains("Healthy accounts: 2/3"))
            try await ask(proxy, times: 4)
            #expect(Set(proxy.accountsAsked) == ["account_1", "account_3"])
            let accounts = try await proxy.accounts()
            #expect(accounts.count == 3 && accounts["account_2"]?["healthy"] == false)
            #expect(try await proxy.health() == (200, "degraded", 2))
            // Whoever checks the file wants to know of it.
            let check = try Program(
                "ociai-proxy", ["-config", proxy.directory.appending(path: "multi_config.conf").path, "-check"])
            #expect(await check.exitCode() == 78)
            #expect(
                check.output.split(separator: "\n").contains {
                    $0.contains("account_2") && $0.contains("multi_config.conf:")
                }, "\(check.output)")
        }
    }

    /// The stream's account is full, the other one is not.
    @Test func `A full account does not hold up what another can serve`() async throws {
        try await RunningProxy.run(accounts: 2, maxConcurrency: 1) { proxy in
            let stream = try await proxy.openStream()
            defer { stream.close() }
            let full = try #require(proxy.accountsAsked.first)
            try await ask(proxy, times: 8)
            #expect(proxy.accountsAsked.dropFirst().allSatisfy { $0 != full })
            #expect(try await proxy.stats("queue")["enqueued_total"] == 0)
        }
    }
}
