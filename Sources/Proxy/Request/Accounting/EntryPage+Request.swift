import ProxyAccounting
import ProxyRouting

/// What a request has used, as its key is charged.
struct Spent {
    var tokens: Int64 = 0
    var cost: NanoDollars = 0
}

extension EntryPage {
    /// The rows of a request that has ended, with the prices of the moment.
    ///
    /// - Parameters:
    ///   - key: the name of its key.
    ///   - trace: nil for who was refused before anything began.
    ///   - story: what happened besides attempts, if anything did.
    ///   - arrivedAt: microseconds since 1970, at `arrival` of the monotonic clock.
    ///   - duration: from arrival to the end.
    mutating func append(
        _ record: AccessRecord, key: String, at endpoint: (path: String, dialect: String), _ trace: RequestTrace?,
        story: [UInt8]? = nil, among upstreams: UpstreamNames, arrivedAt: Int64, arrival: Duration, duration: Duration,
        isRunning: Bool = false
    ) -> Spent {
        var row = EntryRow(
            id: place(of: record.id), at: arrivedAt, key: place(of: key, .key),
            dialect: place(of: endpoint.dialect, .dialect), endpoint: place(of: endpoint.path, .endpoint),
            status: record.finalStatus)
        row.model = place(ofAny: record.model, .model)
        row.error = place(ofAny: record.error, .error)
        row.isStreaming = record.isStreaming
        row.firstToken = record.firstToken?.microseconds
        row.total = duration.microseconds
        row.fallback = place(ofAny: record.fallback, .fallback)
        if let story { row.story = place(of: story) }
        trace?.read { note($0, in: &row, arrival: arrival, upstreams, isRunning: isRunning) }
        append(row)
        return Spent(tokens: row.chargedTokens, cost: row.chargedCost)
    }

    private mutating func note(
        _ events: [RequestTrace.Event], in row: inout EntryRow, arrival: Duration, _ upstreams: UpstreamNames,
        isRunning: Bool
    ) {
        var wait = Duration.zero
        var bill = Bill()
        for index in events.indices {
            switch events[index] {
            case .waited(let duration, _): wait += duration
            case .began(let call, let report, let at):
                let end = events.end(of: call, from: index + 1)
                let attempt = attempt(
                    bill.attempts + 1, report, at: row.at + (at - arrival).microseconds, from: at, to: end,
                    upstreams, isRunning: isRunning)
                if case .succeeded? = end?.outcome {
                    (row.servedModel, row.upstream) = (attempt.model, attempt.upstream)
                }
                bill.add(attempt, to: &row)
                append(attempt)
            case .rescue(_, let result) where result == "attempted" && row.rescuedFrom.isNone:
                row.rescuedFrom = place(ofAny: events.broken(before: index), .rescuedFrom)
            case .ended, .passedOver, .paused, .refused, .succeeded, .fellBack, .gaveUp, .rescue: break
            }
        }
        row.wait = wait.microseconds
        row.cost = bill.cost(of: row)
    }

    /// - Parameter end: nil when its request ended without it.
    private mutating func attempt(
        _ number: Int, _ report: AttemptReport, at: Int64, from start: Duration,
        to end: (outcome: AttemptOutcome, at: Duration)?, _ upstreams: UpstreamNames,
        isRunning: Bool
    ) -> AttemptRow {
        var row = AttemptRow(
            number: number, at: at, upstream: place(of: report.call.upstream, .upstream),
            model: place(of: report.call.model, .calledModel),
            outcome: place(
                of: end?.outcome.word ?? (isRunning ? RequestStory.running : AttemptOutcome.abandoned.word), .outcome))
        row.isModelListed = report.call.pricing?.isListed == true
        row.region = place(ofAny: report.call.region, .region)
        row.candidates = place(ofCandidates: report.call.candidates) { upstreams.list($0) }
        guard let end else {
            // What is known of it so far is for who looks.
            if isRunning {
                report.read { content in
                    row.status = content.status.map(Int64.init)
                    if let id = content.opcRequestID { row.opcRequestID = place(of: id) }
                    row.firstToken = content.firstEvent.map { ($0 - start).microseconds }
                }
            }
            return row
        }
        row.total = (end.at - start).microseconds
        report.read { content in
            row.status = content.status.map(Int64.init)
            if let id = content.opcRequestID { row.opcRequestID = place(of: id) }
            row.firstToken = content.firstEvent.map { ($0 - start).microseconds }
            (row.usage, row.cost) = LedgerUsage.used(content, report, after: end.outcome)
        }
        return row
    }
}

