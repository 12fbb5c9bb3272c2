import NIOHTTP1
import ProxyAccounting
import ProxyRouting

/// `GET /why/{request-id}`: why a request went where it went, and what became of it.
struct WhyRoute: Sendable {
    let running: RunningRequests
    /// Where there is no ledger, those that have ended are in memory alone.
    let recent: RecentEntries
    let ledger: (any Ledger)?
    let upstreams: UpstreamNames
    let time: TimeSource

    nonisolated(nonsending) func answer(_ context: RequestContext) async throws -> Response {
        let id = context.rest ?? ""
        guard let found = try await story(of: id) else {
            throw Failure(
                .notFound(.request),
                "No request '\(id.quotable)' is known. The last \(RecentEntries.capacity) requests with a key are in memory, and older ones in the ledger for ledger_retention. The id is the answer's header x-request-id."
            )
        }
        return .unstored(StoryDocument(found.story, isRunning: found.isRunning, found.source).bytes)
    }

    private nonisolated(nonsending) func story(of id: String) async throws -> (
        story: RequestStory, isRunning: Bool, source: String
    )? {
        if let trace = running.trace(of: id) { return (trace.story(among: upstreams, at: time.now()), true, "memory") }
        if let story = recent.story(of: id) { return (story, false, "memory") }
        guard let ledger else { return nil }
        return try await LedgerRoute.reading { try await ledger.story(of: id) }.map { ($0, false, "ledger") }
    }
}

extension RequestTrace {
    /// The story so far of a request that runs.
    func story(among upstreams: UpstreamNames, at now: Duration) -> RequestStory {
        var record = AccessRecord(id: head.id, method: "POST", target: head.path)
        let question = question
        (record.model, record.isStreaming) = (question.model, question.isStreaming)
        record.take(summary, since: head.arrival)
        var page = EntryPage()
        _ = page.append(
            record, key: head.key, at: (head.path, head.label), self, story: storyEvents(), among: upstreams,
            arrivedAt: head.arrivedAt, arrival: head.arrival, duration: now - head.arrival, isRunning: true)
        return page.story(page.rows[0])
    }
}

extension RequestStory.Attempt {
    /// Its outcome speaks for asking another upstream.
    fileprivate var hasFailed: Bool {
        ![AttemptOutcome.succeeded.word, AttemptOutcome.abandoned.word, RequestStory.running].contains(outcome)
    }
}

/// A story as programs get it. The page draws it, and the command line tells it in words.
struct StoryDocument {
    private var writer = JSONWriter(capacity: 2048)

    var bytes: [UInt8] { writer.bytes }

    init(_ story: RequestStory, isRunning: Bool, _ source: String) {
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "request.story")
        writer.key("id")
        writer.string(story.id)
        writer.key("at")
        writer.string(RFC3339.format(story.at / 1_000_000))
        writer.key("source")
        writer.string(source)
        writer.key("running")
        writer.bool(isRunning)
        writer.key("path")
        writer.string(story.endpoint)
        for (name, text) in [
            ("key", story.key as String?), ("dialect", story.dialect), ("model", story.model?.quotable),
            ("served_model", story.servedModel?.quotable), ("upstream", story.upstream), ("error", story.error),
            ("fallback", story.fallback?.quotable), ("rescued", story.rescuedFrom),
        ] {
            writer.key(name)
            writer.text(text)
        }
        writer.key("stream")
        writer.bool(story.isStreaming)
        writer.key("status")
        if isRunning { writer.null() } else { writer.int(story.status) }
        writer.key("client_left")
        writer.bool(story.status == 499)
        for (name, time) in [
            ("wait_ms", story.wait as Int64?), ("first_token_ms", story.firstToken), ("total_ms", story.total),
        ] {
            writer.key(name)
            writer.number(time)
        }
        usage(story.usage, story.cost)
        writer.key("events")
        writer.beginArray()
        events(of: story)
        writer.endArray()
        writer.endObject()
    }

    private mutating func usage(_ usage: LedgerUsage, _ cost: NanoDollars?) {
        for (name, count) in [
            ("tokens_prompt", usage.prompt), ("tokens_completion", usage.completion), ("tokens_cached", usage.cached),
            ("tokens_reasoning", usage.reasoning), ("cost_nano_usd", cost),
        ] {
            writer.key(name)
            writer.count(count)
        }
        writer.key("truth")
        writer.string(usage.truth.name)
    }

    /// Attempts in the place of their numbers, each behind those who could have been asked as well.
    private mutating func events(of story: RequestStory) {
        guard let text = story.events, let list = try? JSONDocument(parsing: text).root, list.kind == .array else {
            for attempt in story.attempts { self.attempt(attempt, call: 0, told: [], in: story) }
            return
        }
        // Those of each call that the next attempt need not tell again.
        var told: [Int: Set<String>] = [:]
        for event in list.elements {
            let call = event["call"]?.int ?? 0
            switch event["type"]?.string {
            case "attempt":
                let number = event["number"]?.int ?? 0
                if let attempt = story.attempts.first(where: { $0.number == number }) {
                    self.attempt(attempt, call: call, told: told[call] ?? [], in: story)
                }
                told[call] = nil
            case "passed_over":
                told[call, default: []].formUnion(event["upstreams"]?.elements.compactMap { $0["id"]?.string } ?? [])
                writer.raw(event.raw)
            default: writer.raw(event.raw)
            }
        }
    }

    private mutating func attempt(
        _ attempt: RequestStory.Attempt, call: Int, told: Set<String>, in story: RequestStory
    ) {
        let others = (attempt.candidates ?? "").split(separator: ",").map(String.init).filter {
            $0 != attempt.upstream && !told.contains($0)
        }
        if !others.isEmpty { notChosen(others, before: attempt, call: call, in: story) }
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "attempt")
        writer.key("call")
        writer.int(call)
        writer.key("number")
        writer.int(attempt.number)
        for (name, text) in [
            ("upstream", attempt.upstream as String?), ("model", attempt.model.quotable), ("region", attempt.region),
            ("outcome", attempt.outcome), ("opc_request_id", attempt.opcRequestID),
        ] {
            writer.key(name)
            writer.text(text)
        }
        writer.key("status")
        writer.count(attempt.status)
        let start = attempt.at - story.at
        let isOpen = attempt.outcome == RequestStory.running
        for (name, time) in [
            ("start_ms", start as Int64?), ("end_ms", isOpen ? nil : start + attempt.total),
            ("first_token_ms", attempt.firstToken.map { start + $0 }),
        ] {
            writer.key(name)
            writer.number(time)
        }
        usage(attempt.usage, attempt.cost)
        writer.endObject()
    }

    /// Those that were well, and that the strategy did not choose, or that had failed the request before.
    private mutating func notChosen(
        _ others: [String], before attempt: RequestStory.Attempt, call: Int, in story: RequestStory
    ) {
        writer.beginObject()
        writer.key("type")
        writer.string(literal: "passed_over")
        writer.key("call")
        writer.int(call)
        writer.key("upstreams")
        writer.beginArray()
        for id in others {
            let hasFailed = story.attempts.contains { other in
                other.upstream == id && other.hasFailed && other.at + other.total <= attempt.at
            }
            writer.beginObject()
            writer.key("id")
            writer.string(id)
            writer.key("of_model")
            writer.bool(false)
            writer.key("reason")
            writer.string(hasFailed ? "has_failed" : "not_chosen")
            writer.key("until")
            writer.null()
            writer.key("text")
            writer.string(
                hasFailed ? "has failed this request before" : "was available; the strategy chose another one")
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}
