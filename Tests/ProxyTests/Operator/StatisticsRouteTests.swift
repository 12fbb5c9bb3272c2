import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The pages of `/stats`, key by key.
@Suite struct StatisticsRouteTests {
    private let time = ManualTime(wallClock: 1_700_000_000)

    private func route(_ router: Router, entries: [AccountList.Entry]? = nil) -> StatisticsRoute {
        StatisticsRoute(
            mode: "multi-account", strategy: "weighted", breaker: .init(),
            accountList: AccountList(entries: entries ?? router.upstreams.indices.map { .serving($0) }),
            router: router,
            directory: ModelDirectory(
                aliases: [("grok-4", "xai.grok-4")],
                accounts: router.upstreams.map { ModelCatalog.Account($0.backend) }, time: time.source))
    }

    private func page(_ router: Router, _ page: StatisticsRoute.Page, entries: [AccountList.Entry]? = nil) async throws
        -> [String: Any]
    {
        let answer = await route(router, entries: entries).answer(page)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView)) as? [String: Any])
    }

    /// A router of two accounts after a success, a failure, a 429 and a request that is still running.
    private func busy() async throws -> Router {
        let router = try Router.fixture(
            time: time.source, accounts: 2, settings: { .init(weight: $0 + 1, maxConcurrency: 7) })
        func begin(_ index: Int) async throws -> Router.Permit {
            try await router.admit(
                RouteRequest(
                    ticket: router.ticket(), terms: .init(accepts: UpstreamSet([index])), deadline: .seconds(300))
            ).get()
        }
        let good = try await begin(0)
        time.advance(by: .milliseconds(100))
        await router.end(
            good,
            AttemptEnding(
                .succeeded, error: nil, usage: TokenUsage(prompt: 10, completion: 5, total: 15),
                firstEvent: .milliseconds(40)))
        let bad = Failure(.failed(.serverError), "OCI failed")
        await router.end(try await begin(1), AttemptEnding(.failed, error: bad, usage: nil, firstEvent: nil))
        await router.end(
            try await begin(1), AttemptEnding(.rateLimited(retryAfter: 20), error: bad, usage: nil, firstEvent: nil))
        _ = try await begin(0)
        _ = await router.note(.passed, of: router.upstreams[0], latency: .milliseconds(12))
        return router
    }

    @Test func `Accounts`() async throws {
        let page = try await page(try await busy(), .accounts)
        #expect(page["mode"] as? String == "multi-account" && page["strategy"] as? String == "weighted")
        #expect(page["total_accounts"] as? Int == 2 && page["healthy_accounts"] as? Int == 2)
        let accounts = try #require(page["accounts"] as? [[String: Any]])
        let keys: Set = [
            "id", "kind", "region", "endpoint", "enabled", "healthy", "weight", "max_concurrency", "in_flight",
            "requests_total", "requests_succeeded",
            "requests_failed", "rate_limited_total", "cancelled_total", "consecutive_failures", "cooling_until",
            "tokens", "latency_ms",
            "first_token_ms", "last_error", "last_health_check", "circuit_breaker", "models", "models_unwell",
        ]
        #expect(accounts.allSatisfy { Set($0.keys) == keys })
        let (one, two) = (accounts[0], accounts[1])
        #expect(
            one["id"] as? String == "default" && one["kind"] as? String == "oci"
                && one["region"] as? String == "us-chicago-1")
        #expect(
            one["enabled"] as? Bool == true && one["healthy"] as? Bool == true && one["weight"] as? Int == 1
                && one["max_concurrency"] as? Int == 7)
        #expect(
            one["requests_total"] as? Int == 2 && one["requests_succeeded"] as? Int == 1
                && one["in_flight"] as? Int == 1)
        #expect(one["tokens"] as? [String: Int] == ["prompt": 10, "completion": 5, "total": 15])
        #expect((one["latency_ms"] as? [String: Any]).map { Set($0.keys) } == ["count", "p50", "p90", "p99"])
        #expect(abs(((one["latency_ms"] as? [String: Any])?["p50"] as? Double ?? 0) - 100) < 12.5)
        #expect(abs(((one["first_token_ms"] as? [String: Any])?["p99"] as? Double ?? 0) - 40) < 5)
        #expect(
            one["last_error"] is NSNull && one["cooling_until"] is NSNull
                && one["circuit_breaker"] as? String == "closed")
        #expect((one["last_health_check"] as? [String: Any])?["ok"] as? Bool == true)
        #expect((one["last_health_check"] as? [String: Any])?["latency_ms"] as? Int == 12)
        #expect((one["last_health_check"] as? [String: Any])?["at"] as? String == "2023-11-14T22:13:20Z")
        #expect(one["models"] as? [String] == ["grok-4"])
        #expect(
            two["requests_failed"] as? Int == 2 && two["rate_limited_total"] as? Int == 1
                && two["consecutive_failures"] as? Int == 1)
        #expect(two["cooling_until"] as? String == "2023-11-14T22:13:40Z")
        let error = try #require(two["last_error"] as? [String: Any])
        #expect(
            error["status"] as? Int == 502 && error["code"] as? String == "upstream_error"
                && error["message"] as? String == "OCI failed")
        #expect(error["at"] as? String == "2023-11-14T22:13:20Z" && two["last_health_check"] is NSNull)
    }

    @Test func `Accounts that are not asked are listed`() async throws {
        let router = try await busy()
        let entries: [AccountList.Entry] = [
            .serving(0), .idle(IdleAccount(id: "broken", problem: "multi.conf:7: the key cannot be read")), .serving(1),
        ]
        let page = try await page(router, .accounts, entries: entries)
        #expect(page["total_accounts"] as? Int == 3 && page["healthy_accounts"] as? Int == 2)
        let accounts = try #require(page["accounts"] as? [[String: Any]])
        #expect(accounts.map { $0["id"] as? String } == ["default", "broken", "account_2"])
        let broken = accounts[1]
        #expect(broken["enabled"] as? Bool == true && broken["healthy"] as? Bool == false && broken["region"] is NSNull)
        #expect(
            (broken["last_error"] as? [String: Any])?["message"] as? String == "multi.conf:7: the key cannot be read")
        #expect(Set(broken.keys) == Set(accounts[0].keys))
    }

    @Test func `Concurrency`() async throws {
        let page = try await page(try await busy(), .concurrency)
        #expect(page["global"] as? [String: Int] == ["max": 200, "in_flight": 1, "available": 199, "peak": 1])
        let accounts = try #require(page["accounts"] as? [[String: Any]])
        #expect(accounts.map { $0["id"] as? String } == ["default", "account_2"])
        #expect(
            accounts.map { $0["in_flight"] as? Int } == [1, 0] && accounts.map { $0["available"] as? Int } == [6, 7])
        #expect(accounts.allSatisfy { $0["max"] as? Int == 7 && $0["peak"] as? Int == 1 })
    }

    @Test func `Breakers`() async throws {
        let router = try await busy()
        for _ in 0..<5 {
            // The account is cooling; the operator's reset lets it be asked.
            _ = await router.resetBreakers(of: [0])
        }
        for _ in 0..<5 {
            let permit = try await router.admit(
                RouteRequest(ticket: router.ticket(), terms: .init(accepts: UpstreamSet([0])), deadline: .seconds(300))
            ).get()
            await router.end(permit, AttemptEnding(.failed))
        }
        let page = try await page(router, .circuitBreaker)
        let config = try #require(page["config"] as? [String: Any])
        #expect(config["max_failures"] as? Int == 5 && config["reset_timeout_ms"] as? Int == 60_000)
        #expect(config["failure_rate"] as? Double == 0.6 && config["min_requests"] as? Int == 10)
        let accounts = try #require(page["accounts"] as? [[String: Any]])
        let open = accounts[0]
        #expect(
            open["id"] as? String == "default" && open["state"] as? String == "open"
                && open["consecutive_failures"] as? Int == 5)
        #expect(
            open["window_requests"] as? Int == 5 && open["window_failures"] as? Int == 5
                && open["failure_rate"] as? Double == 1)
        #expect(
            open["opened_at"] as? String == "2023-11-14T22:13:20Z"
                && open["retry_at"] as? String == "2023-11-14T22:14:20Z")
        #expect(open["opened_total"] as? Int == 1)
        let closed = accounts[1]
        #expect(closed["state"] as? String == "closed" && closed["opened_at"] is NSNull && closed["retry_at"] is NSNull)
    }

    @Test func `Queue`() async throws {
        let page = try await page(try await busy(), .queue)
        #expect(
            Set(page.keys) == [
                "size", "depth", "peak", "enqueued_total", "rejected_total", "timed_out_total", "cancelled_total",
                "wait_ms",
            ])
        #expect(page["size"] as? Int == 2000 && page["depth"] as? Int == 0)
        #expect((page["wait_ms"] as? [String: Any])?["count"] as? Int == 0)
    }

    @Test func `Metrics say the same`() async throws {
        let router = try await busy()
        let counters = RequestCounters()
        counters.count(route: "chat", status: 200)
        let claims = RequestClaims()
        var claim = RequestClaims.Claim.none
        _ = claims.take(bodyBytes: 100, limit: 1000, for: &claim)
        for _ in 0..<2 {
            var further = RequestClaims.Claim.none
            _ = claims.take(bodyBytes: 1000, limit: 1000, for: &further)
            _ = claims.take("team", limit: 1, for: &further)
        }
        var route = MetricsRoute(
            router: router, accountList: AccountList(entries: [.serving(0), .serving(1)]),
            process: ProcessFigures(startedAt: 1_700_000_000), counters: counters, rates: RequestRates(),
            droppedLines: { 7 })
        (route.claims, route.bodyMemory) = (claims, 1000)
        let answer = await route.answer()
        #expect(answer.headers["content-type"].first?.hasPrefix("text/plain; version=0.0.4") == true)
        let lines = String(buffer: answer.body).split(separator: "\n")
        for line in [
            #"ociai_http_requests_total{route="chat",status="200"} 1"#, "ociai_in_flight 1", "ociai_queue_depth 0",
            "ociai_body_memory_bytes 400", "ociai_body_memory_limit_bytes 1000", "ociai_body_memory_refused_total 2",
            #"ociai_key_concurrency_refused_total{key="team"} 1"#,
            #"ociai_account_requests_total{account="default",outcome="succeeded"} 1"#,
            #"ociai_account_requests_total{account="account_2",outcome="failed"} 2"#,
            #"ociai_account_rate_limited_total{account="account_2"} 1"#,
            #"ociai_account_tokens_total{account="default",kind="prompt"} 10"#,
            #"ociai_account_cooling{account="account_2"} 1"#,
            #"ociai_account_breaker_state{account="default",state="closed"} 1"#,
            #"ociai_account_request_seconds_count{account="default"} 1"#, "process_start_time_seconds 1700000000",
            "ociai_log_dropped_total 7", "ociai_clock_gaps_total 0",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        // Each family is declared once, before its samples.
        let declared = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(declared).count == declared.count)
    }
}
