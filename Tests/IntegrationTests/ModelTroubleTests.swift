import Foundation
import OCISimulator
import Testing

/// What an answer teaches belongs to what it speaks of: one model's trouble takes no other away.
@Suite struct ModelTroubleTests {
    enum Trouble: String, CaseIterable, Sendable { case throttle, failures, silence }

    private static let settings = "retry_attempts = 0\nfirst_token_timeout = 1s"

    /// Five streams of the model that is in trouble; what a client is told.
    private func meetTrouble(_ proxy: RunningProxy, model: String, _ trouble: Trouble) async throws {
        let status =
            switch trouble {
            case .throttle: 429
            case .failures: 502
            case .silence: 504
            }
        // The first of a throttle is enough.
        for _ in 0..<(trouble == .throttle ? 1 : 5) {
            let answer = try await proxy.chat(RunningProxy.body(model: model, streams: true))
            #expect(answer.status == status, "\(answer.body)")
        }
    }

    private func expectOnlyThatModelRests(_ proxy: RunningProxy, _ account: String, model: String, _ trouble: Trouble)
        async throws
    {
        let state = try #require(try await proxy.accounts()[account])
        #expect(
            state["circuit_breaker"] == "closed" && state["cooling_until"] == .null && state["healthy"] == true,
            "\(state)")
        for page in ["accounts", "circuit-breaker"] {
            let unwell = try await proxy.unwell(account, on: page)
            #expect(Set(unwell.keys) == [model])
            #expect(unwell[model]?["circuit_breaker"] == (trouble == .throttle ? "closed" : "open"), "\(unwell)")
            #expect((unwell[model]?["cooling_until"] != .null) == (trouble == .throttle), "\(unwell)")
        }
        let metrics = try await proxy.get("/metrics").body
        #expect(metrics.contains("ociai_model_resting{account=\"\(account)\",model=\"\(model)\"} 1"), "\(metrics)")
    }

    @Test(arguments: Trouble.allCases)
    func `An account's other models go on`(trouble: Trouble) async throws {
        try await RunningProxy.run(accounts: 1, settings: Self.settings) { proxy in
            let action: Fault.Action =
                switch trouble {
                case .throttle: .status(429, retryAfter: 86_400)
                case .failures: .status(500)
                case .silence: .stall
                }
            proxy.simulator.add(Fault(action, model: "xai.grok-4", kind: .chat, times: nil))
            #expect(try await proxy.chat(RunningProxy.body(model: "grok-3-mini")).status == 200)
            try await meetTrouble(proxy, model: "grok-4", trouble)
            for model in ["grok-3-mini", "llama-3.3-70b", "command-a"] {
                for streams in [false, true] {
                    #expect(
                        try await proxy.chat(RunningProxy.body(model: model, streams: streams)).status == 200,
                        "\(model)")
                }
            }
            try await expectOnlyThatModelRests(proxy, "account_1", model: "xai.grok-4", trouble)
        }
    }

    @Test(arguments: Trouble.allCases)
    func `A provider's other models go on`(trouble: Trouble) async throws {
        let provider = try await FakeProvider.start { call in
            guard call.model == "m1" else { return .answer(to: call) }
            return switch trouble {
            case .throttle: .error(429, "Too many requests", retryAfter: 86_400)
            case .failures: .error(500)
            case .silence: .silence
            }
        }
        try await RunningProxy.run(providers: ["p": provider], settings: Self.settings) { proxy in
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m2")).status == 200)
            try await meetTrouble(proxy, model: "p/m1", trouble)
            for streams in [false, true] {
                #expect(try await proxy.chat(RunningProxy.body(model: "p/m2", streams: streams)).status == 200)
            }
            try await expectOnlyThatModelRests(proxy, "p", model: "m1", trouble)
        }
    }

    @Test func `A throttle of embeddings stops no chats`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "retry_attempts = 0") { proxy in
            try await proxy.discovered()
            proxy.simulator.add(Fault(.status(429, retryAfter: 60), kind: .embed, times: nil))
            let embeddings = try await proxy.post("/v1/embeddings", #"{"model":"embed-v4.0","input":"x"}"#)
            #expect(embeddings.status == 429, "\(embeddings.body)")
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(try await proxy.figure("cooling_until", of: "account_1") == .null)
        }
    }

    @Test(arguments: [false, true])
    func `A fallback at the same provider is tried`(streams: Bool) async throws {
        let provider = try await FakeProvider.start {
            $0.model == "m1" ? .error(429, "Too many requests", retryAfter: 60) : .answer("of m2", to: $0)
        }
        try await RunningProxy.run(providers: ["p": provider], sections: "[FALLBACKS]\np/m1 = p/m2\n") { proxy in
            for _ in 0..<3 {
                let answer = try await proxy.chat(RunningProxy.body(model: "p/m1", streams: streams))
                #expect(answer.flaw("of m2", streams: streams) == nil, "\(answer.body)")
            }
            #expect(provider.calls.count { $0.model == "m1" } == 1, "it rests")
        }
    }

    /// What the operator does about one of them.
    @Test func `One model may be reset`() async throws {
        try await RunningProxy.run(
            accounts: 1, settings: "retry_attempts = 0", breaker: "max_failures = 1\nreset_timeout = 100s"
        ) { proxy in
            for model in ["xai.grok-4", "xai.grok-3-mini"] {
                proxy.simulator.add(Fault(.status(500), model: model, kind: .chat))
            }
            for model in ["grok-4", "grok-3-mini"] {
                #expect(try await proxy.chat(RunningProxy.body(model: model)).status == 502)
            }
            #expect(try await proxy.unwell("account_1").keys.sorted() == ["xai.grok-3-mini", "xai.grok-4"])
            #expect(
                try await proxy.figure("circuit_breaker", of: "account_1") == "open",
                "every model that was asked for rests")
            #expect(try await proxy.figure("last_error", of: "account_1")?["status"] == 500, "the upstream's own")

            let unknown = try await proxy.post("/admin/circuit-breaker/reset?account=nobody&model=xai.grok-4")
            #expect(unknown.status == 404, "\(unknown.body)")
            let one = try await proxy.post("/admin/circuit-breaker/reset?account=account_1&model=xai.grok-4")
            #expect(one.status == 200 && one.json?["reset"] as? [String] == ["account_1"], "\(one.body)")
            #expect(try await proxy.unwell("account_1").keys.sorted() == ["xai.grok-3-mini"])
            #expect(try await proxy.chat(RunningProxy.body(model: "grok-4")).status == 200)
            #expect(try await proxy.figure("circuit_breaker", of: "account_1") == "closed")

            let all = try await proxy.post("/admin/circuit-breaker/reset?account=account_1")
            #expect(all.status == 200)
            #expect(try await proxy.unwell("account_1").isEmpty)
            #expect(try await proxy.chat(RunningProxy.body(model: "grok-3-mini")).status == 200)
        }
    }

    private static let moments = ["retry_at", "cooling_until"]

    private static func withoutMoments(_ state: JSON) -> JSON {
        guard case .object(var members) = state else { return state }
        for name in moments { members[name] = nil }
        return .object(members)
    }

    /// Seconds since 1970.
    private static func moment(_ value: JSON?) throws -> Double? {
        try value?.string.map { try Date($0, strategy: .iso8601).timeIntervalSince1970 }
    }

    @Test func `A reload forgets no model's state`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "retry_attempts = 0") { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 300), model: "xai.grok-4", kind: .chat, times: nil))
            #expect(try await proxy.chat(RunningProxy.body()).status == 429)
            let before = try await proxy.unwell("account_1")
            #expect(before["xai.grok-4"]?["cooling_until"] != .null)
            try await proxy.reconfigure(
                try proxy.configuration().replacing("retry_attempts = 0", with: "retry_attempts = 1"))
            let after = try await proxy.unwell("account_1")
            #expect(after.mapValues(Self.withoutMoments) == before.mapValues(Self.withoutMoments))
            // A moment is worked out anew each time, to the second.
            for (model, state) in before {
                for name in Self.moments {
                    let (then, now) = (try Self.moment(state[name]), try Self.moment(after[model]?[name]))
                    #expect((then == nil) == (now == nil) && abs((then ?? 0) - (now ?? 0)) <= 1, "\(name) of \(model)")
                }
            }
            #expect(try await proxy.chat(RunningProxy.body(model: "grok-3-mini")).status == 200)
        }
    }

    /// Whatever an upstream says, nobody is left alone for a day.
    @Test func `No cooldown is longer than ten minutes`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "retry_attempts = 0") { proxy in
            proxy.simulator.add(Fault(.status(429, retryAfter: 86_400), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 429)
            let wait = answer.headers["retry-after"].flatMap { Int($0) } ?? 0
            #expect((500...600).contains(wait), "\(wait)")
        }
    }

    // MARK: What speaks against nobody

    @Test(arguments: [false, true])
    func `What a moderation refuses is that client's matter`(streams: Bool) async throws {
        let provider = try await FakeProvider.start { call in
            guard call.text == "bad" else { return .answer(to: call) }
            return .error(403, #"Your chosen model requires moderation and your input was flagged for \"x\"."#)
        }
        try await RunningProxy.run(providers: ["p": provider]) { proxy in
            for _ in 0..<6 {
                let answer = try await proxy.chat(RunningProxy.body("bad", model: "p/m1", streams: streams))
                #expect(
                    (400..<404).contains(answer.status) && answer.body.contains("requires moderation"),
                    "\(answer.status) \(answer.body)")
            }
            #expect(provider.calls.count == 6, "one attempt each")
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m1", streams: streams)).status == 200)
            let account = try #require(try await proxy.accounts()["p"])
            #expect(
                account["circuit_breaker"] == "closed" && account["consecutive_failures"] == 0
                    && account["healthy"] == true)
        }
    }

    @Test(arguments: [false, true])
    func `What a filter leaves empty is no failure`(streams: Bool) async throws {
        let provider = try await FakeProvider.start { call in
            call.text == "bad" ? .answer("", to: call, finish: "content_filter") : .answer(to: call)
        }
        try await RunningProxy.run(providers: ["p": provider]) { proxy in
            for _ in 0..<6 {
                let answer = try await proxy.chat(RunningProxy.body("bad", model: "p/m1", streams: streams))
                #expect(
                    answer.status == 200 && answer.body.contains("content_filter"), "\(answer.status) \(answer.body)")
            }
            #expect(provider.calls.count == 6, "one attempt each")
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m1", streams: streams)).status == 200)
            let account = try #require(try await proxy.accounts()["p"])
            #expect(account["circuit_breaker"] == "closed" && account["consecutive_failures"] == 0)
        }
    }

    /// A firewall in front of the provider, a request that costs too much for the key, a feature that is for others: none of it is in words that
    /// anybody knows, and the key is good for all others.
    @Test(arguments: [
        (403, "<html><head><title>403</title></head><body>Request blocked.</body></html>"),
        (403, #"{"error":{"message":"only for enterprise customers"}}"#),
        (402, #"{"error":{"message":"Prompt tokens limit exceeded: 5000 > 3000"}}"#), (401, #"{"message":"no"}"#),
    ])
    func `What nobody understands is that client's matter while others are answered`(status: Int, body: String)
        async throws
    {
        let provider = try await FakeProvider.start { call in
            call.text == "bad"
                ? .init(
                    status: status, headers: [("content-type", body.hasPrefix("<") ? "text/html" : "application/json")],
                    pieces: [body]) : .answer(to: call)
        }
        try await RunningProxy.run(providers: ["p": provider]) { proxy in
            for _ in 0..<4 {
                #expect(try await proxy.chat(RunningProxy.body(model: "p/m1")).status == 200)
                for _ in 0..<6 {
                    #expect(
                        try await proxy.chat(RunningProxy.body("bad", model: "p/m1")).status
                            == (status == 402 ? 429 : 502))
                }
            }
            #expect(try await proxy.chat(RunningProxy.body(model: "p/m1")).status == 200)
            #expect(provider.calls.count == 29, "one attempt each")
            let account = try #require(try await proxy.accounts()["p"])
            #expect(
                account["circuit_breaker"] == "closed" && account["cooling_until"] == .null
                    && account["healthy"] == true, "\(account)")
        }
    }

    // MARK: Keys without credit, models that are gone

    @Test(
        arguments: [
            (400, "Your credit balance is too low to access the Anthropic API.", nil),
            (400, "Access denied.", "Arrearage"), (402, "Insufficient Balance", nil),
            (403, "The organization has been restricted.", "organization_restricted"),
            (429, "You exceeded your current quota.", "insufficient_quota"),
        ] as [(Int, String, String?)])
    func `A key without credit rests`(status: Int, message: String, code: String?) async throws {
        let poor = try await FakeProvider.start { _ in .error(status, message, code: code) }
        let rich = try await FakeProvider.start()
        try await RunningProxy.run(providers: ["p": poor, "p": rich]) { proxy in
            for number in 0..<6 {
                let answer = try await proxy.chat(RunningProxy.body(model: number.isMultiple(of: 2) ? "p/m1" : "p/m2"))
                #expect(answer.status == 200, "\(answer.body)")
            }
            #expect(poor.calls.count == 1 && rich.calls.count == 6, "the key rests, for all of its models")
            let account = try #require(try await proxy.accounts()["p-1"])
            #expect(
                account["cooling_until"] != .null && account["last_error"]?["status"] == .integer(status), "\(account)")
        }
    }

    @Test(
        arguments: [
            ("Model Not Exist", nil), ("The model `m1` has been decommissioned.", "model_decommissioned"),
            ("m1 is not a valid model ID", nil),
            ("Invalid model: m1", "invalid_model"),
        ] as [(String, String?)])
    func `A model that is gone falls back and is no longer offered`(message: String, code: String?) async throws {
        let provider = try await FakeProvider.start {
            $0.model == "m1" ? .error(400, message, code: code) : .answer("of m2", to: $0)
        }
        try await RunningProxy.run(providers: ["p": provider], sections: "[FALLBACKS]\np/m1 = p/m2\n") { proxy in
            try await proxy.discovered()
            #expect(try await proxy.modelNames() == ["p/m1", "p/m2"])
            let answer = try await proxy.chat(RunningProxy.body(model: "p/m1"))
            #expect(answer.flaw("of m2", streams: false) == nil, "\(answer.body)")
            #expect(try await proxy.modelNames() == ["p/m2"])
            #expect(try await proxy.figure("consecutive_failures", of: "p") == 0)
        }
    }

    @Test func `A model that is gone at Oracle is no longer offered`() async throws {
        try await RunningProxy.run(accounts: 1, models: "[FALLBACKS]\ngrok-4 = grok-3-mini") { proxy in
            try await proxy.discovered()
            #expect(try await proxy.modelNames().contains("grok-4"))
            let body = #"{"code":"400","message":"The model xai.grok-4 has been retired."}"#
            proxy.simulator.add(Fault(.status(400, body: body), model: "xai.grok-4", kind: .chat, times: nil))
            let answer = try await proxy.chat(RunningProxy.body("one two"))
            #expect(answer.flaw(RunningProxy.echo("one two"), streams: false) == nil, "\(answer.body)")
            let names = try await proxy.modelNames()
            #expect(!names.contains("grok-4") && names.contains("grok-3-mini"), "\(names)")
        }
    }
}
