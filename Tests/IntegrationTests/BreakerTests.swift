import OCISimulator
import Testing

/// An account that fails again and again is left alone for a while.
@Suite struct BreakerTests {
    /// Chats until the breaker of `account_1`, whose chats all fail, is open.
    private func open(_ proxy: RunningProxy) async throws {
        proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat, times: nil))
        for _ in 0..<20 where try await state(proxy) == "closed" {
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
        // With a short `reset_timeout` it may be half open by now.
        #expect(try await state(proxy) != "closed")
        proxy.simulator.removeFaults()
    }

    private func expectAnswer(_ proxy: RunningProxy) async throws {
        #expect(try await proxy.chat(RunningProxy.body()).status == 200)
    }

    private func state(_ proxy: RunningProxy, of account: String = "account_1") async throws -> String? {
        try await proxy.figure("state", of: account, on: "circuit-breaker")?.string
    }

    private func timesOpened(_ proxy: RunningProxy) async throws -> Int? {
        try await proxy.figure("opened_total", of: "account_1", on: "circuit-breaker")?.integer
    }

    private func count(_ account: String, _ proxy: RunningProxy) -> Int { proxy.accountsAsked.count { $0 == account } }

    @Test func `A long pause is said once`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 50), account: "account_1", kind: .chat, times: nil))
            for _ in 0..<6 { try await expectAnswer(proxy) }
            try await proxy.logged("Model is cooling down")
            let lines = proxy.log.split(separator: "\n").filter { $0.contains("is cooling down") }
            #expect(
                lines.count == 1 && lines[0].contains("account=account_1") && lines[0].contains("model=")
                    && lines[0].contains("error=rate_limit_exceeded"), "\(lines)")
        }
    }

    @Test func `It opens after failures in a row`() async throws {
        try await RunningProxy.run(accounts: 2, breaker: "max_failures = 3") { proxy in
            try await open(proxy)
            #expect(count("account_1", proxy) == 3)
            #expect(try await state(proxy) == "open")
            let breaker = try #require(try await proxy.accounts(on: "circuit-breaker")["account_1"])
            #expect(
                breaker["consecutive_failures"] == 3 && breaker["window_failures"] == 3 && breaker["opened_total"] == 1)
            #expect(breaker["opened_at"]?.string != nil && breaker["retry_at"]?.string != nil)
            #expect(try await proxy.figure("circuit_breaker", of: "account_1") == "open")
            let tally = try await Load(count: 10, concurrency: 2).run(against: proxy)
            #expect(tally.whole == 10, "\(tally.flaws)")
            #expect(count("account_1", proxy) == 3, "it is not asked while it is open")
        }
    }

    @Test func `It opens when too large a share fails`() async throws {
        try await RunningProxy.run(
            accounts: 1, settings: "retry_attempts = 0",
            breaker: "max_failures = 100\nfailure_rate = 0.5\nmin_requests = 6"
        ) { proxy in
            for number in 0..<6 {
                #expect(try await state(proxy) == "closed")
                if !number.isMultiple(of: 2) { proxy.simulator.add(Fault(.status(500), kind: .chat)) }
                _ = try await proxy.chat(RunningProxy.body())
            }
            #expect(try await state(proxy) == "open")
            #expect(try await proxy.figure("failure_rate", of: "account_1", on: "circuit-breaker")?.number == 0.5)
        }
    }

    @Test(arguments: [400, 404, 413, 422, 429])
    func `What is no failure does not open it`(status: Int) async throws {
        try await RunningProxy.run(accounts: 2, breaker: "max_failures = 1\nfailure_rate = 0.1\nmin_requests = 1") {
            proxy in
            proxy.simulator.add(
                Fault(.status(status, retryAfter: status == 429 ? 30 : nil), account: "account_1", kind: .chat))
            _ = try await proxy.chat(RunningProxy.body())
            #expect(count("account_1", proxy) == 1)
            #expect(try await state(proxy) == "closed")
            let account = try #require(try await proxy.accounts()["account_1"])
            #expect(account["consecutive_failures"] == 0)
            #expect(account["rate_limited_total"] == (status == 429 ? 1 : 0))
            #expect((account["cooling_until"] != .null) == (status == 429))
        }
    }

    @Test(arguments: [
        Fault.Action.status(500), .status(503), .status(401), .status(403), .reset, .close, .empty, .gatewayTimeoutPage,
        .stall, .cut(afterEvents: 2),
        .stallMidway(afterEvents: 2),
    ])
    func `Every failure of the account's own counts`(action: Fault.Action) async throws {
        let settings = "first_token_timeout = 200ms\nstream_timeout = 300ms"
        try await RunningProxy.run(accounts: 2, settings: settings, breaker: "max_failures = 1") { proxy in
            proxy.simulator.add(Fault(action, account: "account_1", kind: .chat, times: nil))
            _ = try await proxy.chat(RunningProxy.body("one two three four", streams: true))
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            // On the connection that a health check has left, the end of the connection is met once more, unseen.
            let mayRepeat = action == .reset || action == .close
            #expect((1...(mayRepeat ? 2 : 1)).contains(count("account_1", proxy)))
            #expect(try await state(proxy) == "open")
        }
    }

    @Test(arguments: [true, false])
    func `Half open lets one probe through and its end decides`(succeeds: Bool) async throws {
        try await RunningProxy.run(accounts: 2, breaker: "max_failures = 2\nreset_timeout = 300ms") { proxy in
            try await open(proxy)
            let before = count("account_1", proxy)
            // The probe takes its time, so that others come meanwhile.
            proxy.simulator.add(Fault(.delay(.seconds(2)), account: "account_1", kind: .chat))
            if !succeeds { proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat)) }
            try await withThrowingTaskGroup(of: RawAnswer.self) { group in
                try await eventually("a probe") {
                    group.addTask { try await proxy.chat(RunningProxy.body()) }
                    return count("account_1", proxy) > before
                }
                let during = try await state(proxy)
                let tally = try await Load(count: 8, concurrency: 4).run(against: proxy)
                #expect(tally.whole == 8, "\(tally.flaws)")
                let asked = proxy.chats.filter { $0.account == "account_1" }.dropFirst(before)
                // On a very slow machine the probe may be over by now; then others may follow it.
                if let probe = asked.first, probe.ending == nil {
                    #expect(asked.count == 1 && during == "half_open", "one probe at a time")
                }
                for try await answer in group {
                    #expect(answer.status == 200, "a probe that fails is made good elsewhere")
                }
            }
            if succeeds {
                try await eventually("a closed breaker") { try await state(proxy) == "closed" }
                #expect(try await timesOpened(proxy) == 1)
            } else {
                try await eventually("a breaker that has opened again") { try await timesOpened(proxy) == 2 }
                // Its next probe succeeds.
                try await eventually("a closed breaker") {
                    try await expectAnswer(proxy)
                    return try await state(proxy) == "closed"
                }
            }
        }
    }

    /// The client's leaving says nothing about the account, and the place of the probe is free again.
    @Test func `A probe whose client leaves gives its place back`() async throws {
        try await RunningProxy.run(accounts: 2, breaker: "max_failures = 2\nreset_timeout = 200ms") { proxy in
            try await open(proxy)
            let before = count("account_1", proxy)
            proxy.simulator.add(Fault(.stall, account: "account_1", kind: .chat))
            var clients: [RawConnection] = []
            defer { for client in clients { client.close() } }
            try await eventually("a probe") {
                let client = try await proxy.connect()
                client.send(proxy.chatRequest(RunningProxy.body()))
                clients.append(client)
                return count("account_1", proxy) > before
            }
            for client in clients { client.close() }
            try await eventually("no permit in use") { try await proxy.isIdle() }
            #expect(try await timesOpened(proxy) == 1)
            try await eventually("a closed breaker") {
                try await expectAnswer(proxy)
                return try await state(proxy) == "closed"
            }
        }
    }

    @Test func `The operator may close them`() async throws {
        try await RunningProxy.run(accounts: 3, settings: "retry_attempts = 0", breaker: "max_failures = 1") { proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat, times: 3))
            for _ in 0..<3 { #expect(try await proxy.chat(RunningProxy.body()).status == 502) }
            for number in 1...3 { #expect(try await state(proxy, of: "account_\(number)") == "open") }

            let one = try await proxy.post("/admin/circuit-breaker/reset?account=account_2")
            #expect(one.status == 200 && one.json?["reset"] as? [String] == ["account_2"], "\(one.body)")
            #expect(try await state(proxy, of: "account_1") == "open")
            #expect(try await state(proxy, of: "account_2") == "closed")
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(proxy.accountsAsked.last == "account_2")

            let escaped = try await proxy.post("/admin/circuit-breaker/reset?account=account%5F3")
            #expect(escaped.status == 200 && escaped.json?["reset"] as? [String] == ["account_3"], "\(escaped.body)")

            let unknown = try await proxy.post("/admin/circuit-breaker/reset?account=nobody")
            #expect(unknown.status == 404 && unknown.error("message")?.isEmpty == false)
            #expect(try await proxy.get("/admin/circuit-breaker/reset").headers["allow"] == "POST")

            let all = try await proxy.post("/admin/circuit-breaker/reset")
            #expect(
                all.status == 200
                    && Set(all.json?["reset"] as? [String] ?? []) == ["account_1", "account_2", "account_3"])
            for number in 1...3 { #expect(try await state(proxy, of: "account_\(number)") == "closed") }
        }
    }

    @Test(arguments: [false, true])
    func `With all of them open the client is told when to come back`(streams: Bool) async throws {
        try await RunningProxy.run(
            accounts: 2, settings: "retry_attempts = 1", breaker: "max_failures = 1\nreset_timeout = 100s"
        ) { proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat, times: nil))
            var answer = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(answer.status == 502 && proxy.chats.count == 2, "\(answer.body)")
            // On a slow machine a second may be over, after which one request finds out whether they have to rest.
            for _ in 0..<10 where answer.status == 502 {
                answer = try await proxy.chat(RunningProxy.body(streams: streams))
            }
            #expect(
                answer.status == 503 && answer.error("type") == "overloaded_error"
                    && answer.error("code") == "no_account_available", "\(answer.body)")
            let wait = answer.headers["retry-after"].flatMap { Int($0) } ?? 0
            #expect(
                (1...5).contains(wait), "one request a second finds out, so nobody need wait for the hundred: \(wait)")
        }
    }

    @Test(arguments: [false, true])
    func `With all of them cooling the client is told that its requests are too many`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 20), account: "account_1", kind: .chat))
            proxy.simulator.add(Fault(.status(429, retryAfter: 50), account: "account_2", kind: .chat))
            let first = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(first.status == 429, "\(first.body)")
            let second = try await proxy.chat(RunningProxy.body(streams: streams))
            #expect(
                second.status == 429 && second.error("type") == "overloaded_error"
                    && second.error("code") == "no_account_available", "\(second.body)")
            for answer in [first, second] {
                let wait = answer.headers["retry-after"].flatMap { Int($0) } ?? 0
                #expect((10...20).contains(wait), "until the first has cooled down: \(wait)")
            }
            #expect(proxy.chats.count == 2)
        }
    }

    @Test(arguments: [1, nil])
    func `An account serves again when it has cooled down`(retryAfter: Int?) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: retryAfter), account: "account_1", kind: .chat))
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(proxy.accountsAsked == ["account_1", "account_2", "account_2"])
            try await eventually("account_1 to be asked again") {
                try await expectAnswer(proxy)
                return count("account_1", proxy) == 2
            }
            #expect(try await proxy.figure("cooling_until", of: "account_1") == .null)
        }
    }
}
