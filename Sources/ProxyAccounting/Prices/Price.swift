/// 10⁻¹² US dollars: rates are so small that one token may cost less than a nano-dollar.
package typealias PicoDollars = Int64

/// What a model costs.
package enum Price: Equatable, Hashable, Sendable {
    case free
    /// By tokens read and written.
    case tokens(TokenPrice)
    /// For each Unicode scalar of what was sent and received.
    case characters(input: PicoDollars, output: PicoDollars)
    /// For each hour in which a dedicated endpoint exists. A request itself costs nothing.
    case hours(PicoDollars)

    /// The cost of an answer, rounded half up to a nano-dollar.
    ///
    /// - Returns: nil when a count is nil that is charged for, or the cost is more than an `Int64` holds, which no true
    ///   count is.
    package func cost(of usage: LedgerUsage) -> NanoDollars? {
        switch self {
        case .free, .hours: 0
        case .tokens(let price): price.cost(of: usage)
        case .characters(let input, let output):
            CostSum.nanoDollars([(usage.charactersIn, input), (usage.charactersOut, output)])
        }
    }

    /// The most that a request may cost, to reserve for it: without a cache, with the dearest kind of output.
    ///
    /// - Parameters:
    ///   - prompt: tokens, estimated.
    ///   - completion: tokens that it may have at most.
    ///   - charactersIn: that are sent, where they are known; else they are taken to be 4 a token, as the answer's are.
    /// - Returns: nil when it is more than an `Int64` holds.
    package func worstCase(prompt: Int64, completion: Int64, charactersIn: Int64? = nil) -> NanoDollars? {
        switch self {
        case .free, .hours: return 0
        case .tokens(let price):
            let rates = price.rates(forPrompt: prompt)
            return CostSum.nanoDollars([
                (prompt, max(rates.input, rates.cached, rates.written)),
                (completion, max(rates.output, rates.reasoning)),
            ])
        case .characters(let input, let output):
            let each = Self.charactersPerToken
            return CostSum.nanoDollars([
                (charactersIn ?? Self.times(prompt, each), input), (Self.times(completion, each), output),
            ])
        }
    }

    /// No model is known to cost so much: somebody has forgotten what the rate is for.
    package var isDoubtful: Bool {
        switch self {
        case .free: false
        case .tokens(let price):
            price.tiers.reduce(price.rates.dearest) { max($0, $1.dearest) } > Self.doubtfulRate
        case .characters(let input, let output): max(input, output) > Self.doubtfulRate
        case .hours(let rate): rate > Self.doubtfulHour
        }
    }

    /// A cent for one token or character: 10,000 USD for a million.
    private static let doubtfulRate: PicoDollars = 10_000_000_000
    /// 10,000 USD.
    private static let doubtfulHour: PicoDollars = 10_000_000_000_000_000

    private static let charactersPerToken: Int64 = 4

    private static func times(_ count: Int64, _ factor: Int64) -> Int64 {
        let (product, overflow) = max(count, 0).multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// A price by tokens. Prompt tokens include those from a cache, and completion tokens include reasoning.
package struct TokenPrice: Equatable, Hashable, Sendable {
    /// For one token each; 0 or more.
    package struct Rates: Equatable, Hashable, Sendable {
        package var input: PicoDollars
        package var output: PicoDollars
        /// Nil is `input`.
        package var cached: PicoDollars?
        /// Of what is put into a cache. Nil is `input`.
        package var written: PicoDollars?
        /// Nil is `output`.
        package var reasoning: PicoDollars?

        package init(
            input: PicoDollars, output: PicoDollars, cached: PicoDollars? = nil, written: PicoDollars? = nil,
            reasoning: PicoDollars? = nil
        ) {
            self.written = written
            self.input = input
            self.output = output
            self.cached = cached
            self.reasoning = reasoning
        }

        fileprivate var dearest: PicoDollars { max(input, output, cached ?? 0, max(written ?? 0, reasoning ?? 0)) }
    }

    /// Other rates for all tokens of a request with a long prompt. What is nil stays as it was below.
    package struct Tier: Equatable, Hashable, Sendable {
        /// Prompt tokens; the tier begins with one more.
        package var above: Int64
        package var input: PicoDollars?
        package var output: PicoDollars?
        package var cached: PicoDollars?
        package var written: PicoDollars?
        package var reasoning: PicoDollars?

        package init(
            above: Int64 = 200_000, input: PicoDollars? = nil, output: PicoDollars? = nil, cached: PicoDollars? = nil,
            written: PicoDollars? = nil, reasoning: PicoDollars? = nil
        ) {
            self.written = written
            self.above = above
            self.input = input
            self.output = output
            self.cached = cached
            self.reasoning = reasoning
        }

        fileprivate var dearest: PicoDollars {
            max(input ?? 0, output ?? 0, cached ?? 0, max(written ?? 0, reasoning ?? 0))
        }
    }

    package var rates: Rates
    /// With the lowest first.
    package private(set) var tiers: [Tier]

    package init(_ rates: Rates, tiers: [Tier] = []) {
        self.rates = rates
        self.tiers = tiers.sorted { $0.above < $1.above }
    }

    /// What holds for a prompt's length, with nothing left open: what is cached or put into a cache costs as input and reasoning as output,
    /// unless the price or one of its tiers says otherwise.
    func rates(forPrompt prompt: Int64) -> (
        input: PicoDollars, output: PicoDollars, cached: PicoDollars, written: PicoDollars, reasoning: PicoDollars
    ) {
        var rates = rates
        for tier in tiers where prompt > tier.above {
            rates.input = tier.input ?? rates.input
            rates.output = tier.output ?? rates.output
            rates.cached = tier.cached ?? rates.cached
            rates.written = tier.written ?? rates.written
            rates.reasoning = tier.reasoning ?? rates.reasoning
        }
        return (
            rates.input, rates.output, rates.cached ?? rates.input, rates.written ?? rates.input,
            rates.reasoning ?? rates.output
        )
    }

    /// Cached tokens, and those put into a cache, are never taken to be more than the prompt has, nor reasoning more than the completion: upstreams
    /// have said so.
    func cost(of usage: LedgerUsage) -> NanoDollars? {
        let rates = rates(forPrompt: usage.prompt ?? 0)
        let prompt = usage.prompt.map { max($0, 0) }
        let completion = usage.completion.map { max($0, 0) }
        let cached = min(max(usage.cached ?? 0, 0), prompt ?? 0)
        let written = min(max(usage.cacheWrites ?? 0, 0), (prompt ?? 0) - cached)
        let reasoning = min(max(usage.reasoning ?? 0, 0), completion ?? 0)
        // A count is needed when any of its tokens would cost something, or when it decides what the others cost.
        if prompt == nil, !tiers.isEmpty || max(rates.input, rates.cached, rates.written) > 0 { return nil }
        if completion == nil, max(rates.output, rates.reasoning) > 0 { return nil }
        return CostSum.nanoDollars([
            ((prompt ?? 0) - cached - written, rates.input), (cached, rates.cached), (written, rates.written),
            ((completion ?? 0) - reasoning, rates.output), (reasoning, rates.reasoning),
        ])
    }
}

/// Counts times rates, without overflow.
enum CostSum {
    /// - Parameter parts: counts, each with the pico-dollars of one. A count below 0 is 0; nil makes the sum nil unless
    ///   its rate is 0.
    static func nanoDollars(_ parts: [(count: Int64?, rate: PicoDollars)]) -> NanoDollars? {
        var sum: Int128 = 0
        for part in parts where part.rate > 0 {
            guard let count = part.count else { return nil }
            sum += Int128(max(count, 0)) * Int128(part.rate)
        }
        return NanoDollars(exactly: (sum + 500) / 1_000)
    }
}
