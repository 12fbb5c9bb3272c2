import Foundation
import OCISimulator
import ProxyTestSupport
import Synchronization
import Testing

/// What the proxy says of itself: `/stats/…` and `/metrics`.
@Suite struct StatsTests {
    // MARK: Forms

    /// A form that a JSON value must have. Objects have these members and no others.
    private indirect enum Form: Sendable {
        case text, flag, count, amount
        /// ISO 8601 in UTC.
        case instant
        case oneOf([String])
        case list(Form)
        case object(KeyValuePairs<String, Form>)
        case orNull(Form)

        static let percentiles = Form.object(["count": .count, "p50": .amount, "p90": .amount, "p99": .amount])

        /// Where and how a value differs; nil when it does not.
        func objection(to value: JSON, at path: String = "$") -> String? {
            switch (self, value) {
            case (.text, .string), (.flag, .bool): return nil
            case (.count, .integer(let number)) where number >= 0: return nil
            case (.amount, .integer), (.amount, .number): return (value.number ?? -1) >= 0 ? nil : "\(path) is negative"
            case (.instant, .string(let text))
            where text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil: return nil
            case (.oneOf(let words), .string(let text)) where words.contains(text): return nil
            case (.orNull, .null): return nil
            case (.orNull(let form), _): return form.objection(to: value, at: path)
            case (.list(let form), .array(let values)):
                for (index, value) in values.enumerated() {
                    if let objection = form.objection(to: value, at: "\(path)[\(index)]") { return objection }
                }
                return nil
            case (.object(let members), .object(let object)):
                let strangers = Set(object.members.map(\.name)).subtracting(members.map(\.key))
                guard strangers.isEmpty else { return "\(path) has the unknown \(strangers.sorted())" }
                for (name, form) in members {
                    guard let value = object[name] else { return "\(path).\(name) is missing" }
                    if let objection = form.objection(to: value, at: "\(path).\(name)") { return objection }
                }
                return nil
            default: return "\(path) is \(value)"
            }
        }
    }

    private static let unwell = Form.list(
        .object([
            "model": .text, "circuit_breaker": .oneOf(["closed", "open", "half_open"]), "consecutive_failures": .count,
            "retry_at": .orNull(.instant),
            "cooling_until": .orNull(.instant), "learnt_limit": .orNull(.count), "in_flight": .count,
        ]))

    private static let permits: KeyValuePairs<String, Form> = [
        "max": .count, "in_flight": .count, "available": .count, "peak": .count,
    ]

    private static let pages: [(page: String, form: Form)] = [
        (
            "accounts",
            .object([
                "mode": .oneOf(["multi-account"]), "strategy": .oneOf(["round_robin"]), "total_accounts": .count,
                "healthy_accounts": .count,
                "accounts": .list(
                    .object([
                        "id": .text, "kind": .oneOf(["oci"]), "region": .text, "endpoint": .text, "enabled": .flag,
                        "healthy": .flag, "weight": .count,
                        "max_concurrency": .count, "in_flight": .count, "requests_total": .count,
                        "requests_succeeded": .count,
                        "requests_failed": .count, "rate_limited_total": .count, "cancelled_total": .count,
                        "consecutive_failures": .count,
                        "cooling_until": .orNull(.instant),
                        "tokens": .object(["prompt": .count, "completion": .count, "total": .count]),
                        "latency_ms": .percentiles, "first_token_ms": .percentiles,
                        "last_error": .orNull(
                            .object([
                                "at": .orNull(.instant), "status": .orNull(.count), "code": .text, "message": .text,
                            ])),
                        "last_health_check": .orNull(.object(["at": .instant, "ok": .flag, "latency_ms": .amount])),
                        "circuit_breaker": .oneOf(["closed", "open", "half_open"]), "models": .list(.text),
                        "models_unwell": unwell,
                    ])),
            ])
        ),
        (
            "concurrency",
            .object([
                "global": .object(permits),
                "accounts": .list(
                    .object(["id": .text, "max": .count, "in_flight": .count, "available": .count, "peak": .count])),
            ])
        ),
        (
            "circuit-breaker",
            .object([
                "config": .object([
                    "max_failures": .count, "reset_timeout_ms": .count, "failure_rate": .amount, "min_requests": .count,
                ]),
                "accounts": .list(
                    .object([
                        "id": .text, "state": .oneOf(["closed", "open", "half_open"]), "consecutive_failures": .count,
                        "window_requests": .count,
                        "window_failures": .count, "failure_rate": .amount, "opened_at": .orNull(.instant),
                        "retry_at": .orNull(.instant),
                        "opened_total": .count, "models_unwell": unwell,
                    ])),
            ])
        ),
        (
            "queue",
            .object([
                "size": .count, "depth": .count, "peak": .count, "enqueued_total": .count, "rejected_total": .count,
                "timed_out_total": .count,
                "cancelled_total": .count, "wait_ms": .percentiles,
            ])
        ),
    ]

