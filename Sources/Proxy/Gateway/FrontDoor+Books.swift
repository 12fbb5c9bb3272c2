import Logging
import NIOHTTP1
import ProxyAccounting
import ProxyRouting
import ProxyTelemetry

/// What a request has used is written down, and charged to its key.
extension FrontDoor {
    /// By what people find a request again.
    func heading(_ verdict: Admission.Verdict, _ id: String, _ now: Duration, _ wallClock: Int64) -> RequestTrace.Head {
        guard case .admitted(let match, let caller?) = verdict else {
            return RequestTrace.Head(id: id, arrival: now, arrivedAt: wallClock)
        }
        return RequestTrace.Head(
            id: id, arrival: now, arrivedAt: wallClock, path: match.endpoint.path, label: match.endpoint.label,
            key: caller.name)
    }

    /// The trace of a request for a model, where somebody traces: also of one that is refused.
    func start(_ tracing: Tracing, _ head: HTTPRequestHead, at endpoint: Endpoint?) -> TraceStart? {
        guard endpoint?.isBooked == true else { return nil }
        let parents = head.headers["traceparent"]
        let states = head.headers["tracestate"]
        return tracing.start(
            parents.count == 1 ? parents[0] : nil, states.isEmpty ? nil : states.joined(separator: ","),
            mode: traceParent)
    }

    /// A request that was refused by its head. Who has no key is no business of a collector's.
    func trace(_ record: AccessRecord, of head: HTTPRequestHead, _ caller: Caller, at endpoint: Endpoint) {
        guard let tracing, let start = start(tracing, head, at: endpoint) else { return }
        let place = RequestTrace.Head(
            id: record.id, arrival: time.now(), arrivedAt: time.wallMicroseconds(), path: endpoint.path,
            label: endpoint.label, key: caller.name)
        tracing.record(
            record, RequestTrace(place, start: start), at: (endpoint.path, endpoint.label), duration: .zero)
    }

    /// Whether a request of a key is told of or charged: unless it asks the proxy about itself.
    func isBooked(_ caller: Caller, at endpoint: Endpoint) -> Bool {
        endpoint.isBooked && (recorder != nil || caller.isCounted)
    }

    /// What a request is for, also where it is refused.
    func endpoint(of verdict: Admission.Verdict, _ head: HTTPRequestHead) -> Endpoint? {
        if case .admitted(let match, _) = verdict { return match.endpoint }
        return endpoints.match(head.uri)?.endpoint
    }

    /// What a request takes of what its key may use, where that is limited.
    ///
    /// - Parameter arrivedAt: microseconds since 1970.
    func charge(of caller: Caller, arrivedAt: Int64) -> RequestCharge? {
        caller.isCounted ? RequestCharge(caller, time: time, arrival: arrivedAt / 1_000_000) : nil
    }

    /// Writes down what the request has used, and charges the key with it.
    func book(
        _ record: AccessRecord, _ caller: Caller, _ charge: RequestCharge?, at endpoint: Endpoint,
        _ trace: RequestTrace?, arrivedAt: Int64, arrival: Duration = .zero, duration: Duration = .zero
    ) {
        caller.account.wasUsed(at: arrivedAt / 1_000_000)
        // Before the page is lent: its thread's others wait meanwhile.
        let story = trace?.storyEvents()
        func rows(in page: inout EntryPage) -> Spent {
            page.append(
                record, key: caller.name, at: (endpoint.path, endpoint.label), trace, story: story, among: upstreams,
                arrivedAt: arrivedAt, arrival: arrival, duration: duration)
        }
        var spent = Spent()
        if let recorder {
            recorder.record { spent = rows(in: &$0) }
        } else {
            var page = EntryPage()
            spent = rows(in: &page)
        }
        guard let charge else {
            guard hasLedger else { return }
            return caller.account.charge(tokens: spent.tokens, cost: spent.cost, arrivedAt / 1_000_000)
        }
        for budget in charge.settle(tokens: spent.tokens, cost: spent.cost) {
            logger.warning(
                "A soft budget is exceeded", metadata: ["key": "\(caller.name)", "budget": "\(budget.sentence)"])
            alerts?.raise(
                Alert(
                    kind: .budgetSoft, subject: caller.name,
                    message: "The key \(caller.name) has exceeded a soft budget: \(budget.sentence)",
                    figures: [
                        ("budget", .text(BudgetText.text(budget.budget))), ("limit", .number(Int(budget.limit))),
                        ("spent", .number(Int(budget.spent))),
                    ]))
        }
    }

    /// A key is refused for its hard budget.
    func tell(_ caller: Caller, _ failure: Failure) {
        alerts?.raise(
            Alert(
                kind: .budgetHard, subject: caller.name,
                message: "The key \(caller.name) is refused: \(failure.message)"))
    }
}
