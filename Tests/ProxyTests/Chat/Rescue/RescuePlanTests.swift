import Testing

@testable import Proxy
@testable import ProxyRouting

/// Each line of the contract about rescue.
@Suite struct RescuePlanTests {
    private static func sent(_ text: String = "some text") -> SentText {
        var sent = SentText()
        sent.add(Array(text.utf8)[...])
        return sent
    }

    private static func plan(_ mode: RescueMode = .verified, _ change: (inout RescuePlan.Demands) -> Void = { _ in })
        -> RescuePlan
    {
        var demands = RescuePlan.Demands()
        change(&demands)
        return RescuePlan(mode, demands, within: .seconds(20))
    }

    @Test(arguments: [
        (AttemptOutcome.failed, true), (.unavailable(retryAfter: nil), true), (.timedOut, true), (.brokenOff, true),
        (.unreachable, true), (.interrupted, true), (.refused, false), (.promptTooLong, false), (.abandoned, false),
        (.outOfTime, false), (.rateLimited(retryAfter: 1), false), (.modelUnavailable, false),
        (.credentialsRefused, false), (.succeeded, false),
    ])
    func `What an upstream's own trouble has cut goes on, and nothing else`(outcome: AttemptOutcome, isArmed: Bool) {
        #expect(Self.plan().mayRescue(Self.sent(), after: outcome) == isArmed)
        #expect(!Self.plan(.off).mayRescue(Self.sent(), after: outcome))
    }

    @Test func `Only plain text is gone on with`() {
        #expect(!Self.plan().mayRescue(nil, after: .failed))
        // A role has been told, and nothing else: that can be repeated.
        #expect(Self.plan().mayRescue(SentText(), after: .failed))
        var spoilt = Self.sent()
        spoilt.spoil()
        #expect(!Self.plan().mayRescue(spoilt, after: .failed))
        #expect(Self.plan().mayRescue(Self.sent(String(repeating: "x", count: 64 << 10)), after: .failed))
        #expect(!Self.plan().mayRescue(Self.sent(String(repeating: "x", count: (64 << 10) + 1)), after: .failed))
        for change: (inout RescuePlan.Demands) -> Void in [
            { $0.choices = 2 }, { $0.wantsLogprobs = true }, { $0.wantsFormat = true }, { $0.forcesTool = true },
        ] {
            #expect(!Self.plan(.continue, change).mayRescue(Self.sent(), after: .failed))
        }
        #expect(Self.plan(.continue) { $0.mustRepeat = true }.mayRescue(Self.sent(), after: .failed))
    }

    @Test func `A request has two rescues, and all have one time`() {
        var plan = Self.plan()
        #expect(plan.deadline(at: .seconds(100)) == .seconds(120))
        plan.begin()
        plan.note(.seconds(5))
        #expect(plan.mayRescue(Self.sent(), after: .failed) && plan.deadline(at: .seconds(200)) == .seconds(215))
        plan.begin()
        #expect(!plan.mayRescue(Self.sent(), after: .failed))
        plan = Self.plan()
        plan.note(.seconds(20))
        #expect(!plan.mayRescue(Self.sent(), after: .failed))
    }

    @Test func `Who takes a prefill goes on, where that was asked for`() {
        let takes = AssistantPrefill.Known.takes(.trailing)
        #expect(Self.plan(.continue).way(takes, tokens: 5) == .continued(.trailing))
        #expect(Self.plan(.verified).way(takes, tokens: 5) == .verified)
        for known in [AssistantPrefill.Known.refuses, .nothing] {
            #expect(Self.plan(.continue).way(known, tokens: 5) == .verified)
        }
        #expect(Self.plan(.continue) { $0.mustRepeat = true }.way(takes, tokens: 5) == .verified)
        #expect(Self.plan(.continue).way(takes, tokens: 5, mayHaveHoles: true) == .verified)
        #expect(Self.plan(.continue) { $0.mostTokens = 5 }.way(takes, tokens: 5) == .verified)
        #expect(Self.plan(.continue) { $0.mostTokens = 6 }.way(takes, tokens: 5) == .continued(.trailing))
    }