/// Adds up the attempts of a request: what the client received, what all of it cost, and what the key is charged with.
private struct Bill {
    private(set) var attempts = 0
    private var isPriced = true
    private var hasUsedTokens = false

    mutating func add(_ attempt: AttemptRow, to row: inout EntryRow) {
        attempts += 1
        if let cost = attempt.cost { row.chargedCost += cost } else if attempt.mayHaveUsedTokens { isPriced = false }
        guard attempt.mayHaveUsedTokens else { return }
        if hasUsedTokens { row.usage.add(attempt.usage) } else { row.usage = attempt.usage }
        hasUsedTokens = true
        row.chargedTokens = (row.usage.prompt ?? 0) + (row.usage.completion ?? 0)
    }

    /// Nil when an attempt that used tokens has no known cost.
    func cost(of row: EntryRow) -> NanoDollars? { hasUsedTokens && isPriced ? row.chargedCost : nil }
}

extension RequestStory {
    /// The outcome of an attempt that is under way.
    static let running = "running"
}

extension RequestTrace {
    /// Tokens that the calls which have ended have used, as the ledger will have them.
    var tokensUsed: Int64 {
        let events = events
        var tokens: Int64 = 0
        for index in events.indices {
            guard case .began(let call, let report, _) = events[index],
                let end = events.end(of: call, from: index + 1)
            else { continue }
            for usage in LedgerUsage.ofCalls(report.content, report, after: end.outcome) {
                tokens += (usage.prompt ?? 0) + (usage.completion ?? 0)
            }
        }
        return tokens
    }
}

extension [RequestTrace.Event] {
    /// What has become of an attempt that has begun before `start`; nil while it is open. A call has one attempt at a time.
    fileprivate func end(of call: Int, from start: Int) -> (outcome: AttemptOutcome, at: Duration)? {
        for index in start..<count {
            switch self[index] {
            case .ended(call, let outcome, let at): return (outcome, at)
            case .began(call, _, _): return nil
            default: continue
            }
        }
        return nil
    }

    /// The upstream that had begun to answer and broken off before a rescue.
    fileprivate func broken(before rescue: Int) -> String? {
        var broken: String?
        for index in 0..<rescue {
            guard case .began(let call, let report, _) = self[index], report.content.firstEvent != nil,
                self[..<rescue].dropFirst(index + 1).contains(where: {
                    if case .ended(call, _, _) = $0 { true } else { false }
                })
            else { continue }
            broken = report.call.upstream
        }
        return broken
    }
}

extension LedgerUsage {
    /// Several calls of one request, or an answer that several upstreams have told. As little is known of it as of the least known.
    fileprivate mutating func add(_ other: LedgerUsage) {
        guard self != LedgerUsage() else {
            self = other
            return
        }
        func sum(_ left: Int64?, _ right: Int64?) -> Int64? {
            left == nil && right == nil ? nil : (left ?? 0) + (right ?? 0)
        }
        prompt = sum(prompt, other.prompt)
        completion = sum(completion, other.completion)
        cached = sum(cached, other.cached)
        cacheWrites = sum(cacheWrites, other.cacheWrites)
        reasoning = sum(reasoning, other.reasoning)
        charactersIn = sum(charactersIn, other.charactersIn)
        charactersOut = sum(charactersOut, other.charactersOut)
        truth = min(truth, other.truth)
    }
}

extension AttemptRow {
    /// The upstream has taken the request: whatever became of it, it may be charged (`AttemptReport.Content.mayBeCharged`).
    fileprivate var mayHaveUsedTokens: Bool {
        !usage.isUnknown || status.map { (200..<300).contains($0) } ?? false
    }
}

