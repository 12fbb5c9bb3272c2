import ProxyAccounting
import ProxyRouting
import Synchronization

/// What one request has reserved of what its key may use, where that is limited. Every call to an upstream passes `admit`, whichever its endpoint and dialect, and
/// whether it is a fallback or a rescue (`Attempts`); the end of the request passes `settle`.
final class RequestCharge: Sendable {
    private let caller: Caller
    private let time: TimeSource
    /// When the request arrived, in seconds since 1970: the periods of that moment are charged, in the ledger too.
    private let arrival: Int64

    private struct State {
        /// One for each call, by its number; nil once it has been given back.
        var holds: [KeyAccount.Hold?] = []
        var isSettled = false
        /// What the answer says of the minute.
        var tokens: RateBucket.Standing?
        /// The same of soft budgets that are spent.
        var exceeded: [BudgetStanding] = []
        /// Those of them that nobody has been told of.
        var crossed: [BudgetStanding] = []
    }
    private let state = Mutex(State())

    init(_ caller: Caller, time: TimeSource, arrival: Int64) {
        self.caller = caller
        self.time = time
        self.arrival = arrival
    }

    /// The key has something that can be used up: nothing may be used behind the answer.
    var mayRefuse: Bool { caller.limits.tokensPerMinute != nil || !caller.limits.hardBudgets.isEmpty }

    /// Reserves for one call to whichever upstream.
    ///
    /// - Returns: names what has been reserved, for `giveBack`.
    /// - Throws: `Failure` 429 when the key has not so much left.
    @discardableResult
    func admit(_ estimate: CallEstimate, _ pricing: Pricing?) throws(Failure) -> Int {
        let limits = caller.limits
        let estimate = estimate.value
        var cost: NanoDollars?
        if limits.hardBudgets.contains(where: \.isMoney) {
            cost = pricing?.price?
                .worstCase(
                    prompt: estimate.prompt, completion: estimate.completion, charactersIn: estimate.characters)
        }
        do throws(KeyAccount.Refusal) {
            let hold = try caller.account.reserve(
                tokens: estimate.prompt + estimate.completion, cost: cost, by: limits, at: time.now(), arrival)
            return state.withLock { state in
                state.holds.append(hold)
                (state.tokens, state.exceeded) = (hold.tokens, hold.exceeded)
                if !hold.crossed.isEmpty { state.crossed += hold.crossed }
                return state.holds.count - 1
            }
        } catch {
            lookAtMinute()
            throw .refused(by: error, caller, at: time.wallClock())
        }
    }

    /// A call has cost nothing: what was reserved for it is free again at once, for the request's next call too.
    func giveBack(_ call: Int) {
        let hold: KeyAccount.Hold? = state.withLock { state in
            guard !state.isSettled, state.holds.indices.contains(call) else { return nil }
            return state.holds[call].take()
        }
        guard let hold else { return }
        caller.account.giveBack(hold, at: time.now(), arrival)
        lookAtMinute()
    }

    /// What the request has used is known, and the head of its answer is about to say what is left of the minute.
    ///
    /// - Parameter tokens: makes out what it is, where that matters.
    func settleMinute(_ tokens: () -> Int64) {
        guard caller.limits.tokensPerMinute != nil else { return }
        let used = tokens()
        state.withLock { state in
            guard !state.isSettled else { return }
            caller.account.settleMinute(&state.holds, tokens: used, at: time.now())
        }
        lookAtMinute()
    }

    private func lookAtMinute() {
        guard let perMinute = caller.limits.tokensPerMinute else { return }
        let standing = caller.account.tokens(perMinute: perMinute, at: time.now())
        state.withLock { $0.tokens = standing }
    }

    /// Charges what the request has used, once.
    ///
    /// - Returns: soft budgets that are spent now, of which nobody has been told in their period.
    func settle(tokens: Int64, cost: NanoDollars) -> [BudgetStanding] {
        let settled: (holds: [KeyAccount.Hold], crossed: [BudgetStanding])? = state.withLock { state in
            guard !state.isSettled else { return nil }
            state.isSettled = true
            return (state.holds.compactMap(\.self), state.crossed)
        }
        guard let (holds, crossed) = settled else { return [] }
        return crossed
            + caller.account.settle(
                holds, tokens: tokens, cost: cost, by: caller.limits, at: time.now(), arrival)
    }

    /// What the answer says of the key: what is left of its minute, and soft budgets that are spent.
    var fields: [(String, String)] {
        let (tokens, exceeded) = state.withLock { ($0.tokens, $0.exceeded) }
        return (tokens?.fields ?? []) + exceeded.map { ("x-ociai-budget", $0.sentence) }
    }
}

extension RateBucket.Standing {
    fileprivate var fields: [(String, String)] {
        RateFields.of("tokens", limit: limit, remaining: remaining, fullIn: fullIn)
    }
}

extension BudgetStanding {
    /// `5.02 of 5 USD per day spent, until 2026-12-01T00:00:00Z`.
    var sentence: String {
        let amount = budget.isMoney ? BudgetText.dollars(spent) : String(spent)
        return "\(amount) of \(BudgetText.text(budget)) spent"
            + (resetsAt.map { ", until \(RFC3339.format($0))" } ?? "")
    }
}

extension Failure {
    /// - Parameter now: seconds since 1970.
    fileprivate static func refused(by refusal: KeyAccount.Refusal, _ caller: Caller, at now: Int64) -> Failure {
        switch refusal {
        case .tokens(let limit, let wait):
            let seconds = max(wait.secondsRoundedUp, 1)
            return Failure(
                .tokensLimited,
                "Rate limit reached for this API key: \(limit) tokens per minute. Try again in \(seconds) s. \(caller.mend("tpm", "-tpm N"))",
                retryAfter: seconds)
        case .budget(let refusal):
            let standing = refusal.standing
            let isLong = [.day, .week, .month, .total].contains(standing.budget.window) && !refusal.waitsForRunning
            let reserved = refusal.waitsForRunning ? ", and requests in progress have reserved the rest" : ""
            let wait = refusal.waitsForRunning ? 1 : standing.resetsAt.map { Int(max($0 - now, 1)) }
            return Failure(
                .budgetExceeded(isLong: isLong),
                "The budget of the API key \(caller.name.quotable) does not allow this request: \(standing.sentence)\(reserved). \(caller.mend("budget_hard", "-budget-hard LIST"))",
                retryAfter: wait)
        }
    }
}
