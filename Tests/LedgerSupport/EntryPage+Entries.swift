package import ProxyAccounting

extension EntryPage {
    package init(of entries: [LedgerEntry]) {
        self.init(capacity: entries.count)
        for entry in entries { append(entry) }
    }

    package mutating func append(_ entry: LedgerEntry) {
        var row = EntryRow(
            id: place(of: entry.id), at: entry.at, key: place(of: entry.key, .key),
            dialect: place(of: entry.dialect, .dialect),
            endpoint: place(of: entry.endpoint, .endpoint), status: entry.status)
        row.model = place(ofAny: entry.model, .model)
        row.servedModel = place(ofAny: entry.servedModel, .calledModel)
        row.upstream = place(ofAny: entry.upstream, .upstream)
        row.error = place(ofAny: entry.error, .error)
        row.isStreaming = entry.isStreaming
        (row.wait, row.firstToken, row.total) = (entry.wait, entry.firstToken, entry.total)
        (row.usage, row.cost) = (entry.usage, entry.cost)
        row.rescuedFrom = place(ofAny: entry.rescuedFrom, .rescuedFrom)
        row.fallback = place(ofAny: entry.fallback, .fallback)
        (row.chargedTokens, row.chargedCost) = (entry.chargedTokens, entry.chargedCost)
        for attempt in entry.attempts { append(attempt) }
        append(row)
    }

    private mutating func append(_ attempt: LedgerAttempt) {
        var row = AttemptRow(
            number: attempt.number, at: attempt.at, upstream: place(of: attempt.upstream, .upstream),
            model: place(of: attempt.model, .calledModel), outcome: place(of: attempt.outcome, .outcome))
        row.isModelListed = attempt.isModelListed
        row.region = place(ofAny: attempt.region, .region)
        row.status = attempt.status.map(Int64.init)
        if let id = attempt.opcRequestID { row.opcRequestID = place(of: id) }
        (row.firstToken, row.total) = (attempt.firstToken, attempt.total)
        (row.usage, row.cost) = (attempt.usage, attempt.cost)
        append(row)
    }

    package var entries: [LedgerEntry] { rows.map { entry($0) } }

    package func entry(_ row: EntryRow) -> LedgerEntry {
        var entry = LedgerEntry(
            id: String(decoding: text(row.id), as: UTF8.self), at: row.at, key: name(row.key),
            dialect: name(row.dialect), endpoint: name(row.endpoint), status: row.status)
        entry.model = name(ifAny: row.model)
        entry.servedModel = name(ifAny: row.servedModel)
        entry.upstream = name(ifAny: row.upstream)
        entry.error = name(ifAny: row.error)
        entry.isStreaming = row.isStreaming
        (entry.wait, entry.firstToken, entry.total) = (row.wait, row.firstToken, row.total)
        (entry.usage, entry.cost) = (row.usage, row.cost)
        entry.rescuedFrom = name(ifAny: row.rescuedFrom)
        entry.fallback = name(ifAny: row.fallback)
        (entry.chargedTokens, entry.chargedCost) = (row.chargedTokens, row.chargedCost)
        entry.attempts = row.attempts.map { index in
            let row = attempt(index)
            return LedgerAttempt(
                number: row.number, at: row.at, upstream: name(row.upstream), model: name(row.model),
                isModelListed: row.isModelListed, region: name(ifAny: row.region), outcome: name(row.outcome),
                status: row.status.map(Int.init),
                opcRequestID: text(ifAny: row.opcRequestID).map { String(decoding: $0, as: UTF8.self) },
                firstToken: row.firstToken, total: row.total, usage: row.usage, cost: row.cost)
        }
        return entry
    }
}

extension Ledger {
    package func record(_ entry: LedgerEntry) { record { $0.append(entry) } }
}
