import NIOCore
import NIOHTTP1
import ProxyAccounting
import ProxyRouting
import ProxyTelemetry

/// `GET /metrics`: the statistics in Prometheus's text format, made out of the same snapshot as the `/stats` pages.
///
/// Labels are ids of accounts, names of client keys, routes and statuses: all from the configuration or from short lists, none from a client.
struct MetricsRoute: Sendable {
    let router: Router
    let accountList: AccountList
    let process: ProcessFigures
    let counters: RequestCounters
    let rates: RequestRates
    /// Log lines that were dropped since the start.
    var droppedLines: @Sendable () -> Int = { 0 }
    var claims = RequestClaims()
    /// `max_body_memory`.
    var bodyMemory = 0
    var rescues = RescueCounters()
    /// Of the ledger; nil where there is none.
    var ledger: @Sendable () -> LedgerFigures? = { nil }
    /// Models whose end is known, and when it is: seconds since 1970.
    var retiring: @Sendable () -> [(model: String, at: Int64)] = { [] }
    /// Nil where nobody traces.
    var spans: @Sendable () -> ExportFigures? = { nil }
    /// How it stands with other instances; nil where there are none.
    var cluster: @Sendable () -> ClusterStatus.Facts? = { nil }

    func answer() async -> Response {
        let snapshot = await router.snapshot()
        var text = PrometheusText()
        text.family("ociai_build_info", .gauge, "Always 1, with the version as a label.")
        text.sample(["version": ProxyVersion.current], 1)
        text.family(
            "ociai_http_requests_total", .counter,
            "Finished client requests by route and status (499: client disconnected).")
        for (key, count) in counters.all { text.sample(["route": key.route, "status": "\(key.status)"], count) }
        text.family(
            "ociai_rate_limited_total", .counter,
            "Requests rejected by rate_limit, by key name.")
        for (key, count) in rates.refused { text.sample(["key": key], count) }
        bodies(&text)
        models(&text)
        traces(&text)
        proxy(snapshot, &text)
        attempts(snapshot, &text)
        states(snapshot, &text)
        text.family(
            "ociai_rescue_total", .counter, "Streams that broke off, and what became of going on with them, by model.")
        for (model, result, count) in rescues.all { text.sample(["model": model, "result": result.rawValue], count) }
        if let figures = ledger() { write(figures, to: &text) }
        if let facts = cluster() { write(facts, to: &text) }
        text.family(
            "ociai_log_dropped_total", .counter,
            "Log lines dropped because the log output was too slow.")
        text.sample(droppedLines())
        text.family(
            "ociai_clock_gaps_total", .counter,
            "Times that the process was suspended or got no CPU time for more than one second.")
        text.sample(router.time.gaps)
        process.write(to: &text)
        return Response(
            status: .ok, headers: ["content-type": "text/plain; version=0.0.4; charset=utf-8"],
            body: ByteBuffer(string: text.text))
    }

    private func write(_ figures: LedgerFigures, to text: inout PrometheusText) {
        text.family("ociai_ledger_written_total", .counter, "Requests written to the ledger.")
        text.sample(figures.written)
        text.family(
            "ociai_ledger_dropped_total", .counter,
            "Requests lost to the ledger, because the disk was full, failed, or did not answer.")
        text.sample(figures.dropped)
        text.family(
            "ociai_ledger_folded_total", .counter,
            "Refused requests that are counted in the row of another, because there were many like them.")
        text.sample(figures.folded)
        text.family("ociai_ledger_pending", .gauge, "Requests waiting to be written to the ledger.")
        text.sample(figures.pending)
        text.family(
            "ociai_ledger_documents_dropped_total", .counter,
            "Stored responses and other documents lost to the ledger.")
        text.sample(figures.documentsDropped)
        text.family(
            "ociai_ledger_failing", .gauge,
            "1 while the ledger cannot be written, or its disk has not answered for 5 s.")
        text.sample(figures.problem == nil ? 0 : 1)
    }