    @Test func `What a request asks for is read`() throws {
        func demands(_ members: String) throws -> RescuePlan.Demands {
            RescuePlan.Demands(of: try PassThroughRequest(body: Array(#"{"model":"m",\#(members)}"#.utf8)))
        }
        #expect(try demands(#""n":2"#).choices == 2)
        #expect(try demands(#""logprobs":true"#).wantsLogprobs && demands(#""top_logprobs":1"#).wantsLogprobs)
        #expect(try demands(#""response_format":{"type":"json_object"}"#).wantsFormat)
        #expect(try demands(#""response_format":{"type":"text"}"#).admits)
        #expect(try demands(#""tool_choice":"required""#).forcesTool)
        #expect(try demands(#""tool_choice":{"type":"function"}"#).forcesTool)
        #expect(try !demands(#""tool_choice":{"type":"auto"},"tools":[{}]"#).forcesTool)
        #expect(try demands(#""functions":[{"name":"f"}]"#).mustRepeat)
        #expect(try demands(#""functions":[{"name":"f"}],"function_call":{"name":"f"}"#).forcesTool)
        #expect(try demands(#""guided_json":{}"#).wantsFormat && demands(#""grammar":"x""#).wantsFormat)
        #expect(try demands(#""structured_outputs":{"json":{}}"#).wantsFormat)
        let offered = try demands(#""tool_choice":"auto","tools":[{}]"#)
        #expect(offered.admits && offered.mustRepeat)
        let idle = try demands(#""tool_choice":"none","tools":[{}]"#)
        #expect(idle.admits && !idle.mustRepeat)
        #expect(try demands(#""max_tokens":9,"max_completion_tokens":7"#).mostTokens == 7)
        #expect(try demands(#""messages":[{"role":"assistant","content":"x"}]"#).mustRepeat)
        #expect(try demands(#""temperature":0"#) == RescuePlan.Demands())
    }

    @Test func `A client may ask for less, and no more`() {
        var policy = RescuePolicy()
        policy.mode = .verified
        policy.byModel = ["a": .continue, "b": .off]
        policy.byProvider = ["up": .off, "down": .continue]
        #expect(policy.mode(for: "x", of: nil) { nil } == .verified)
        #expect(
            policy.mode(for: "a", of: "up") { nil } == .continue && policy.mode(for: "b", of: "down") { nil } == .off)
        #expect(
            policy.mode(for: "x", of: "up") { "continue" } == .off
                && policy.mode(for: "x", of: "down") { nil } == .continue)
        #expect(
            policy.mode(for: "a", of: nil) { "Verified" } == .verified
                && policy.mode(for: "a", of: nil) { "off" } == .off)
        #expect(policy.mode(for: "x", of: nil) { "continue" } == .verified)
        // Whoever writes nonsense wants less than there is.
        for wish in ["nonsense", "false", "", "off, verified", "verified ,none"] {
            #expect(policy.mode(for: "a", of: nil) { wish } == .off)
        }
        #expect(policy.mode(for: "a", of: nil) { " continue" } == .continue)
    }

    @Test func `Of several entries of one provider, the one that wants least speaks for all`() throws {
        for modes in [[RescueMode.off, .continue], [.continue, nil, .off], [nil, .off]] {
            var settings = Settings()
            settings.providers = try modes.enumerated().map { number, mode in
                ProviderSettings(
                    id: "up-\(number)", name: "up", baseURL: try #require(BaseURL("http://127.0.0.1:\(9 - number)/v1")),
                    rescue: mode)
            }
            let policy = RescuePolicy(settings, counting: RescueCounters())
            #expect(policy.mode(for: "up/m", of: "up") { nil } == .off)
            #expect(policy.mode(for: "up/m", of: nil) { nil } == .verified)
        }
    }

    @Test func `Counters are bounded`() {
        let counters = RescueCounters()
        for number in 0..<1000 { counters.count(.armed, of: "\(number)") }
        counters.count(.verified, of: "0")
        #expect(counters.all.count == 258)
        #expect(
            counters.all.contains { $0 == ("other", .armed, 744) }
                && counters.all.contains { $0 == ("0", .verified, 1) })
    }
}
