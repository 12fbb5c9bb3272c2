import LedgerTestSupport
import ProxyAccounting

struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Entries with every member known and unknown in turn, and texts that hurt.
struct RandomEntries {
    private var random: SplitMix64
    private let days: Int64
    private var count = 0

    init(seed: UInt64, days: Int64 = 3) {
        random = SplitMix64(seed: seed)
        self.days = days
    }

    mutating func next(_ number: Int) -> [LedgerEntry] { (0..<number).map { _ in next() } }

    mutating func next() -> LedgerEntry {
        count += 1
        let before = Int64.random(in: 0..<days * 86_400_000_000, using: &random)
        var entry = LedgerEntry(
            id: text() + "-\(count)", at: LedgerHarness.noon * 1_000_000 - before, key: pick(["a", "b", "ключ"]),
            dialect: pick(["chat", "responses"]), endpoint: pick(["/v1/chat/completions", "/v1/responses"]),
            status: pick([200, 200, 200, 499, 404, 429, 502]))
        entry.model = maybe { $0.text() }
        entry.error = maybe { $0.pick(["budget_exceeded", "model_not_found", ""]) }
        entry.isStreaming = Bool.random(using: &random)
        entry.wait = number()
        entry.firstToken = maybe { $0.number() }
        entry.total = number()
        entry.usage = usage()
        entry.rescuedFrom = maybe { $0.upstream() }
        entry.fallback = maybe { $0.pick(["m1", "m2"]) }
        entry.chargedTokens = number()
        entry.chargedCost = number()
        let attempts = pick([0, 1, 1, 1, 2, 5])
        entry.attempts = (0..<attempts).map { attempt($0 + 1, entry.at) }
        if let last = entry.attempts.last, Int.random(in: 0..<4, using: &random) > 0 {
            entry.upstream = pick([last.upstream, last.upstream, upstream()])
            entry.servedModel = maybe { _ in last.model }
        }
        entry.cost = maybe { $0.number() }
        return entry
    }

    private mutating func attempt(_ number: Int, _ at: Int64) -> LedgerAttempt {
        var attempt = LedgerAttempt(
            number: number, at: at + self.number(), upstream: upstream(), model: pick(["m1", "m2", "m3"]),
            isModelListed: true,
            outcome: pick(["succeeded", "rate_limited", "abandoned"]), total: self.number())
        attempt.region = maybe { $0.pick(["eu-frankfurt-1", "us-chicago-1"]) }
        attempt.status = maybe { $0.pick([200, 429, 500]) }
        attempt.opcRequestID = maybe { $0.text() }
        attempt.firstToken = maybe { $0.number() }
        attempt.usage = usage()
        attempt.cost = maybe { $0.number() }
        return attempt
    }

    private mutating func usage() -> LedgerUsage {
        var usage = LedgerUsage()
        usage.truth = pick(UsageTruth.allCases)
        usage.prompt = maybe { $0.number() }
        usage.completion = maybe { $0.number() }
        usage.cached = maybe { $0.number() }
        usage.reasoning = maybe { $0.number() }
        usage.charactersIn = maybe { $0.number() }
        usage.charactersOut = maybe { $0.number() }
        usage.cacheWrites = maybe { $0.number() }
        return usage
    }

    private mutating func upstream() -> String { pick(["fra", "ord", "openai", ""]) }
    private mutating func number() -> Int64 {
        Int64.random(in: pick([0...0, 0...1000, 0...10_000_000]), using: &random)
    }

    private mutating func text() -> String {
        pick([
            "", "grok", "a,b", "say \"hi\"", "line\r\nbreak", "tab\there", "=1+1", "@x", "-2", "+3",
            "\u{1}\u{1F}\u{7F}",
            "\\u0041", "日本語", "👩‍👩‍👧", "'; DROP TABLE request; --", "\u{2028}", "e\u{301}", " space ",
        ])
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }

    private mutating func maybe<Value>(_ value: (inout RandomEntries) -> Value) -> Value? {
        Bool.random(using: &random) ? value(&self) : nil
    }
}
