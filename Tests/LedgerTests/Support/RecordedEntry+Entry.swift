import ProxyAccounting

@testable import ProxyLedger

extension RecordedEntry {
    var text: String { String(decoding: id, as: UTF8.self) }

    /// What it was made of.
    var entry: LedgerEntry {
        var entry = LedgerEntry(
            id: text, at: at, key: name(key), dialect: name(dialect), endpoint: name(endpoint), status: status)
        entry.model = model.map { name($0) }
        entry.servedModel = servedModel.map { name($0) }
        entry.upstream = upstream.map { name($0) }
        entry.error = error.map { name($0) }
        entry.isStreaming = isStreaming
        (entry.wait, entry.firstToken, entry.total) = (wait, firstToken, total)
        entry.usage = usage.usage
        entry.cost = cost
        entry.rescuedFrom = rescuedFrom.map { name($0) }
        entry.fallback = fallback.map { name($0) }
        (entry.chargedTokens, entry.chargedCost) = (chargedTokens, chargedCost)
        entry.attempts = (0..<attemptCount).map { index in
            let attempt = attempt(index)
            return LedgerAttempt(
                number: Int(attempt.ordinal), at: attempt.at, upstream: name(attempt.upstream),
                model: name(attempt.model), isModelListed: attempt.isModelListed,
                region: attempt.region.map { name($0) }, outcome: name(attempt.outcome),
                status: attempt.status.map { Int($0) },
                opcRequestID: opcRequestID(ofAttempt: index).map { String(decoding: $0, as: UTF8.self) },
                firstToken: attempt.firstToken, total: attempt.total,
                usage: attempt.usage.usage, cost: attempt.cost)
        }
        return entry
    }
}

extension RecordedUsage {
    fileprivate var usage: LedgerUsage {
        var usage = LedgerUsage()
        (usage.truth, usage.prompt, usage.completion, usage.cached) = (truth, prompt, completion, cached)
        (usage.cacheWrites, usage.reasoning) = (cacheWrites, reasoning)
        (usage.charactersIn, usage.charactersOut) = (charactersIn, charactersOut)
        return usage
    }
}

extension EntryPage {
    init(of entries: [LedgerEntry]) {
        self.init(capacity: entries.count)
        for entry in entries { append(entry) }
    }

    var entries: [LedgerEntry] { (0..<count).map { entry($0).entry } }
}
