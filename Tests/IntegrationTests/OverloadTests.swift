import Foundation
import OCISimulator
import Testing

/// More requests than the upstreams can take: what they can take is answered whole, and the rest is told so.
@Suite struct OverloadTests {
    private func expectRefusedForLackOfTime(
        _ outcome: Arrivals.Outcome, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let answer = outcome.answer
        #expect(
            answer?.status == 503 && answer?.error("type") == "overloaded_error"
                && answer?.error("code") == "queue_timeout", "\(answer?.body ?? "none")",
            sourceLocation: sourceLocation)
        let wait = answer?.headers["retry-after"].flatMap { Int($0) } ?? 0
        #expect((1...60).contains(wait), "\(wait)", sourceLocation: sourceLocation)
    }

    /// How long the simulator had each chat, at the median, in seconds.
    private func usualTime(_ proxy: RunningProxy) throws -> Double {
        let times = proxy.chats.compactMap { record in record.ended.map { ($0 - record.arrived).inSeconds } }.sorted()
        try #require(!times.isEmpty)
        return times[times.count / 2]
    }

    private func expectNobodyBlamed(_ proxy: RunningProxy) async throws {
        for (id, account) in try await proxy.accounts() {
            #expect(
                account["requests_failed"] == 0 && account["circuit_breaker"] == "closed"
                    && account["consecutive_failures"] == 0, "\(id)")
        }
        for (id, breaker) in try await proxy.accounts(on: "circuit-breaker") {
            #expect(breaker["opened_total"] == 0, "\(id)")
        }
    }

    // MARK: Admission that knows time

    @Test func `Who cannot be served in time is refused at once and the account stays`() async throws {
        let pacing = Pacing(text: "well", firstDelay: .milliseconds(250))
        try await RunningProxy.run(
            accounts: 1, maxConcurrency: 1, settings: "request_timeout = 2s", pacing: pacing, isAlone: true
        ) { proxy in
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            let outcomes = try await Arrivals(count: 24, interval: .milliseconds(21)).run(against: proxy)
            let answered = outcomes.filter(\.isWhole)
            // Eight of 250 ms fit into two seconds. Each takes longer on a busy machine.
            let fitting = 2 / (try usualTime(proxy))
            #expect(Double(answered.count) >= 0.85 * fitting, "\(answered.count) of \(fitting)")
            let refused = outcomes.filter { !$0.isWhole }
            #expect(!refused.isEmpty)
            for outcome in refused { expectRefusedForLackOfTime(outcome) }
            #expect(refused.count { $0.wait < .seconds(1) } >= refused.count * 3 / 4, "at once: \(refused.map(\.wait))")
            #expect(proxy.chats.count == answered.count + 1, "the account has seen none of the others")
            try await expectNobodyBlamed(proxy)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
    }

    @Test func `Five times the load is as many answers as there can be`() async throws {
        let pacing = Pacing(text: "well", firstDelay: .milliseconds(400))
        try await RunningProxy.run(
            accounts: 2, maxConcurrency: 4, settings: "request_timeout = 3s", pacing: pacing, isAlone: true
        ) { proxy in
            let load = Duration.seconds(6)
            let outcomes = try await Arrivals(count: 600, interval: load / 600).run(against: proxy)
            let inTime = outcomes.filter { $0.isWhole && $0.ended <= load }
            let capacity = 8 * (load.inSeconds / (try usualTime(proxy)))
            #expect(Double(inTime.count) >= 0.9 * capacity, "\(inTime.count) of \(capacity)")
            for outcome in outcomes where !outcome.isWhole { expectRefusedForLackOfTime(outcome) }
            try await expectNobodyBlamed(proxy)
            // As ever, once the load is gone.
            try await eventually("no permit in use") { try await proxy.isIdle() }
            let after = try await Arrivals(count: 8, interval: .milliseconds(50)).run(against: proxy)
            #expect(after.allSatisfy { $0.isWhole && $0.wait < .seconds(2) }, "\(after.map(\.wait))")
        }
    }

    @Test func `Who leaves while all rest takes no permit`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "retry_attempts = 0") { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 3), kind: .chat))
            #expect(try await proxy.chat(RunningProxy.body()).status == 429)
            let waiter = try await proxy.begin(RunningProxy.body())
            try await eventually("a line of one") { try await proxy.stats("queue")["depth"] == 1 }
            waiter.close()
            try await eventually("an empty line", within: .seconds(2)) { try await proxy.stats("queue")["depth"] == 0 }
            #expect(try await proxy.isIdle())
            // The next waits for the same moment, and is served alone.
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(proxy.chats.count == 2, "who has left never reached the account")
        }
    }

    // MARK: A limit that nobody has told

    @Test func `A throttled upstream gives most of what it can`() async throws {
        let provider = try await FakeProvider.start { call in
            call.inFlight > 10 ? .error(429, "Too many requests", retryAfter: 1) : .answer(to: call, after: .seconds(1))
        }
        try await RunningProxy.run(providers: ["p": provider], settings: "request_timeout = 4s", isAlone: true) {
            proxy in
            let load = Duration.seconds(8)
            let outcomes = try await Arrivals(count: 800, interval: load / 800, body: RunningProxy.body(model: "p/m1"))
                .run(against: proxy)
            // Ten each second, from the first second on: those of the last second end after it.
            let capacity = 10 * (load.inSeconds - 1)
            let whole = outcomes.count { $0.isWhole && $0.ended <= load }
            #expect(Double(whole) >= 0.8 * capacity, "\(whole) of \(capacity)")
            let account = try #require(try await proxy.accounts()["p"])
            #expect(account["circuit_breaker"] == "closed" && account["consecutive_failures"] == 0)
            #expect(try await proxy.unwell("p")["m1"]?["learnt_limit"]?.integer.map { (8...12).contains($0) } == true)
        }
    }

    // MARK: Fairness

    /// Each of the silent ones would take all permits of the process.
    @Test func `Two silent upstreams starve no third`() async throws {
        let silent = try await FakeProvider.start { _ in .silence }
        let mute = try await FakeProvider.start { _ in .silence }
        let well = try await FakeProvider.start()
        try await RunningProxy.run(
            providers: ["silent": silent, "mute": mute, "well": well], settings: "global_max_concurrency = 40"
        ) { proxy in
            var clients: [RawConnection] = []
            defer { for client in clients { client.close() } }
            for _ in 0..<40 {
                for model in ["silent/m1", "mute/m1"] {
                    clients.append(try await proxy.begin(RunningProxy.body(model: model)))
                }
            }
            try await eventually("those who wait") { try await proxy.stats("queue")["depth"]?.integer ?? 0 >= 40 }
            let outcomes = try await Arrivals(
                count: 20, interval: .milliseconds(20), body: RunningProxy.body(model: "well/m1")
            ).run(against: proxy)
            #expect(outcomes.allSatisfy { $0.isWhole && $0.wait < .seconds(3) }, "\(outcomes.map(\.wait))")
            #expect(
                try await proxy.stats("concurrency")["global"]?["in_flight"]?.integer ?? 0 >= 25,
                "the silent ones have the rest")
        }
    }

    @Test func `One key's crowd does not make another's only request wait`() async throws {
        let provider = try await FakeProvider.start { .answer(to: $0, after: .milliseconds(100)) }
        let keys = "[API_KEYS]\nother = k-another-key\n"
        try await RunningProxy.run(providers: ["p": provider], settings: "global_max_concurrency = 4", sections: keys) {
            proxy in
            var crowd: [RawConnection] = []
            defer { for client in crowd { client.close() } }
            for _ in 0..<400 { crowd.append(try await proxy.begin(RunningProxy.body("crowd", model: "p/m1"))) }
            try await eventually("a line") { try await proxy.stats("queue")["depth"]?.integer ?? 0 >= 200 }
            let single = try await proxy.begin(RunningProxy.body("single", model: "p/m1"), key: "k-another-key")
            defer { single.close() }
            #expect(try await single.answer().status == 200)
            // How many went before it says more than a clock on a busy machine.
            let queue = try await proxy.stats("queue")
            #expect(queue["depth"]?.integer ?? 0 >= 100, "the crowd still waits: \(queue)")
        }
    }
}
