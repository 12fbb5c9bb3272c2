import Foundation
import OCISimulator
import Testing

/// Breakers and cooldowns make no outage longer than it is.
@Suite struct ComingBackTests {
    private func state(_ proxy: RunningProxy, of account: String = "account_1") async throws -> String? {
        try await proxy.figure("state", of: account, on: "circuit-breaker")?.string
    }

    @Test func `A probe is decided when its stream has begun`() async throws {
        let provider = try await FakeProvider.start { _ in .error(500) }
        try await RunningProxy.run(
            providers: ["p": provider], settings: "retry_attempts = 0",
            breaker: "max_failures = 1\nreset_timeout = 300ms"
        ) { proxy in
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m1")).status == 502)
            #expect(try await state(proxy, of: "p") != "closed")
            provider.setBehaviour { $0.text == "long" ? .endlessStream(to: $0) : .answer(to: $0) }
            try await eventually("a breaker that lets its probe pass") {
                try await state(proxy, of: "p") == "half_open"
            }
            let stream = try await proxy.begin(RunningProxy.body("long", model: "p/m1", streams: true))
            defer { stream.close() }
            try await stream.received(#""content":"#)
            #expect(try await state(proxy, of: "p") == "closed")
            for streams in [false, true] {
                #expect(try await proxy.chat(RunningProxy.body(model: "p/m1", streams: streams)).status == 200)
            }
            #expect(try await proxy.figure("in_flight", of: "p") == 1, "the probe goes on")
        }
    }

    /// With nobody else to ask: the same one, not before its time. Else another at once.
    @Test(arguments: [1, 2])
    func `Who asks for a second is given it`(members: Int) async throws {
        let first = try await FakeProvider.start {
            $0.number == 1 ? .error(503, "later", retryAfter: 1) : .answer(to: $0)
        }
        let second = try await FakeProvider.start()
        let pool: KeyValuePairs<String, FakeProvider> = members == 1 ? ["p": first] : ["p": first, "p": second]
        try await RunningProxy.run(providers: pool) { proxy in
            let start = ContinuousClock.now
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m1")).status == 200)
            let took = ContinuousClock.now - start
            if members == 1 {
                let calls = first.calls
                try #require(calls.count == 2)
                #expect(calls[1].arrived - calls[0].arrived >= .milliseconds(990))
                await second.stop()
            } else {
                #expect(first.calls.count == 1 && second.calls.count == 1 && took < .milliseconds(900), "\(took)")
                // The next has its turn at the first, which rests.
                for _ in 0..<3 where ContinuousClock.now - start < .milliseconds(900) {
                    #expect(try await proxy.chat(RunningProxy.body(model: "p/m1")).status == 200)
                }
                #expect(first.calls.dropFirst().allSatisfy { $0.arrived - start >= .milliseconds(990) })
            }
        }
    }

    /// With default limits and breakers.
    @Test(arguments: [1, 2])
    func `An outage of three seconds is not made longer`(members: Int) async throws {
        let first = try await FakeProvider.start { _ in .error(503) }
        let second = try await FakeProvider.start { _ in .error(503) }
        let pool: KeyValuePairs<String, FakeProvider> = members == 1 ? ["p": first] : ["p": first, "p": second]
        try await RunningProxy.run(providers: pool, isAlone: true) { proxy in
            let start = ContinuousClock.now
            let end = Task {
                try await Task.sleep(until: start + .seconds(3))
                for provider in [first, second] { provider.setBehaviour { .answer(to: $0) } }
            }
            let outcomes = try await Arrivals(
                count: 70, interval: .milliseconds(100), body: RunningProxy.body(model: "p/m1")
            ).run(against: proxy)
            try await end.value
            let earliest = try #require(outcomes.filter(\.isWhole).map(\.ended).min())
            #expect(earliest < .milliseconds(5500), "\(earliest)")
            #expect(
                outcomes.suffix(5).allSatisfy { $0.isWhole }, "\(outcomes.suffix(5).map { $0.answer?.status ?? 0 })")
            for answer in outcomes.compactMap(\.answer) where answer.status == 503 {
                #expect((1...5).contains(answer.headers["retry-after"].flatMap { Int($0) } ?? 0), "\(answer.headers)")
            }
            // One a second at most when all rest, beside what opens the breakers.
            let during = (first.calls + second.calls).count { $0.arrived - start < .seconds(3) }
            #expect(during < 40, "\(during)")
            if members == 1 { await second.stop() }
        }
    }

    @Test func `A health check that succeeds lets a probe through`() async throws {
        let settings = "retry_attempts = 0\nhealth_check_interval = 500ms"
        try await RunningProxy.run(accounts: 1, settings: settings, breaker: "max_failures = 1\nreset_timeout = 100s") {
            proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat))
            // No check may come between the failure and the look.
            proxy.simulator.add(Fault(.status(500), kind: .models))
            #expect(try await proxy.chat(RunningProxy.body()).status == 502)
            try await eventually("a half-open breaker") { try await state(proxy) == "half_open" }
            #expect(proxy.chats.count == 1)
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(try await state(proxy) == "closed")
        }
    }

    /// As he does who has met the refusal.
    @Test(arguments: [false, true])
    func `Who comes during a cooldown waits for its end`(streams: Bool) async throws {
        try await RunningProxy.run(accounts: 1) { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 2), kind: .chat))
            let first = try await proxy.begin(RunningProxy.body("first", streams: streams))
            defer { first.close() }
            try await eventually("the refusal") { try await proxy.figure("rate_limited_total", of: "account_1") == 1 }
            let second = try await proxy.begin(RunningProxy.body("second", streams: streams))
            defer { second.close() }
            #expect(try await first.answer().flaw(RunningProxy.echo("first"), streams: streams) == nil)
            #expect(try await second.answer().flaw(RunningProxy.echo("second"), streams: streams) == nil)
            let chats = proxy.chats
            try #require(chats.count == 3)
            #expect(chats.dropFirst().allSatisfy { $0.arrived - chats[0].arrived >= .milliseconds(1900) })
        }
    }

    /// A cooldown that nobody can sit out is one in which one request a second finds out.
    @Test func `Where there are no others one request a second finds out`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "retry_attempts = 0") { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 300), kind: .chat))
            #expect(try await proxy.chat(RunningProxy.body()).status == 429)
            let refused = try await proxy.chat(RunningProxy.body())
            #expect(refused.status == 429 && proxy.chats.count == 1, "not within the first second: \(refused.body)")
            try await eventually("an answer") {
                try await proxy.chat(RunningProxy.body()).status == 200
            }
            #expect(proxy.chats.count == 2)
            #expect(try await proxy.figure("cooling_until", of: "account_1") == .null, "which ends the cooldown")
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
        }
    }
}
