/// What an instance may spend of something that all instances spend together: requests or tokens a minute of a key, tokens or money of a
/// budget.
///
/// It spends what it has drawn from the engine in advance, and nothing else. So a request is one comparison, and all instances together
/// spend no more than the limit. What is not spent goes back at each exchange, and is drawn anew by what the last second asked for.
///
/// Without the engine it goes on with its part: what was left, by the count of instances, and of a rate also what flows in since.
package struct Meter: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// It holds a minute's worth and fills up within a minute.
        case rate
        /// It is spent once. A period is another meter: its start belongs into the name.
        case budget
    }

    package let name: String
    package let kind: Kind
    /// 0 to 10^11 of a rate, to 2^53 of a budget.
    package var limit: Int64 { didSet { limit = Self.bounded(limit, kind) } }
    /// Drawn from the engine, since the process began.
    private var granted: Int64 = 0
    /// Taken without it.
    private var extra: Int64 = 0
    /// Since the process began.
    package private(set) var spent: Int64 = 0
    /// What nobody has drawn; nil before the first exchange.
    package private(set) var remaining: Int64?
    /// Of a budget: what all have drawn and spent.
    package private(set) var used: Int64?

    // What is wanted.
    private var asked: Int64 = 0
    private var rate: Int64 = 0
    private var reportedAt: Duration?
    private var askedAt: Duration?
    private var refused: Int64 = 0
    private var refusedAt = Duration.zero
    private var typical: Int64 = 0

    /// Since when it goes on without the engine, up to where that has been reckoned.
    private var aloneSince: Duration?

    /// - Parameters:
    ///   - used: of a budget, when it is known from a process before.
    ///   - typical: what a request spends as far as is known. So much is kept at hand while nothing is asked.
    package init(name: String, kind: Kind, limit: Int64, typical: Int64 = 1, used: Int64? = nil) {
        self.name = name
        self.kind = kind
        self.limit = Self.bounded(limit, kind)
        self.typical = max(1, typical)
        self.used = kind == .budget ? used.map { max(0, $0) } : nil
    }

    // MARK: A request

    package var allowance: Int64 { granted + extra }
    /// May be below 0, when requests have used more than they said.
    package var balance: Int64 { allowance - spent }

    /// Spends for a request, if there is so much.
    ///
    /// - Parameter amount: 1 or more.
    package mutating func take(_ amount: Int64, at now: Duration) -> Bool {
        let amount = max(1, amount)
        asked = asked.adding(amount)
        askedAt = now
        guard amount <= balance else {
            refused = max(refused, amount)
            refusedAt = now
            return false
        }
        spent += amount
        if amount >= refused { refused = 0 }
        typical = max(1, (typical * 7 + amount) / 8)
        return true
    }

    /// Spends what a request has used beyond what was taken for it, or gives back what it has not used.
    package mutating func correct(by difference: Int64) { spent = max(0, spent.adding(difference)) }

    /// An instance that meets a key for the first time knows nothing of it, and does not keep a request waiting to find out. It lets in a
    /// request, or a fiftieth of the limit by the count of instances where that is more: over all of them 2 % of the limit, or a request
    /// for each.
    package mutating func lendFirst(among count: Int) {
        guard granted == 0, extra == 0 else { return }
        extra = min(limit, max(typical, limit / Int64(50 * max(1, count))))
    }

    // MARK: Exchanges

    /// - Parameters:
    ///   - life: for which the engine keeps it when nobody mentions it: of a budget, to the end of its period.
    ///   - isEnding: all that was drawn is given back.
    package mutating func report(life: Duration, isEnding: Bool = false, at now: Duration) -> ExchangeRequest.Meter {
        let passed = max(.milliseconds(100), reportedAt.map { now - $0 } ?? .seconds(1))
        rate = max(rate / 2, Int64(Double(asked) * (Duration.seconds(1) / passed)))
        asked = 0
        reportedAt = now
        if now - refusedAt > Self.memory { refused = 0 }
        let isActive = !isEnding && askedAt.map { now - $0 <= Self.activity } ?? false
        return ExchangeRequest.Meter(
            name: name, isRate: kind == .rate, limit: limit, granted: granted, allowance: allowance, spent: spent,
            known: (kind == .rate ? remaining : used) ?? -1, rate: isActive ? max(rate, typical) : 0,
            need: isEnding ? 0 : isActive ? max(refused, 1) : min(typical, limit), isActive: isActive,
            life: max(1_000, life.milliseconds))
    }

    /// The engine has answered.
    ///
    /// - Parameter isLearning: it gives nothing yet.
    package mutating func apply(_ block: ExchangeReply.Block, isLearning: Bool) {
        remaining = block.remaining
        if kind == .budget { used = block.used }
        guard !isLearning else { return }
        granted = block.allowance
        extra = 0
        aloneSince = nil
    }

    /// Goes on without the engine: to be called each second while the member is `degraded` or `learning`.
    package mutating func goOnAlone(among count: Int, at now: Duration) {
        let count = Int64(max(1, count))
        guard let since = aloneSince else {
            aloneSince = now
            let left = remaining ?? max(0, limit - (used ?? 0))
            extra = extra.adding(left > 0 ? max(1, left / count) : 0)
            return
        }
        guard kind == .rate, limit > 0, now > since else { return }
        // Whole units, so that what is left of one counts the next time.
        let milliseconds = min((now - since).milliseconds, 60_000)
        let units = milliseconds * limit / (60_000 * count)
        guard units > 0 else { return }
        aloneSince = now - since > .seconds(60) ? now : since + .milliseconds(units * 60_000 * count / limit)
        extra += max(0, min(units, max(1, limit / count) - balance))
    }

    /// After so long without a request there is no demand.
    private static let activity = Duration.seconds(3)
    /// For so long it is kept in mind that a request was too large.
    private static let memory = Duration.seconds(10)

    private static func bounded(_ limit: Int64, _ kind: Kind) -> Int64 {
        min(max(0, limit), kind == .rate ? 100_000_000_000 : 1 << 53)
    }
}

extension Int64 {
    /// A sum that is too large stays at the largest.
    fileprivate func adding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
