import ProxyAccounting

/// Where a roll-up is added to. Names are rows of `dim`.
struct DayCell: Hashable {
    /// Since 1970, in UTC.
    var day: Int64
    var key: Int64
    var upstream: Int64
    var model: Int64
}

/// What is added to a roll-up.
struct DaySums: Equatable {
    var requests: Int64 = 0
    var failed: Int64 = 0
    var cancelled: Int64 = 0
    var rescued: Int64 = 0
    var unknownUsage: Int64 = 0
    var estimatedUsage: Int64 = 0
    var unknownCost: Int64 = 0
    var attempts: Int64 = 0
    var retries: Int64 = 0
    var prompt: Int64?
    var completion: Int64?
    var cached: Int64?
    var reasoning: Int64?
    var priced: Int64 = 0
    var cost: NanoDollars?
    var retryCost: NanoDollars = 0
    var firstTokenSum: Int64 = 0
    var firstTokenCount: Int64 = 0

    mutating func add(_ entry: LedgerEntry, _ facts: EntryFacts) {
        requests += 1
        if entry.status == EntryFacts.clientLeft {
            cancelled += 1
        } else if entry.status >= 400 || entry.error != nil {
            // A stream may have begun with 200, and ended with an error.
            failed += 1
        }
        if entry.rescuedFrom != nil { rescued += 1 }
        guard facts.isAnswered else { return }
        if entry.usage.truth == .unknown { unknownUsage += 1 }
        if entry.usage.truth == .estimated { estimatedUsage += 1 }
        if entry.cost == nil { unknownCost += 1 }
    }

    mutating func add(_ attempt: LedgerAttempt, isRetry: Bool) {
        attempts += 1
        if isRetry { retries += 1 }
        prompt.addKnown(attempt.usage.prompt)
        completion.addKnown(attempt.usage.completion)
        cached.addKnown(attempt.usage.cached)
        reasoning.addKnown(attempt.usage.reasoning)
        if let cost = attempt.cost?.booked {
            priced += 1
            self.cost.addKnown(cost)
            if isRetry { retryCost.addSaturating(cost) }
        }
        if let firstToken = attempt.firstToken?.booked {
            firstTokenSum.addSaturating(firstToken)
            firstTokenCount += 1
        }
    }
}

extension Int64? {
    /// Unknown stays unknown until something is known; it is never 0.
    fileprivate mutating func addKnown(_ other: Int64?) {
        guard let other = other?.booked else { return }
        var sum = self ?? 0
        sum.addSaturating(other)
        self = sum
    }
}
