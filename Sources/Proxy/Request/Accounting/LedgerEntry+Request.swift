import ProxyAccounting
import ProxyRouting

/// From what is known of a request that has ended to its row in the ledger, with the prices of that time.
extension LedgerEntry {
    /// - Parameters:
    ///   - arrivedAt: microseconds since 1970, at `arrival` of the monotonic clock.
    ///   - duration: from arrival to the end.
    static func of(
        _ record: AccessRecord, _ caller: Caller, at endpoint: (path: String, dialect: String),
        _ events: [RequestTrace.Event], arrivedAt: Int64, arrival: Duration, duration: Duration
    ) -> LedgerEntry {
        var entry = LedgerEntry(
            id: record.id, at: arrivedAt, key: caller.name, dialect: endpoint.dialect, endpoint: endpoint.path,
            status: record.finalStatus)
        entry.model = record.model
        entry.error = record.error
        entry.isStreaming = record.isStreaming
        entry.firstToken = record.firstToken?.microseconds
        entry.total = duration.microseconds
        entry.fallback = record.fallback
        entry.note(events, arrivedAt: arrivedAt, arrival: arrival)
        entry.charge()
        return entry
    }

    private mutating func note(_ events: [RequestTrace.Event], arrivedAt: Int64, arrival: Duration) {
        var wait = Duration.zero
        for index in events.indices {
            switch events[index] {
            case .waited(let duration, _): wait += duration
            case .began(let call, let upstream, let report, let at):
                let end = events.end(of: call, from: index + 1)
                let attempt = LedgerAttempt(
                    number: attempts.count + 1, at: arrivedAt + (at - arrival).microseconds, upstream,
                    report, from: at, to: end)
                if end?.outcome == .succeeded { (servedModel, self.upstream) = (attempt.model, upstream) }
                attempts.append(attempt)
            case .rescue(_, let result) where result == "attempted":
                rescuedFrom = rescuedFrom ?? events.broken(before: index)
            case .ended, .passedOver, .paused, .refused, .fellBack, .gaveUp, .rescue: break
            }
        }
        self.wait = wait.microseconds
    }

    /// What the client received, what all of it cost, and what the key is charged with.
    private mutating func charge() {
        if attempts.count == 1 {
            let mayHaveUsedTokens = attempts[0].mayHaveUsedTokens
            if mayHaveUsedTokens { (usage, cost) = (attempts[0].usage, attempts[0].cost) }
            chargedTokens = (usage.prompt ?? 0) + (usage.completion ?? 0)
            chargedCost = cost ?? 0
            return
        }
        var isPriced = true
        var spent: NanoDollars = 0
        for attempt in attempts {
            if let cost = attempt.cost { spent += cost } else if attempt.mayHaveUsedTokens { isPriced = false }
            guard attempt.mayHaveUsedTokens else { continue }
            usage.add(attempt.usage)
        }
        if attempts.contains(where: \.mayHaveUsedTokens) { cost = isPriced ? spent : nil }
        chargedTokens = (usage.prompt ?? 0) + (usage.completion ?? 0)
        chargedCost = spent
    }
}

extension RequestTrace {
    /// Tokens that the calls which have ended have used, as the ledger will have them.
    var tokensUsed: Int64 {
        let events = events
        var tokens: Int64 = 0
        for index in events.indices {
            guard case .began(let call, _, let report, _) = events[index],
                let end = events.end(of: call, from: index + 1)
            else { continue }
            for usage in LedgerUsage.ofCalls(report.content, report.call, after: end.outcome) {
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
            case .began(call, _, _, _): return nil
            default: continue
            }
        }
        return nil
    }

