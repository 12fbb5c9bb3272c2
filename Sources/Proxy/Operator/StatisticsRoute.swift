import ProxyRouting

/// `GET /stats/…`: what the proxy has done and how it does. Each answer shows one moment.
struct StatisticsRoute: Sendable {
    enum Page: String, Sendable, CaseIterable {
        case accounts, concurrency
        case circuitBreaker = "circuit-breaker"
        case queue
    }

    let mode: String
    let strategy: String
    let breaker: CircuitBreaker.Settings
    let accountList: AccountList
    let router: Router
    let directory: ModelDirectory

    func answer(_ page: Page) async -> Response {
        let snapshot = await router.snapshot()
        var writer = StatisticsWriter(snapshot: snapshot, wallMicroseconds: router.time.wallMicroseconds())
        writer.json.beginObject()
        switch page {
        case .accounts: accounts(snapshot, &writer)
        case .concurrency: concurrency(snapshot, &writer.json)
        case .circuitBreaker: circuitBreaker(snapshot, &writer)
        case .queue: queue(snapshot, &writer)
        }
        writer.json.endObject()
        return .json(writer.json.bytes)
    }

    // MARK: Accounts

    private func accounts(_ snapshot: Router.Snapshot, _ writer: inout StatisticsWriter) {
        writer.json.key("mode")
        writer.json.string(mode)
        writer.json.key("strategy")
        writer.json.string(strategy)
        writer.json.key("total_accounts")
        writer.json.int(accountList.entries.count)
        writer.json.key("healthy_accounts")
        writer.json.int(snapshot.upstreams(of: accountList).count { $0.state.health.isHealthy })
        writer.json.key("accounts")
        writer.json.beginArray()
        let catalog = directory.catalog
        for entry in accountList.entries {
            writer.json.beginObject()
            switch entry {
            case .serving(let index):
                let (upstream, state) = snapshot.upstreams[index]
                writer.identity(
                    id: upstream.id, kind: upstream.backend.kind, region: upstream.backend.region,
                    endpoint: upstream.backend.endpoint, isEnabled: true,
                    isHealthy: state.health.isHealthy, weight: snapshot.settings[index].weight,
                    maxConcurrency: state.permits.limit)
                writer.figures(of: state, models: catalog.names(at: index))
            case .idle(let account):
                writer.identity(
                    id: account.id, kind: .oci, region: account.region, endpoint: account.endpoint,
                    isEnabled: account.isEnabled, isHealthy: false,
                    weight: account.weight, maxConcurrency: account.maxConcurrency)
                writer.figures(
                    of: UpstreamState(maxConcurrency: account.maxConcurrency, breaker: breaker), models: [],
                    problem: account.problem)
            }
            writer.json.endObject()
        }
        writer.json.endArray()
    }

    // MARK: Concurrency

    private func concurrency(_ snapshot: Router.Snapshot, _ json: inout JSONWriter) {
        func write(_ permits: PermitCounter) {
            json.key("max")
            json.int(permits.limit)
            json.key("in_flight")
            json.int(permits.inUse)
            json.key("available")
            json.int(permits.available)
            json.key("peak")
            json.int(permits.peak)
        }
        json.key("global")
        json.beginObject()
        write(snapshot.permits)
        json.endObject()
        json.key("accounts")
        json.beginArray()
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            json.beginObject()
            json.key("id")
            json.string(upstream.id)
            write(state.permits)
            json.endObject()
        }
        json.endArray()
    }

    // MARK: Breakers

    private func circuitBreaker(_ snapshot: Router.Snapshot, _ writer: inout StatisticsWriter) {
        writer.json.key("config")
        writer.json.beginObject()
        writer.json.key("max_failures")
        writer.json.int(breaker.maxFailures)
        writer.json.key("reset_timeout_ms")
        writer.json.int(Int(breaker.resetTimeout.milliseconds))
        writer.json.key("failure_rate")
        writer.json.double(breaker.failureRate)
        writer.json.key("min_requests")
        writer.json.int(breaker.minRequests)
        writer.json.endObject()
        writer.json.key("accounts")
        writer.json.beginArray()
        for (upstream, state) in snapshot.upstreams(of: accountList) {
            let condition = state.condition(at: snapshot.at)
            let window = condition.window
            writer.json.beginObject()
            writer.json.key("id")
            writer.json.string(upstream.id)
            writer.json.key("state")
            writer.json.string(condition.breaker.rawValue)
            writer.json.key("consecutive_failures")
            writer.json.int(condition.consecutiveFailures)
            writer.json.key("window_requests")
            writer.json.int(window.requests)
            writer.json.key("window_failures")
            writer.json.int(window.failures)
            writer.json.key("failure_rate")
            writer.json.double(window.requests == 0 ? 0 : Double(window.failures) / Double(window.requests))
            writer.json.key("opened_at")
            writer.instant(condition.openedAt)
            writer.json.key("retry_at")
            writer.instant(condition.retryAt)
            writer.json.key("opened_total")
            writer.json.int(state.statistics.opened)
            writer.unwell(of: state)
            writer.json.endObject()
        }
        writer.json.endArray()
    }

    // MARK: Queue

    private func queue(_ snapshot: Router.Snapshot, _ writer: inout StatisticsWriter) {
        let queue = snapshot.queue
        for (key, value) in [
            ("size", snapshot.queueLimit), ("depth", snapshot.waiting), ("peak", queue.peak),
            ("enqueued_total", queue.enqueued),
            ("rejected_total", queue.rejected), ("timed_out_total", queue.timedOut),
            ("cancelled_total", queue.cancelled),
        ] {
            writer.json.key(key)
            writer.json.int(value)
        }
        writer.json.key("wait_ms")
        writer.percentiles(of: queue.wait)
    }
}
