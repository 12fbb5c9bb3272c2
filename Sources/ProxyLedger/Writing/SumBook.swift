import ProxyAccounting

/// Where a roll-up is added to. Names are rows of `dim`.
struct SumCell: Hashable {
    /// Days or hours since 1970, in UTC.
    var start: Int64
    var key: Int64
    var upstream: Int64
    var model: Int64
}

/// Where a failure is counted. Names are rows of `dim`, and -1 where there is none.
struct FailureCell: Hashable {
    /// Days or hours since 1970, in UTC.
    var start: Int64
    var key: Int64
    var isRequest: Bool
    /// A request's error, an attempt's outcome.
    var error: Int64
    var upstream: Int64
    var status: Int64
}

/// What a transaction adds to the roll-ups, by hours.
struct SumBook {
    struct Failures {
        var count: Int64 = 0
        /// Microseconds.
        var lastAt: Int64 = 0
    }

    static let hoursADay: Int64 = 24

    private(set) var hours: [SumCell: RequestSums] = [:]
    private(set) var failures: [FailureCell: Failures] = [:]

    mutating func add(_ cell: SumCell, _ change: (inout RequestSums) -> Void) {
        change(&hours[cell, default: RequestSums()])
    }

    mutating func add(_ cell: FailureCell, at microseconds: Int64) {
        failures[cell, default: Failures()].add(1, microseconds)
    }

    var days: [SumCell: RequestSums] {
        var days: [SumCell: RequestSums] = [:]
        for (cell, sums) in hours { days[cell.ofDay, default: RequestSums()].add(sums) }
        return days
    }

    var failuresOfDays: [FailureCell: Failures] {
        var days: [FailureCell: Failures] = [:]
        for (cell, failures) in failures {
            var cell = cell
            cell.start /= Self.hoursADay
            days[cell, default: Failures()].add(failures.count, failures.lastAt)
        }
        return days
    }
}

extension SumCell {
    /// From an hour's.
    var ofDay: SumCell { SumCell(start: start / SumBook.hoursADay, key: key, upstream: upstream, model: model) }
}

extension SumBook.Failures {
    fileprivate mutating func add(_ count: Int64, _ at: Int64) {
        self.count += count
        lastAt = max(lastAt, at)
    }
}

/// What is added to a roll-up.
struct RequestSums: Equatable {
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

    mutating func add(_ entry: RecordedEntry, _ facts: EntryFacts) {
        requests += 1
        if entry.row.status == EntryFacts.clientLeft { cancelled += 1 } else if facts.isFailed { failed += 1 }
        if !entry.row.rescuedFrom.isNone { rescued += 1 }
        guard facts.isAnswered else { return }
        if entry.row.usage.isUnknown { unknownUsage += 1 }
        if entry.row.usage.truth == .estimated { estimatedUsage += 1 }
        if entry.row.cost == nil { unknownCost += 1 }
    }

    mutating func add(_ attempt: AttemptRow, isRetry: Bool) {
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

    /// Those of another part of the same time.
    mutating func add(_ other: RequestSums) {
        requests.addSaturating(other.requests)
        failed.addSaturating(other.failed)
        cancelled.addSaturating(other.cancelled)
        rescued.addSaturating(other.rescued)
        unknownUsage.addSaturating(other.unknownUsage)
        estimatedUsage.addSaturating(other.estimatedUsage)
        unknownCost.addSaturating(other.unknownCost)
        attempts.addSaturating(other.attempts)
        retries.addSaturating(other.retries)
        priced.addSaturating(other.priced)
        retryCost.addSaturating(other.retryCost)
        firstTokenSum.addSaturating(other.firstTokenSum)
        firstTokenCount.addSaturating(other.firstTokenCount)
        prompt.addSum(other.prompt)
        completion.addSum(other.completion)
        cached.addSum(other.cached)
        reasoning.addSum(other.reasoning)
        cost.addSum(other.cost)
    }
}

extension Int64? {
    /// Unknown stays unknown until something is known; it is never 0.
    fileprivate mutating func addKnown(_ other: Int64?) { addSum(other?.booked) }

    fileprivate mutating func addSum(_ other: Int64?) {
        guard let other else { return }
        var sum = self ?? 0
        sum.addSaturating(other)
        self = sum
    }
}