    /// Before the first request, and after each kind of ending: a value that is null at first is seen in its other form as well.
    @Test func `The pages have their documented forms`() async throws {
        try await RunningProxy.run(accounts: 4, breaker: "max_failures = 1", brokenKeys: [4]) { proxy in
            func expectForms() async throws {
                for (page, form) in Self.pages {
                    #expect(form.objection(to: try await proxy.stats(page), at: page) == nil)
                }
            }
            try await expectForms()
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(try await proxy.chat(RunningProxy.body(streams: true)).status == 200)
            proxy.simulator.add(Fault(.status(500), account: "account_3", kind: .chat))
            proxy.simulator.add(Fault(.status(429, retryAfter: 30), account: "account_1", kind: .chat))
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            try await expectForms()

            let accounts = try await proxy.accounts()
            #expect(
                accounts["account_3"]?["circuit_breaker"] == "open"
                    && accounts["account_3"]?["last_error"]?["status"]?.integer ?? 0 >= 500)
            #expect(
                accounts["account_1"]?["cooling_until"] != .null && accounts["account_1"]?["rate_limited_total"] == 1)
            #expect(accounts["account_2"]?["last_error"] == .null)
            #expect(
                accounts["account_2"]?["first_token_ms"]?["count"] == 1
                    && accounts["account_2"]?["latency_ms"]?["count"] == 2)
            let tokens = try #require(accounts["account_2"]?["tokens"])
            #expect(try #require(tokens["prompt"]?.integer) > 0 && tokens["completion"] != 0)
            #expect(tokens["total"]?.integer == (tokens["prompt"]?.integer ?? 0) + (tokens["completion"]?.integer ?? 0))
            #expect(
                try await proxy.stats("circuit-breaker")["config"] == [
                    "max_failures": 1, "reset_timeout_ms": 60_000, "failure_rate": 0.6, "min_requests": 10,
                ])
            #expect(try await proxy.stats("queue")["size"] == 2000)
        }
    }

    // MARK: Invariants

    /// What has to be true of any snapshot; the first thing that is not.
    private static func contradiction(_ accounts: JSON) -> String? {
        for account in accounts["accounts"]?.array ?? [] {
            let parts = ["requests_succeeded", "requests_failed", "cancelled_total", "in_flight"].compactMap {
                account[$0]?.integer
            }
            if account["requests_total"]?.integer != parts.reduce(0, +) || parts.count != 4 { return "\(account)" }
        }
        return nil
    }

    private static func contradiction(concurrency: JSON) -> String? {
        guard let global = concurrency["global"], let accounts = concurrency["accounts"]?.array else {
            return "\(concurrency)"
        }
        let sum = accounts.compactMap { $0["in_flight"]?.integer }.reduce(0, +)
        guard sum <= global["in_flight"]?.integer ?? -1 else { return "\(concurrency)" }
        for permits in accounts + [global] {
            guard let most = permits["max"]?.integer, let used = permits["in_flight"]?.integer,
                let free = permits["available"]?.integer,
                let peak = permits["peak"]?.integer, used + free == most, used <= peak, peak <= most
            else { return "\(permits)" }
        }
        return nil
    }

    @Test func `The books balance at every moment`() async throws {
        let pacing = Pacing(events: 4, text: "tick ", interval: .milliseconds(5))
        let settings =
            "global_max_concurrency = 8\nqueue_size = 20\nstream_timeout = 200ms\nfirst_token_timeout = 100ms\nrequest_timeout = 2s"
        try await RunningProxy.run(
            accounts: 3, maxConcurrency: 4, settings: settings, breaker: "max_failures = 8\nreset_timeout = 50ms",
            pacing: pacing
        ) { proxy in
            var random = SplitMix64(seed: 4711)
            let actions: [Fault.Action] = [
                .status(500), .status(503), .status(401), .status(400), .status(429, retryAfter: 0), .reset, .close,
                .empty, .cut(afterEvents: 2),
                .silentEnd(afterEvents: 1), .stallMidway(afterEvents: 2), .delayFirstEvent(.milliseconds(150)),
                .errorEvent(afterEvents: 2),
            ]
            // Each may be met on a kept connection, and the request is sent once more then, unseen.
            var ends = 0
            for _ in 0..<120 {
                let account = "account_\(Int.random(in: 1...3, using: &random))"
                let action = actions.randomElement(using: &random) ?? .close
                ends += action == .reset || action == .close ? 1 : 0
                proxy.simulator.add(
                    Fault(action, account: account, kind: .chat, after: .random(in: 0...2, using: &random)))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                let looks = Mutex(0)
                group.addTask {
                    while !Task.isCancelled {
                        try #require(Self.contradiction(try await proxy.stats("accounts")) == nil)
                        try #require(Self.contradiction(concurrency: try await proxy.stats("concurrency")) == nil)
                        looks.withLock { $0 += 1 }
                    }
                }
                // However slow the machine is, ten looks fall into the load.
                repeat {
                    try await Self.sendAndLeave(proxy, count: 320, concurrency: 32)
                } while looks.withLock { $0 } < 10
                group.cancelAll()
                try await group.waitForAll()
            }
            try await eventually("no permit in use") { try await proxy.isIdle() }
            let accounts = try await proxy.stats("accounts")
            #expect(Self.contradiction(accounts) == nil)
            let total = (accounts["accounts"]?.array ?? []).compactMap { $0["requests_total"]?.integer }.reduce(0, +)
            #expect(total >= proxy.chats.count - ends, "every attempt that an account saw is in the books")
        }
    }

    /// Every fifth client leaves before its answer is whole; the others take whatever comes.
    private static func sendAndLeave(_ proxy: RunningProxy, count: Int, concurrency: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= concurrency { try await group.next() }
                group.addTask {
                    let client = try await proxy.connect()
                    defer { client.close() }
                    client.send(proxy.chatRequest(RunningProxy.body(streams: !number.isMultiple(of: 3))))
                    if number.isMultiple(of: 5) {
                        try await Task.sleep(for: .milliseconds(number % 40))
                    } else {
                        _ = try await client.answer()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Access

    @Test func `Statistics are for the operator and for whoever has a key`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            for path in ["/stats/accounts", "/stats/concurrency", "/stats/circuit-breaker", "/stats/queue", "/metrics"]
            {
                #expect(try await proxy.get(path).status == 200, "\(path)")
                let foreign = try await proxy.get(path, "X-Forwarded-For: 10.0.0.1")
                #expect(foreign.status == 401 && foreign.error("code") == "invalid_api_key", "\(path)")
                #expect(
                    try await proxy.get(path, "X-Forwarded-For: 10.0.0.1", "Authorization: Bearer \(proxy.key)").status
                        == 200, "\(path)")
                #expect(try await proxy.get(path, "Authorization: Bearer wrong").status == 401, "\(path)")
                #expect(try await proxy.post(path).status == 405, "\(path)")
            }
            let reset = "POST /admin/circuit-breaker/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
            #expect(try await proxy.send(reset + "\r\n").status == 200)
            #expect(try await proxy.send(reset + "X-Forwarded-For: 10.0.0.1\r\n\r\n").status == 401)
            #expect(try await proxy.get("/stats/nothing").status == 404)
        }
    }

    // MARK: Prometheus

    @Test func `The metrics are in prometheuss text format`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            for name in ["no-such-model-xyzzy", #"evil\"}\n# TYPE evil counter"#] {
                _ = try await proxy.chat(RunningProxy.body(model: name))
            }
            let load = try await Load(count: 6, concurrency: 2).run(against: proxy)
            #expect(load.whole == 6)
            _ = try await proxy.get("/no/such/path-xyzzy")
            let answer = try await proxy.get("/metrics")
            #expect(
                answer.status == 200 && answer.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(answer.body.hasSuffix("\n"))

            var kinds: [Substring: Substring] = [:]
            var seen: Set<Substring> = []
            for line in answer.body.split(separator: "\n") {
                if let type = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
                    #expect(kinds.updateValue(type.2, forKey: type.1) == nil, "one type for each: \(line)")
                } else if line.hasPrefix("#") {
                    #expect(line.wholeMatch(of: /# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+/) != nil, "\(line)")
                } else {
                    let label = #/[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\\\|\\"|\\n)*"/#
                    let sample = try #require(
                        line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? ([0-9.eE+-]+|\+Inf|NaN)/),
                        "no sample: \(line)")
                    if let labels = sample.2?.dropFirst().dropLast() {
                        #expect(labels.replacing(label, with: "").allSatisfy { $0 == "," }, "\(line)")
                    }
                    #expect(Double(sample.3) != nil)
                    let family = sample.1.replacing(/_(bucket|sum|count)$/, with: "")
                    #expect(
                        kinds[sample.1] != nil || kinds[family[...]] == "histogram", "its type comes first: \(line)")
                    #expect(seen.insert(line.prefix(upTo: sample.3.startIndex)).inserted, "twice: \(line)")
                }
            }
            #expect(seen.count > 20)
            #expect(answer.body.contains(#"account="account_1""#))
            for word in ["xyzzy", "evil", "grok"] {
                #expect(!answer.body.contains(word), "what clients send is no label: \(word)")
            }
        }
    }

    @Test func `The metrics say the same as the statistics`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat))
            let load = try await Load(count: 7, concurrency: 1).run(against: proxy)
            #expect(load.whole == 7, "\(load.flaws)")
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            let metrics = try await proxy.get("/metrics").body
            for (id, account) in try await proxy.accounts() {
                let succeeded = try #require(account["requests_succeeded"]?.integer)
                let failed = try #require(account["requests_failed"]?.integer)
                let samples = metrics.split(separator: "\n").filter { $0.contains(#"account="\#(id)""#) }
                #expect(samples.contains { $0.contains("succeeded") && $0.hasSuffix(" \(succeeded)") }, "\(id)")
                #expect(samples.contains { $0.contains("failed") && $0.hasSuffix(" \(failed)") }, "\(id)")
            }
        }
    }
}
