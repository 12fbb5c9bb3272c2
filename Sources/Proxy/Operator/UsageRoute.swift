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
            for counter in caller.account.counters(at: now) { write(counter, to: &writer) }
            writer.endObject()
        } else {
            writer.null()
        }
        writer.key("budgets")
        writer.beginArray()
        for (kind, budgets) in [("hard", caller.limits.hardBudgets), ("soft", caller.limits.softBudgets)] {
            for standing in caller.account.standings(of: budgets, at: now) { write(standing, kind, to: &writer) }
        }
        writer.endArray()
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

    private func write(_ counter: LedgerCounter, to writer: inout JSONWriter) {
        writer.key(counter.window.rawValue)
        writer.beginObject()
        writer.key("since")
        if counter.window == .total { writer.null() } else { writer.moment(counter.periodStart) }
        writer.key("requests")
        writer.int(Int(counter.requests))
        writer.key("tokens")
        writer.int(Int(counter.tokens))
        writer.key("cost_nano_usd")
        writer.int(Int(counter.cost))
        writer.endObject()
    }

    private func write(_ standing: BudgetStanding, _ kind: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("budget")
        writer.string(BudgetText.text(standing.budget))
        writer.key("kind")
        writer.string(kind)
        writer.key("unit")
        writer.string(standing.budget.isMoney ? "nano_usd" : "tokens")
        for (name, value) in [
            ("limit", standing.limit), ("spent", standing.spent), ("reserved", standing.reserved),
            ("remaining", standing.remaining),
        ] {
            writer.key(name)
            writer.int(Int(value))
        }
        writer.key("resets_at")
        writer.moment(standing.resetsAt)
        writer.endObject()
    }
}
