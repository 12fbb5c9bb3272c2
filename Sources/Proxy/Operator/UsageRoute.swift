import ProxyAccounting
import ProxyRouting

/// `GET /v1/usage`: what the caller's own key has spent, and what it may still use. The same counter decides and reports.
struct UsageRoute: Sendable {
    let rates: RequestRates
    /// Of keys without a limit of their own.
    let requestsPerMinute: Int
    let claims: RequestClaims
    /// Requests are counted although no limit asks for it.
    let isLedgerOn: Bool
    let time: TimeSource

    func answer(_ context: RequestContext) -> Response {
        guard let caller = context.caller else { return .json(Array("{}".utf8)) }
        let now = time.wallClock()
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "usage")
        writer.key("key")
        writer.string(caller.name)
        writer.limits(caller.limits)
        writer.key("rate")
        writer.beginObject()
        let perMinute = caller.limits.requestsPerMinute ?? requestsPerMinute
        if let standing = rates.standing(of: caller.name, limit: perMinute, at: time.now()) {
            write("requests", standing.limit, standing.remaining, standing.fullIn, to: &writer)
        }
        if let standing = caller.account.tokens(perMinute: caller.limits.tokensPerMinute, at: time.now()) {
            write("tokens", standing.limit, standing.remaining, standing.fullIn, to: &writer)
        }
        writer.endObject()
        writer.key("in_progress")
        writer.int(max(claims.requests(of: caller.name), caller.account.requests))
        writer.key("spent")
        if isLedgerOn || caller.limits.areCounted {
            writer.beginObject()
            for counter in caller.account.counters(at: now) { writer.counter(counter) }
            writer.endObject()
        } else {
            writer.null()
        }
        writer.budgets(of: caller.limits, caller.account, at: now)
        writer.endObject()
        return .json(writer.bytes)
    }

    private func write(_ name: String, _ limit: Int, _ remaining: Int, _ fullIn: Duration, to writer: inout JSONWriter)
    {
        writer.key(name)
        writer.beginObject()
        writer.key("limit")
        writer.int(limit)
        writer.key("remaining")
        writer.int(remaining)
        writer.key("reset_ms")
        writer.int(Int(fullIn.milliseconds))
        writer.endObject()
    }
}

extension JSONWriter {
    /// A member: what has been charged in one period.
    mutating func counter(_ counter: LedgerCounter) {
        key(counter.window.rawValue)
        beginObject()
        key("since")
        if counter.window == .total { null() } else { moment(counter.periodStart) }
        key("requests")
        int(Int(counter.requests))
        key("tokens")
        int(Int(counter.tokens))
        key("cost_nano_usd")
        int(Int(counter.cost))
        endObject()
    }

    /// A member: how far the budgets of a key are spent.
    mutating func budgets(of limits: KeyLimits, _ account: KeyAccount, at now: Int64) {
        key("budgets")
        beginArray()
        for (kind, budgets) in [("hard", limits.hardBudgets), ("soft", limits.softBudgets)] {
            for standing in account.standings(of: budgets, at: now) { budget(standing, kind) }
        }
        endArray()
    }

    private mutating func budget(_ standing: BudgetStanding, _ kind: String) {
        beginObject()
        key("budget")
        string(BudgetText.text(standing.budget))
        key("kind")
        string(kind)
        key("unit")
        string(standing.budget.isMoney ? "nano_usd" : "tokens")
        for (name, value) in [
            ("limit", standing.limit), ("spent", standing.spent), ("reserved", standing.reserved),
            ("remaining", standing.remaining),
        ] {
            key(name)
            int(Int(value))
        }
        key("resets_at")
        moment(standing.resetsAt)
        endObject()
    }
}