    private func write(_ facts: ClusterStatus.Facts, to text: inout PrometheusText) {
        text.family(
            "ociai_shared_state", .gauge,
            "1 while limits are shared with other instances, 0 while this one has a part of each.")
        text.sample(facts.isShared ? 1 : 0)
        text.family("ociai_shared_state_instances", .gauge, "Instances that limits are divided among.")
        text.sample(facts.instances)
        text.family(
            "ociai_shared_state_exchanges_total", .counter, "Exchanges with the shared state's engine, by outcome.")
        text.sample(["outcome": "answered"], facts.exchanges)
        text.sample(["outcome": "failed"], facts.failures)
    }

    private func models(_ text: inout PrometheusText) {
        text.family(
            "ociai_model_retires_seconds", .gauge,
            "When the model retires, in seconds since 1970, as its upstream says. Models that stay have no sample.")
        for (model, at) in retiring() { text.sample(["model": model], Int(at)) }
    }

    private func traces(_ text: inout PrometheusText) {
        guard let figures = spans() else { return }
        text.family("ociai_spans_exported_total", .counter, "Spans that a collector has taken.")
        text.sample(figures.exported)
        text.family("ociai_spans_dropped_total", .counter, "Spans that no collector has got, by reason.")
        for reason in ExportFigures.Reason.allCases {
            text.sample(["reason": reason.rawValue], figures.dropped[reason] ?? 0)
        }
    }

    private func bodies(_ text: inout PrometheusText) {
        let refusals = claims.refusals
        text.family(
            "ociai_body_memory_bytes", .gauge, "Memory reserved for request bodies, in bytes."
        )
        text.sample(claims.bytes)
        text.family(
            "ociai_body_memory_limit_bytes", .gauge,
            "Limit of the memory reserved for request bodies (max_body_memory), in bytes.")
        text.sample(bodyMemory)
        text.family(
            "ociai_body_memory_refused_total", .counter,
            "Requests rejected by max_body_memory.")
        text.sample(refusals.ofBodies)
        text.family(
            "ociai_key_concurrency_refused_total", .counter,
            "Requests rejected by max_concurrency_per_key, by key name.")
        for (key, count) in refusals.ofKeys.sorted(by: { $0.key < $1.key }) { text.sample(["key": key], count) }
    }

    private func proxy(_ snapshot: Router.Snapshot, _ text: inout PrometheusText) {
        text.family("ociai_in_flight", .gauge, "Requests in flight in the whole proxy.")
        text.sample(snapshot.permits.inUse)
        text.family(
            "ociai_max_concurrency", .gauge, "Limit of requests in flight in the whole proxy (global_max_concurrency).")
        text.sample(snapshot.permits.limit)
        text.family("ociai_queue_depth", .gauge, "Requests waiting in the queue.")
        text.sample(snapshot.waiting)
        text.family(
            "ociai_queue_requests_total", .counter,
            "Queued requests by outcome (enqueued, rejected, timed_out, cancelled).")
        text.sample(["outcome": "enqueued"], snapshot.queue.enqueued)
        text.sample(["outcome": "rejected"], snapshot.queue.rejected)
        text.sample(["outcome": "timed_out"], snapshot.queue.timedOut)
        text.sample(["outcome": "cancelled"], snapshot.queue.cancelled)
        text.family(
            "ociai_queue_wait_seconds", .histogram, "Time in the queue of requests that were admitted, in seconds.")
        text.histogram("queue", "permits", snapshot.queue.wait)
    }

