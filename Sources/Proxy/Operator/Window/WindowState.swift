import ProxyAccounting
import ProxyCluster
import ProxyRouting

/// What the operator's page shows of one moment, as JSON in parts: a part that has not changed need not be sent again.
struct WindowState: Sendable {
    /// The members of the document, in order, each with its value.
    private(set) var parts: [(name: String, value: [UInt8])] = []
    /// The element of each upstream, in order.
    private(set) var upstreams: [(id: String, value: [UInt8])] = []

    fileprivate mutating func add(_ name: String, _ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        parts.append((name, writer.bytes))
    }

    fileprivate mutating func add(upstream id: String, _ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 1024)
        write(&writer)
        upstreams.append((id, writer.bytes))
    }
}

/// Puts the state together. It costs something when somebody looks, and nothing else.
struct WindowSource: Sendable {
    let mode: String
    let strategy: String
    let version: String
    /// Seconds since 1970.
    let startedAt: Int64
    let accountList: AccountList
    let router: Router
    let directory: ModelDirectory
    let running: RunningRequests
    let recent: @Sendable () -> [RequestStory]
    let ledger: @Sendable () -> LedgerFigures?
    let alerts: @Sendable () -> [RaisedAlert]
    let warnings: [String]
    /// How this instance stands with others; nil where there are none.
    var cluster: @Sendable () -> ClusterStatus.Facts? = { nil }
    let drain: Drain

    private static let mostRequests = 100
    private var time: TimeSource { router.time }

    func state() async -> WindowState {
        let snapshot = await router.snapshot()
        let wallClock = time.wallMicroseconds()
        var state = WindowState()
        state.add("at") { $0.string(RFC3339.format(wallClock / 1_000_000)) }
        state.add("version") { $0.string(version) }
        state.add("mode") { $0.string(mode) }
        state.add("strategy") { $0.string(strategy) }
        state.add("started_at") { $0.string(RFC3339.format(startedAt)) }
        let views = Self.standings(of: accountList, in: snapshot)
        let enabled = views.filter { $0.word != .disabled }
        let serving = enabled.count { $0.word.isServing }
        // One that is asked on trial, or some of whose models are not asked, is not well yet.
        let isDegraded =
            serving < enabled.count
            || enabled.contains { view in
                view.word == .halfOpen || view.state.unwell(at: snapshot.at).contains { $0.breaker != .closed }
            }
        state.add("draining") { $0.bool(drain.isDraining) }
        state.add("level") { writer in
            writer.string(
                drain.isDraining
                    ? "draining"
                    : enabled.isEmpty
                        ? "empty" : serving == 0 ? "down" : isDegraded ? "degraded" : "ok")
        }
        state.add("serving") { $0.int(serving) }
        state.add("total") { $0.int(enabled.count) }
        state.add("totals") { totals(snapshot, &$0) }
        state.add("running") { running(&$0) }
        state.add("recent") { recent(&$0) }
        state.add("ledger") { ledger(&$0) }
        state.add("alerts") { writer in
            writer.beginArray()
            for alert in alerts().prefix(20) { alert.write(to: &writer) }
            writer.endArray()
        }
        state.add("warnings") { writer in
            writer.beginArray()
            for warning in warnings { writer.string(warning) }
            writer.endArray()
        }
        state.add("cluster") { cluster(&$0) }
        let catalog = directory.catalog
        for view in views { state.add(upstream: view.id) { write(view, catalog, snapshot, wallClock, &$0) } }
        return state
    }

    // MARK: The whole

    private func totals(_ snapshot: Router.Snapshot, _ writer: inout JSONWriter) {
        var (requests, failed, prompt, completion) = (0, 0, 0, 0)
        for (_, state) in snapshot.upstreams(of: accountList) {
            requests += state.statistics.requests
            failed += state.statistics.failed
            prompt &+= state.statistics.promptTokens
            completion &+= state.statistics.completionTokens
        }
        writer.beginObject()
        for (name, value) in [
            ("in_flight", snapshot.permits.inUse), ("max_concurrency", snapshot.permits.limit),
            ("queue_depth", snapshot.waiting), ("queue_limit", snapshot.queueLimit), ("requests_total", requests),
            ("requests_failed", failed), ("tokens_prompt", prompt), ("tokens_completion", completion),
            ("running", running.count),
        ] {
            writer.key(name)
            writer.int(value)
        }
        writer.endObject()
    }

