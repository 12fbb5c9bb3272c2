import Foundation
import OCISimulator
import ProxyTestSupport
import Testing

/// Load over some time, with failures in it that no client may notice.
@Suite struct EnduranceTests {
    /// One of three accounts is away for three of six seconds, at 40 requests a second.
    @Test func `An outage of one account is noticed by nobody`() async throws {
        let interval = Duration.milliseconds(25)
        try await RunningProxy.run(
            accounts: 3, breaker: "max_failures = 3\nreset_timeout = 500ms", listenerPerAccount: true
        ) { proxy in
            func timesOpened() async throws -> Int {
                try #require(try await proxy.figure("opened_total", of: "account_1", on: "circuit-breaker")?.integer)
            }
            var openedDuringTheOutage = 0
            let flaws = try await withThrowingTaskGroup(of: String?.self) { group in
                let start = ContinuousClock.now
                for number in 0..<240 {
                    switch number {
                    case 60: try await proxy.simulator.refuseConnections(of: "account_1")
                    case 180: try await proxy.simulator.acceptConnections(of: "account_1")
                    // By now no probe is under way that found the port closed.
                    case 182: openedDuringTheOutage = try await timesOpened()
                    default: break
                    }
                    group.addTask {
                        let streams = number.isMultiple(of: 2)
                        let answer = try await proxy.chat(RunningProxy.body(Load.text(number), streams: streams))
                        return answer.flaw(RunningProxy.echo(Load.text(number)), streams: streams)
                    }
                    try await Task.sleep(until: start + interval * (number + 1))
                }
                return try await group.reduce(into: []) { if let flaw = $1 { $0.append(flaw) } }
            }
            #expect(flaws.isEmpty, "\(flaws)")
            let attempts = try await proxy.accounts().values.compactMap { $0["requests_total"]?.integer }.reduce(0, +)
            #expect(attempts > 240 && Double(attempts) / 240 <= 1.2, "\(attempts) attempts")
            #expect(openedDuringTheOutage > 1, "it was probed")

            try await eventually("a closed breaker") {
                _ = try await proxy.chat(RunningProxy.body())
                return try await proxy.figure("state", of: "account_1", on: "circuit-breaker") == "closed"
            }
            #expect(try await timesOpened() == openedDuringTheOutage, "the first probe after the outage was enough")
            let last = proxy.simulator.requests.last?.id ?? 0
            for _ in 0..<3 { #expect(try await proxy.chat(RunningProxy.body()).status == 200) }
            #expect(proxy.chats.contains { $0.id > last && $0.account == "account_1" }, "it serves again")
        }
    }

    @Test func `What fails here and there is made good for every request`() async throws {
        try await RunningProxy.run(
            accounts: 3, settings: "first_token_timeout = 2s", breaker: RunningProxy.patientBreaker
        ) { proxy in
            var random = SplitMix64(seed: 20_25)
            let actions: [Fault.Action] = [
                .status(500), .status(502), .status(503), .reset, .close, .empty, .gatewayTimeoutPage,
                .cut(afterEvents: 0), .resetMidway(afterEvents: 0),
                .errorEvent(afterEvents: 0), .delayFirstEvent(.milliseconds(30)), .status(429, retryAfter: 0),
            ]
            // Each falls due at some request of its account, on the average every twentieth.
            for number in 1...3 {
                var due = 0
                while due < 450 {
                    proxy.simulator.add(
                        Fault(
                            actions.randomElement(using: &random) ?? .close, account: "account_\(number)", kind: .chat,
                            after: due))
                    due += Int.random(in: 5...35, using: &random)
                }
            }
            let tally = try await Load(count: 1500, concurrency: 32).run(against: proxy)
            #expect(tally.whole == 1500, "\(tally.flaws.prefix(5))")
            #expect(proxy.chats.count > 1510, "there were faults to be made good")
            try await eventually("no permit in use") { try await proxy.isIdle() }
        }
    }

    /// Clients are told of it, and the accounts are not asked four times for each of them.
    @Test func `An outage of all accounts is not multiplied`() async throws {
        try await RunningProxy.run(accounts: 3, breaker: RunningProxy.patientBreaker) { proxy in
            proxy.simulator.add(Fault(.status(500), kind: .chat, times: nil))
            let tally = try await Load(count: 240, concurrency: 40).run(against: proxy)
            #expect(tally.whole == 0 && tally.flaws.count == 240)
            #expect(
                tally.flaws.allSatisfy { $0.contains(": 502 ") || $0.contains(": 503 ") }, "\(tally.flaws.prefix(5))")
            // A fifth of the requests, or three for each second of the ten that are looked at; and what a slow machine adds.
            #expect(proxy.chats.count <= 240 + 48 + 72, "\(proxy.chats.count)")
            try await eventually("no permit in use") { try await proxy.isIdle() }
        }
    }

    @Test func `A thousand streams at once arrive whole`() async throws {
        try FileLimit.raise(to: 4500)
        let settings = "global_max_concurrency = 2000"
        // The first event comes late, so that even a busy machine has begun most of them before the first one ends.
        let pacing = Pacing(events: 4, text: "tick ", interval: .milliseconds(200), firstDelay: .seconds(6))
        try await RunningProxy.run(
            accounts: 3, maxConcurrency: 400, settings: settings, pacing: pacing, listenerPerAccount: true,
            isAlone: true
        ) { proxy in
            let load = Load(count: 1000, concurrency: 1000, streams: { _ in true }, answer: "tick tick tick tick ")
            let tally = try await load.run(against: proxy)
            #expect(tally.whole == 1000, "\(tally.flaws.prefix(5))")
            let peak = try #require(try await proxy.stats("concurrency")["global"]?["peak"]?.integer)
            #expect(peak > 500, "they did run at once")
            try await eventually("no permit in use") { try await proxy.isIdle() }
        }
    }
}

/// How many files this process may have open, and the programs that it starts.
enum FileLimit {
    static func raise(to wanted: rlim_t) throws {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        guard limit.rlim_cur < wanted else { return }
        try #require(limit.rlim_max >= wanted, "the hard limit of open files is \(limit.rlim_max)")
        limit.rlim_cur = wanted
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    }
}