    private func attempts(_ snapshot: Router.Snapshot, _ text: inout PrometheusText) {
        text.family("ociai_account_requests_total", .counter, "Upstream attempts by account and outcome.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.sample(["account": upstream.id, "outcome": "succeeded"], state.statistics.succeeded)
            text.sample(["account": upstream.id, "outcome": "failed"], state.statistics.failed)
            text.sample(["account": upstream.id, "outcome": "cancelled"], state.statistics.cancelled)
        }
        text.family("ociai_account_rate_limited_total", .counter, "Failed attempts with status 429, by account.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.sample(["account": upstream.id], state.statistics.rateLimited)
        }
        text.family(
            "ociai_upstream_oddities_total", .counter,
            "Attempts in which an upstream deviated from its API, by kind.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            for oddity in Oddity.allCases {
                text.sample(["upstream": upstream.id, "kind": oddity.name], state.statistics.count(of: oddity))
            }
        }
        text.family("ociai_account_tokens_total", .counter, "Tokens as reported by the upstream, by account and kind.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.sample(["account": upstream.id, "kind": "prompt"], state.statistics.promptTokens)
            text.sample(["account": upstream.id, "kind": "completion"], state.statistics.completionTokens)
        }
        text.family(
            "ociai_account_request_seconds", .histogram,
            "Duration of successful attempts, from admission to the end of the response, in seconds.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.histogram("account", upstream.id, state.statistics.latency)
        }
        text.family(
            "ociai_account_first_token_seconds", .histogram,
            "Time from admission to the first event of a stream, in seconds.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.histogram("account", upstream.id, state.statistics.firstToken)
        }
    }

    private func states(_ snapshot: Router.Snapshot, _ text: inout PrometheusText) {
        func gauge(_ name: String, _ help: String, _ value: (UpstreamState) -> Int) {
            text.family(name, .gauge, help)
            for (upstream, state) in snapshot.upstreams(of: accountList) {
                text.sample(["account": upstream.id], value(state))
            }
        }
        gauge("ociai_account_in_flight", "Attempts in flight at an account.") { $0.permits.inUse }
        gauge("ociai_account_max_concurrency", "Limit of attempts in flight at an account (max_concurrency).") {
            $0.permits.limit
        }
        gauge("ociai_account_healthy", "1 while the account is healthy according to its health checks.") {
            $0.health.isHealthy ? 1 : 0
        }
        gauge(
            "ociai_account_cooling",
            "1 while the account, or every model requested there in the last minute, is cooling down after 429."
        ) {
            $0.condition(at: snapshot.at).coolingUntil == nil ? 0 : 1
        }
        text.family(
            "ociai_account_breaker_state", .gauge, "1 for the current state of the circuit breaker, 0 for the others.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            let current = state.condition(at: snapshot.at).breaker
            for candidate in CircuitBreaker.State.allCases {
                text.sample(["account": upstream.id, "state": candidate.rawValue], candidate == current ? 1 : 0)
            }
        }
        text.family(
            "ociai_account_breaker_opened_total", .counter,
            "Times that a circuit breaker of the account or of one of its models opened.")
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            text.sample(["account": upstream.id], state.statistics.opened)
        }
        models(snapshot, &text)
    }

    /// Models that are not well, the worst twenty of each account: their names are from upstreams' lists and the configuration, or of models
    /// that an upstream has answered for.
    private func models(_ snapshot: Router.Snapshot, _ text: inout PrometheusText) {
        let unwell = snapshot.upstreams(of: accountList).map { upstream, state in
            (upstream.id, state.unwell(at: snapshot.at))
        }
        func gauge(_ name: String, _ help: String, _ value: (ModelCondition) -> Int?) {
            text.family(name, .gauge, help)
            for (account, models) in unwell {
                for model in models {
                    if let value = value(model) { text.sample(["account": account, "model": model.model], value) }
                }
            }
        }
        gauge(
            "ociai_model_resting",
            "1 while a model of an account is unavailable: its circuit breaker is not closed, or it is cooling down after 429 or 503."
        ) {
            $0.breaker != .closed || $0.coolingUntil != nil ? 1 : 0
        }
        gauge(
            "ociai_model_learnt_limit",
            "Limit of concurrent requests for a model at an account, learnt from its 429 responses."
        ) { $0.adaptiveLimit }
    }
}