extension LedgerUsage {
    /// What an attempt has used and what that costs, as far as it is known.
    fileprivate static func used(
        _ content: borrowing AttemptReport.Content, _ report: AttemptReport, after outcome: AttemptOutcome
    ) -> (usage: LedgerUsage, cost: NanoDollars?) {
        guard !content.earlier.isEmpty else {
            let usage = LedgerUsage(content, report, after: outcome)
            return (usage, usage.isUnknown ? nil : report.call.pricing?.cost(of: usage))
        }
        let calls = ofCalls(content, report, after: outcome)
        var usage = LedgerUsage()
        var spent: NanoDollars? = calls.isEmpty ? nil : 0
        for one in calls {
            usage.add(one)
            // Each by itself: the length of a prompt may decide what it costs.
            if let known = spent, let more = report.call.pricing?.cost(of: one) {
                spent = known + more
            } else {
                spent = nil
            }
        }
        return (usage, spent)
    }

    /// What the calls of an attempt have used, as far as it is known: nearly always one.
    fileprivate static func ofCalls(
        _ content: borrowing AttemptReport.Content, _ report: AttemptReport, after outcome: AttemptOutcome
    ) -> [LedgerUsage] {
        let last = LedgerUsage(content, report, after: outcome)
        guard !content.earlier.isEmpty else { return last.truth > .unknown ? [last] : [] }
        let earlier = content.earlier.map { LedgerUsage($0, report, after: .failed) }
        return (earlier + [last]).filter { $0.truth > .unknown }
    }

    fileprivate init(_ content: borrowing AttemptReport.Content, _ report: AttemptReport, after outcome: AttemptOutcome)
    {
        self.init()
        if let told = content.usage {
            truth = .reported
            prompt = Int64(told.prompt)
            completion = Int64(told.completion)
            // Some tell at the beginning what they have used by then. What has broken off had gone further.
            if content.told.tokens > told.completion, outcome != .succeeded {
                (truth, completion) = (.estimated, Int64(content.told.tokens))
            }
            cached = told.cached.map(Int64.init)
            cacheWrites = told.cacheWrites.map(Int64.init)
            reasoning = told.reasoning.map(Int64.init)
        } else if report.call.estimate.isVague {
            // An upstream that was left before it could tell has worked all the same.
            if content.wasLeft(after: outcome) {
                let estimate = report.estimate
                truth = .estimated
                prompt = estimate.prompt
                completion = content.status == nil ? 0 : estimate.completion
            }
        } else if content.mayBeCharged(after: outcome), !report.call.estimate.isNone {
            // The upstream may have read the prompt, and said so much of its answer.
            truth = .estimated
            prompt = report.estimate.prompt
            completion = Int64(content.told.tokens)
        }
        if report.call.pricing?.isByCharacters == true { count(content, report, after: outcome) }
    }

    /// The count that costs is the proxy's own, whoever has counted tokens. What could not be measured is taken to have four a token, as in a reservation.
    private mutating func count(
        _ content: borrowing AttemptReport.Content, _ report: AttemptReport, after outcome: AttemptOutcome
    ) {
        guard let sent = report.call.estimate.characters, truth > .unknown || content.mayBeCharged(after: outcome)
        else { return }
        truth = .estimated
        charactersIn = sent
        guard !report.call.estimate.isVague else {
            charactersOut = 0
            return
        }
        charactersOut = content.told.characters.flatMap { $0 > 0 ? Int64($0) : nil } ?? (completion ?? 0) * 4
    }
}

extension AttemptOutcome {
    /// As the ledger has it.
    var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .abandoned: "abandoned"
        case .interrupted: "interrupted"
        case .refused: "refused"
        case .promptTooLong: "prompt_too_long"
        case .modelNotAllowed: "model_not_allowed"
        case .modelUnavailable: "model_unavailable"
        case .failed: "failed"
        case .unavailable: "unavailable"
        case .timedOut: "timed_out"
        case .outOfTime: "out_of_time"
        case .rateLimited: "rate_limited"
        case .unreachable: "unreachable"
        case .brokenOff: "broken_off"
        case .connectTimedOut: "connect_timed_out"
        case .credentialsRefused: "credentials_refused"
        case .credentialsDoubted: "credentials_doubted"
        case .accountExhausted: "account_exhausted"
        case .accountDoubted: "account_doubted"
        }
    }
}