    private func cluster(_ writer: inout JSONWriter) {
        guard let facts = cluster() else { return writer.null() }
        writer.beginObject()
        writer.key("state")
        writer.string(facts.word)
        writer.key("problem")
        writer.text(facts.problem)
        writer.key("count")
        writer.int(facts.instances)
        writer.key("instances")
        writer.beginArray()
        for one in facts.roster {
            writer.beginObject()
            writer.key("id")
            writer.string(one.instance)
            writer.key("name")
            writer.string(one.news.name)
            writer.key("is_this")
            writer.bool(one.instance == facts.instance)
            writer.key("status")
            writer.string(one.news.state)
            writer.key("version")
            writer.string(one.news.version)
            writer.key("started_at")
            writer.string(RFC3339.format(one.news.startedAt / 1_000))
            writer.key("in_flight")
            writer.int(one.news.inFlight)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private func ledger(_ writer: inout JSONWriter) {
        let figures = ledger()
        writer.beginObject()
        writer.key("on")
        writer.bool(figures != nil)
        for (name, value) in [("pending", figures?.pending), ("dropped", figures?.dropped)] {
            writer.key(name)
            writer.int(value ?? 0)
        }
        writer.key("problem")
        writer.text(figures?.problem)
        writer.endObject()
    }

    // MARK: Requests

    private func running(_ writer: inout JSONWriter) {
        writer.beginArray()
        for trace in running.all.prefix(Self.mostRequests) {
            let (question, head) = (trace.question, trace.head)
            let now = trace.progress
            writer.beginObject()
            writer.key("id")
            writer.string(head.id)
            writer.key("at")
            writer.moment(head.arrivedAt / 1_000_000)
            writer.key("path")
            writer.string(head.path)
            writer.key("key")
            writer.string(head.key)
            writer.key("model")
            writer.text(question.model?.quotable)
            writer.key("upstream")
            writer.text(now.upstream)
            writer.key("stream")
            writer.bool(question.isStreaming)
            writer.key("attempts")
            writer.int(now.attempts)
            writer.key("first_token_ms")
            writer.number(now.firstEvent.map { ($0 - head.arrival).microseconds })
            writer.key("phase")
            writer.string(now.phase.rawValue)
            // As its upstream has told them so far: its own count comes at the end.
            writer.key("tokens")
            writer.int(now.tokens)
            writer.endObject()
        }
        writer.endArray()
    }

    private func recent(_ writer: inout JSONWriter) {
        writer.beginArray()
        for story in recent().prefix(Self.mostRequests) {
            writer.beginObject()
            writer.key("id")
            writer.string(story.id)
            writer.key("at")
            writer.moment(story.at / 1_000_000)
            writer.key("path")
            writer.string(story.endpoint)
            writer.key("key")
            writer.string(story.key)
            for (name, text) in [
                ("model", story.model?.quotable), ("upstream", story.upstream ?? story.attempts.last?.upstream),
                ("error", story.error), ("fallback", story.fallback?.quotable),
            ] {
                writer.key(name)
                writer.text(text)
            }
            writer.key("stream")
            writer.bool(story.isStreaming)
            writer.key("status")
            writer.int(story.status)
            writer.key("attempts")
            writer.int(story.attempts.count)
            writer.key("first_token_ms")
            writer.number(story.firstToken)
            writer.key("total_ms")
            writer.number(story.total)
            writer.key("tokens_prompt")
            writer.count(story.usage.prompt)
            writer.key("tokens_completion")
            writer.count(story.usage.completion)
            writer.key("cost_nano_usd")
            writer.count(story.cost)
            writer.key("rescued")
            writer.bool(story.rescuedFrom != nil)
            writer.endObject()
        }
        writer.endArray()
    }

    // MARK: Upstreams

    /// How one upstream does, in a word.
    enum Word: String, Sendable {
        case ready, full, cooling, open, unhealthy, disabled, unusable
        case halfOpen = "half_open"

        /// It may be asked now, or as soon as a permit comes back.
        var isServing: Bool { self == .ready || self == .full || self == .halfOpen }
    }

    /// One upstream of the configuration, as it does at a moment.
    struct Standing {
        var id: String
        var kind: BackendKind
        var region: String?
        var endpoint: String?
        var word: Word
        var until: Duration?
        var state: UpstreamState
        var place: Int?
        var problem: String?
    }

    /// All of them, in the order of the file.
    static func standings(of accountList: AccountList, in snapshot: Router.Snapshot) -> [Standing] {
        accountList.entries.map { entry in
            switch entry {
            case .serving(let place):
                let (upstream, state) = snapshot.upstreams[place]
                let (word, until) = word(of: state, at: snapshot.at)
                return Standing(
                    id: upstream.id, kind: upstream.backend.kind, region: upstream.backend.region,
                    endpoint: upstream.backend.endpoint, word: word, until: until, state: state, place: place)
            case .idle(let account):
                return Standing(
                    id: account.id, kind: .oci, region: account.region, endpoint: account.endpoint,
                    word: account.isEnabled ? .unusable : .disabled,
                    state: UpstreamState(maxConcurrency: account.maxConcurrency, breaker: CircuitBreaker.Settings()),
                    problem: account.problem)
            }
        }
    }

    /// Its models' state is its own where all of them that are asked for rest.
    private static func word(of state: UpstreamState, at now: Duration) -> (Word, until: Duration?) {
        if !state.health.isHealthy { return (.unhealthy, nil) }
        let condition = state.condition(at: now)
        if let until = condition.coolingUntil { return (.cooling, until) }
        switch condition.breaker {
        case .open: return (.open, condition.retryAt)
        case .halfOpen: return (.halfOpen, nil)
        case .closed: return (state.permits.hasRoom ? .ready : .full, nil)
        }
    }

    private func write(
        _ view: Standing, _ catalog: ModelCatalog, _ snapshot: Router.Snapshot, _ wallClock: Int64,
        _ writer: inout JSONWriter
    ) {
        let state = view.state
        let statistics = state.statistics
        var pieces = StatisticsWriter(snapshot: snapshot, wallMicroseconds: wallClock)
        pieces.json = writer
        pieces.json.beginObject()
        pieces.identity(
            id: view.id, kind: view.kind, region: view.region, endpoint: view.endpoint,
            isEnabled: view.word != .disabled, isHealthy: state.health.isHealthy,
            weight: view.place.map { snapshot.settings[$0].weight } ?? 1, maxConcurrency: state.permits.limit)
        pieces.figures(of: state, models: [], problem: view.problem)
        pieces.json.key("model_count")
        pieces.json.int(view.place.map { catalog.names(at: $0).count } ?? 0)
        pieces.json.key("state")
        pieces.json.string(view.word.rawValue)
        pieces.json.key("until")
        pieces.instant(view.until)
        pieces.json.key("rate_limited_last_minute")
        pieces.json.int(statistics.rateLimitedLately(at: snapshot.at))
        pieces.json.key("tokens_per_second")
        if let pace = statistics.outputPace.tokensPerSecond {
            pieces.json.double((pace * 10).rounded() / 10)
        } else {
            pieces.json.null()
        }
        // What is known of its models together is what it takes.
        pieces.json.key("learnt_limit")
        pieces.json.count(state.learntLimit(at: snapshot.at).map(Int64.init))
        pieces.json.endObject()
        writer = pieces.json
    }
}

extension UpstreamState {
    /// Requests that it takes at once, as its throttles have taught: the sum over its models. Nil while others of its models are asked, of which nothing
    /// has been learnt, and when the sum is no less than what is allowed.
    fileprivate func learntLimit(at now: Duration) -> Int? {
        let limited = unwell(at: now, atMost: .max).filter { $0.adaptiveLimit != nil }
        guard !limited.isEmpty else { return nil }
        let sum = limited.reduce(0) { $0 + ($1.adaptiveLimit ?? 0) }
        let known = limited.reduce(0) { $0 + $1.inFlight }
        return known == permits.inUse && sum < permits.limit ? sum : nil
    }
}

extension RequestTrace {
    /// How far a request has come that runs.
    struct Progress: Sendable {
        enum Phase: String, Sendable { case reading, queued, calling, answering }
        var phase = Phase.reading
        var upstream: String?
        var attempts = 0
        var firstEvent: Duration?
        /// Of the attempt that runs.
        var tokens = 0
    }

    var progress: Progress {
        var progress = Progress()
        if question.model != nil { progress.phase = .queued }
        for event in events {
            guard case .began(_, let report, _) = event else {
                if case .ended = event { progress.phase = .queued }
                continue
            }
            progress.attempts += 1
            progress.upstream = report.call.upstream
            report.read { content in
                progress.firstEvent = content.firstEvent
                progress.tokens = content.told.tokens
            }
            progress.phase = progress.firstEvent == nil ? .calling : .answering
        }
        return progress
    }
}

extension JSONWriter {
    /// A text, or null.
    mutating func text(_ text: String?) { if let text { string(text) } else { null() } }

    /// A count, or null where it is not known.
    mutating func count(_ value: Int64?) { if let value { int(Int(value)) } else { null() } }

    /// Microseconds, as milliseconds; or null.
    mutating func number(_ microseconds: Int64?) {
        if let microseconds { double(Double(microseconds) / 1000) } else { null() }
    }
}
