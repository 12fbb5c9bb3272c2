/// What an instance may spend of something that all instances spend together: requests or tokens a minute of a key, tokens or money of a
/// budget.
///
/// It spends what it has drawn from the engine in advance, and nothing else. So a request is two comparisons, and all instances together
/// spend no more than the limit. What is not spent goes back at each exchange, and is drawn anew: far from the limit a good part of what
/// is left, so that nobody is refused for a burst; near it, when less than a fifth is left, what one second asks for.
///
/// What was drawn is void with the lease (`PermitLease` says by which clock): the engine has given it back by then. Without the engine the
/// instance goes on with its part: what was left, by the count of instances, and of a rate also what flows in since.
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
    /// Since the process began, as all counts here.
    package private(set) var spent: Int64 = 0
    /// Up to where it may be spent, and until when.
    private var allowance: Int64 = 0
    private var until = Duration.zero
    /// Up to where the engine has counted, and what it knew then: `remaining` of a rate, `used` of a budget. What it says while it learns
    /// is not part of that: it puts it together of just these.
    private var granted: Int64 = 0
    private var known: Int64?
    /// Spent at the last exchange that was begun, and at the last one that was answered.
    private var reported: Int64 = 0
    private var settled: Int64 = 0
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
    ///   - typical: what a request spends, as far as is known: the least that a second asks for, and what is lent first.
    package init(name: String, kind: Kind, limit: Int64, typical: Int64 = 1, used: Int64? = nil) {
        self.name = name
        self.kind = kind
        self.limit = Self.bounded(limit, kind)
        self.typical = max(1, typical)
        self.used = kind == .budget ? used.map { max(0, $0) } : nil
        known = self.used
    }

    // MARK: A request

    /// What may be spent at a moment. It may be below 0, when requests have used more than they said.
    package func balance(at now: Duration) -> Int64 { (now < until ? allowance : min(allowance, spent)) - spent }

    /// Spends for a request, if there is so much.
    ///
    /// - Parameter amount: 1 or more.
    package mutating func take(_ amount: Int64, at now: Duration) -> Bool {
        let amount = max(1, amount)
        asked = asked.adding(amount)
        askedAt = now
        guard now < until, amount <= allowance - spent else {
            refused = max(refused, amount)
            refusedAt = now
            return false
        }
        spent += amount
        if amount >= refused { refused = 0 }
        typical = max(1, (typical * 7 + amount) / 8)
        return true
    }

    /// How long a request that was refused should wait: until the next exchange where others have left enough, else until as much has flowed
    /// in. Nil of a budget that is spent: its period has to end.
    package func wait(for amount: Int64, at now: Duration) -> Duration? {
        let missing = max(1, min(amount, limit)) - max(0, remaining ?? 0) - balance(at: now)
        if missing <= 0 { return .seconds(1) }
        guard kind == .rate, limit > 0 else { return nil }
        return .seconds(1) + .seconds(60) * (Double(missing) / Double(limit))
    }

    /// Spends what a request has used beyond what was taken for it, or gives back what it has not used.
    package mutating func correct(by difference: Int64) { spent = max(0, spent.adding(difference)) }

    /// An instance that meets a key for the first time knows nothing of it, and does not keep a request waiting to find out. It lets in a
    /// request, or a fiftieth of the limit by the count of instances where that is more: over all of them 2 % of the limit, or a request
    /// for each.
    ///
    /// - Parameter end: of the member's lease.
    package mutating func lendFirst(among count: Int, until end: Duration) {
        guard until == .zero else { return }
        until = end
        allowance = spent.adding(min(limit, max(typical, limit / Int64(50 * max(1, count)))))
    }

    // MARK: Exchanges

    /// - Parameter life: for which the engine keeps it when nobody mentions it: of a budget, to the end of its period.
    package mutating func report(life: Duration, at now: Duration) -> ExchangeRequest.Meter {
        let passed = max(.milliseconds(100), reportedAt.map { now - $0 } ?? .seconds(1))
        rate = max(rate / 2, Int64(Double(asked) * (Duration.seconds(1) / passed)))
        asked = 0
        reportedAt = now
        reported = spent
        if now - refusedAt > Self.memory { refused = 0 }
        let isActive = askedAt.map { now - $0 <= Self.activity } ?? false
        return ExchangeRequest.Meter(
            name: name, isRate: kind == .rate, limit: limit, granted: granted, settled: settled,
            allowance: spent + balance(at: now), spent: spent,
            known: known ?? -1, rate: isActive ? max(rate, typical) : 0,
            need: isActive ? max(refused, 1) : 0, isActive: isActive,
            life: max(1_000, life.milliseconds))
    }

    /// The engine has answered.
    ///
    /// - Parameters:
    ///   - end: of the member's lease, as it is now.
    ///   - isLearning: it gives nothing yet. What was drawn stays, as long as the lease does.
    package mutating func apply(_ block: ExchangeReply.Block, until end: Duration, isLearning: Bool) {
        remaining = block.remaining
        if kind == .budget { used = block.used }
        settled = reported
        guard !isLearning else {
            if aloneSince == nil { until = max(until, end) }
            return
        }
        granted = block.counted
        known = kind == .rate ? block.remaining : block.used
        allowance = block.allowance
        until = end
        aloneSince = nil
    }

    /// Goes on without the engine: to be called each second while the member is without a lease and its mode is `degraded` or `learning`.
    ///
    /// - Parameters:
    ///   - count: of instances.
    ///   - end: until when the engine is known to be gone: `ClusterMember.safeEnd`.
    package mutating func goOnAlone(among count: Int, until end: Duration, at now: Duration) {
        let count = Int64(max(1, count))
        until = end
        guard let since = aloneSince else {
            aloneSince = now
            let left = remaining ?? max(0, limit - (used ?? 0))
            allowance = spent.adding(left > 0 ? max(1, left / count) : 0)
            return
        }
        guard kind == .rate, limit > 0, now > since else { return }
        // Whole units, so that what is left of one counts the next time.
        let milliseconds = min((now - since).milliseconds, 60_000)
        let units = milliseconds * limit / (60_000 * count)
        guard units > 0 else { return }
        aloneSince = now - since > .seconds(60) ? now : since + .milliseconds(units * 60_000 * count / limit)
        allowance += max(0, min(units, max(1, limit / count) - (allowance - spent)))
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
