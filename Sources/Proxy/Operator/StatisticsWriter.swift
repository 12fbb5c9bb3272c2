import ProxyRouting

/// The pieces of which the pages of statistics are made: moments, percentiles, the figures of an account.
struct StatisticsWriter {
    var json = JSONWriter(capacity: 2048)
    private let now: Duration
    private let wallMicroseconds: Int64

    /// - Parameter wallMicroseconds: since 1970, at the moment of the snapshot.
    init(snapshot: Router.Snapshot, wallMicroseconds: Int64) {
        now = snapshot.at
        self.wallMicroseconds = wallMicroseconds
    }

    /// ISO 8601 in UTC, or null.
    mutating func instant(_ instant: Duration?) {
        guard let instant else { return json.null() }
        json.string(RFC3339.format((wallMicroseconds + (instant - now).microseconds) / 1_000_000))
    }

    mutating func percentiles(of histogram: LatencyHistogram) {
        json.beginObject()
        json.key("count")
        json.int(histogram.count)
        for (key, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            json.key(key)
            json.double(histogram.percentile(share))
        }
        json.endObject()
    }

    mutating func identity(
        id: String, kind: BackendKind, region: String?, endpoint: String?, isEnabled: Bool, isHealthy: Bool,
        weight: Int, maxConcurrency: Int
    ) {
        json.key("id")
        json.string(id)
        json.key("kind")
        json.string(kind.rawValue)
        json.key("region")
        text(region)
        json.key("endpoint")
        text(endpoint)
        json.key("enabled")
        json.bool(isEnabled)
        json.key("healthy")
        json.bool(isHealthy)
        json.key("weight")
        json.int(weight)
        json.key("max_concurrency")
        json.int(maxConcurrency)
    }

    /// - Parameter problem: why the account cannot be used at all.
    mutating func figures(of state: UpstreamState, models: [String], problem: String? = nil) {
        let statistics = state.statistics
        let condition = state.condition(at: now)
        for (key, value) in [
            ("in_flight", state.permits.inUse), ("requests_total", statistics.requests),
            ("requests_succeeded", statistics.succeeded),
            ("requests_failed", statistics.failed), ("rate_limited_total", statistics.rateLimited),
            ("cancelled_total", statistics.cancelled),
            ("consecutive_failures", condition.consecutiveFailures),
        ] {
            json.key(key)
            json.int(value)
        }
        json.key("cooling_until")
        instant(condition.coolingUntil)
        json.key("tokens")
        json.beginObject()
        for (key, value) in [
            ("prompt", statistics.promptTokens), ("completion", statistics.completionTokens),
            ("total", statistics.promptTokens &+ statistics.completionTokens),
        ] {
            json.key(key)
            json.int(value)
        }
        json.endObject()
        json.key("latency_ms")
        percentiles(of: statistics.latency)
        json.key("first_token_ms")
        percentiles(of: statistics.firstToken)
        json.key("last_error")
        lastError(statistics.lastFailure, problem)
        json.key("last_health_check")
        lastCheck(state.health.lastCheck)
        json.key("circuit_breaker")
        json.string(condition.breaker.rawValue)
        json.key("models")
        json.beginArray()
        for model in models { json.string(model) }
        json.endArray()
        unwell(of: state)
    }

    /// The models that are not well, the worst first.
    mutating func unwell(of state: UpstreamState) {
        json.key("models_unwell")
        json.beginArray()
        for model in state.unwell(at: now) {
            json.beginObject()
            json.key("model")
            json.string(model.model)
            json.key("circuit_breaker")
            json.string(model.breaker.rawValue)
            json.key("consecutive_failures")
            json.int(model.consecutiveFailures)
            json.key("retry_at")
            instant(model.retryAt)
            json.key("cooling_until")
            instant(model.coolingUntil)
            json.key("learnt_limit")
            if let limit = model.adaptiveLimit { json.int(limit) } else { json.null() }
            json.key("in_flight")
            json.int(model.inFlight)
            json.endObject()
        }
        json.endArray()
    }

    private mutating func lastError(_ last: UpstreamStatistics.LastFailure?, _ problem: String?) {
        guard last != nil || problem != nil else { return json.null() }
        let told = last.map { OpenAIError($0.failure) }
        json.beginObject()
        json.key("at")
        instant(last?.at)
        json.key("status")
        // The upstream's own, or the one that a client gets for it where the upstream has given none.
        if let told { json.int(last?.failure.upstreamStatus ?? told.status) } else { json.null() }
        json.key("code")
        json.string(told.map { $0.code ?? $0.type } ?? "configuration_error")
        json.key("message")
        json.string(told?.message ?? problem ?? "")
        json.endObject()
    }

    private mutating func lastCheck(_ check: HealthRecord.Check?) {
        guard let check else { return json.null() }
        json.beginObject()
        json.key("at")
        instant(check.at)
        json.key("ok")
        json.bool(check.passed)
        json.key("latency_ms")
        json.int(Int(check.latency.milliseconds))
        json.endObject()
    }

    private mutating func text(_ text: String?) {
        if let text { json.string(text) } else { json.null() }
    }
}