    /// The upstream that had begun to answer and broken off before a rescue.
    fileprivate func broken(before rescue: Int) -> String? {
        var broken: String?
        for index in 0..<rescue {
            guard case .began(let call, let upstream, let report, _) = self[index], report.content.firstEvent != nil,
                self[..<rescue].dropFirst(index + 1).contains(where: {
                    if case .ended(call, _, _) = $0 { true } else { false }
                })
            else { continue }
            broken = upstream
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

extension LedgerAttempt {
    /// The upstream has taken the request: whatever became of it, it may be charged (`AttemptReport.Content.mayBeCharged`).
    fileprivate var mayHaveUsedTokens: Bool {
        usage.truth != .unknown || status.map { (200..<300).contains($0) } ?? false
    }

    /// - Parameter end: nil when its request ended without it.
    fileprivate init(
        number: Int, at: Int64, _ upstream: String, _ report: AttemptReport, from start: Duration,
        to end: (outcome: AttemptOutcome, at: Duration)?
    ) {
        let call = report.call
        guard let end else {
            self.init(
                number: number, at: at, upstream: upstream, model: call.model,
                isModelListed: call.pricing?.isListed == true,
                region: call.region, outcome: AttemptOutcome.abandoned.word, total: 0)
            return
        }
        let content = report.content
        let used = LedgerUsage.used(content, call, after: end.outcome)
        self.init(
            number: number, at: at, upstream: upstream, model: call.model,
            isModelListed: call.pricing?.isListed == true,
            region: call.region, outcome: end.outcome.word, status: content.status, opcRequestID: content.opcRequestID,
            firstToken: content.firstEvent.map { ($0 - start).microseconds }, total: (end.at - start).microseconds,
            usage: used.usage, cost: used.cost)
    }
}

extension LedgerUsage {
    /// What an attempt has used and what that costs, as far as it is known.
    fileprivate static func used(
        _ content: AttemptReport.Content, _ call: AttemptReport.Call, after outcome: AttemptOutcome
    ) -> (usage: LedgerUsage, cost: NanoDollars?) {
        guard !content.earlier.isEmpty else {
            let usage = LedgerUsage(content, call, after: outcome)
            return (usage, usage.truth == .unknown ? nil : call.pricing?.price?.cost(of: usage))
        }
        let calls = ofCalls(content, call, after: outcome)
        var usage = LedgerUsage()
        var spent: NanoDollars? = calls.isEmpty ? nil : 0
        for one in calls {
            usage.add(one)
            // Each by itself: the length of a prompt may decide what it costs.
            if let known = spent, let more = call.pricing?.price?.cost(of: one) {
                spent = known + more
            } else {
                spent = nil
            }
        }
        return (usage, spent)
    }

    /// What the calls of an attempt have used, as far as it is known: nearly always one.
    fileprivate static func ofCalls(
        _ content: AttemptReport.Content, _ call: AttemptReport.Call, after outcome: AttemptOutcome
    ) -> [LedgerUsage] {
        let last = LedgerUsage(content, call, after: outcome)
        guard !content.earlier.isEmpty else { return last.truth > .unknown ? [last] : [] }
        let earlier = content.earlier.map { LedgerUsage($0, call, after: .failed) }
        return (earlier + [last]).filter { $0.truth > .unknown }
    }

    fileprivate init(
        _ content: AttemptReport.Content, _ call: AttemptReport.Call, after outcome: AttemptOutcome
    ) {
        self.init()
        if let told = content.usage {
            truth = .reported
            prompt = Int64(told.prompt)
            completion = Int64(told.completion)
            // Some tell at the beginning what they have used by then. What has broken off had gone further.
            if outcome != .succeeded, content.told.tokens > told.completion {
                (truth, completion) = (.estimated, Int64(content.told.tokens))
            }
            cached = told.cached.map(Int64.init)
            cacheWrites = told.cacheWrites.map(Int64.init)
            reasoning = told.reasoning.map(Int64.init)
        } else if call.estimate.isVague {
            // An upstream that was left before it could tell has worked all the same.
            if content.wasLeft(after: outcome) {
                let estimate = call.estimate.value
                truth = .estimated
                prompt = estimate.prompt
                completion = content.status == nil ? 0 : estimate.completion
            }
        } else if content.mayBeCharged(after: outcome), !call.estimate.isNone {
            // The upstream may have read the prompt, and said so much of its answer.
            truth = .estimated
            prompt = call.estimate.value.prompt
            completion = Int64(content.told.tokens)
        }
        guard let sent = call.estimate.characters, truth > .unknown || content.mayBeCharged(after: outcome) else {
            return
        }
        // The count that costs is the proxy's own, whoever has counted tokens. What could not be measured is taken to have four a token, as in a reservation.
        truth = .estimated
        charactersIn = sent
        guard !call.estimate.isVague else {
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
