import LedgerTestSupport
import ProxyAccounting
import Testing

@testable import Proxy

@Suite struct CheckReportTests {
    typealias Fixture = ConfigurationFixture

    @Test func `Tells what would run`() throws {
        let text = """
            api_key = hunter2
            port = 0
            [ACCOUNT_1]
            pass_phrase = hunter2
            \(Fixture.identity())[ACCOUNT_2]
            region = us-chicago-1
            [API_KEYS]
            alice = hunter22
            [MODELS]
            tuned = ocid1.generativeaiendpoint.oc1..e
            """
        let lines = CheckReport.lines(try #require(Fixture.read(text).settings))
        #expect(
            lines == [
                "mode: multi-account",
                "listen: 127.0.0.1:any free port",
                "client keys: default, alice",
                "  default: role admin",
                "  note: The client key default may also read statistics, reload and change keys, because the config file names no roles. "
                    + "Give another key of the file the role admin, and this one becomes a client; a managed key with that role does not change it",
                "accounts: 1 of 2 usable, strategy round_robin",
                "  account_1: region us-chicago-1, weight 1, max_concurrency 50",
                "    endpoint https://inference.generativeai.us-chicago-1.oci.oraclecloud.com",
                "    management endpoint https://generativeai.us-chicago-1.oci.oraclecloud.com",
                "    auth api_key, key file /etc/proxy/key.pem (with a passphrase)",
                "    compartment ocid1.tenancy.oc1..t",
                "  account_2 (line 10): unusable, 4 errors",
                "models: 1",
                "  tuned -> ocid1.generativeaiendpoint.oc1..e (dedicated)",
                "stored responses: at most 10000, for 24h",
                "ledger: in the state directory of the service, or beside the configuration file, rows kept for 90 days",
                "budgets begin anew in the time zone UTC", "rescue of broken streams: verified, within 20s",
                "limits: 200 concurrent requests, 2000 queued, request 32 MiB, response 10 MiB, all bodies a quarter of the memory, "
                    + "4000 tokens by default, 3 retries",
                "timeouts: request 5m, stream 5m, head off, first token off, keep-alive 15s, shutdown 30s",
                "intervals: health check 30s, model refresh 10s",
                "circuit breaker: 5 consecutive failures, or a failure rate of 0.6 over at least 10 requests; open for 1m",
                "log: info as text to standard error",
            ])
        #expect(!lines.joined().contains("hunter2"))
    }

    @Test func `Tells what an aggregator would run`() throws {
        let text = """
            {"providers": ["zhipu|https://zhipu.example/v4|hunter2", {"provider": "or", "baseurl": "https://or.example", "model_list": ["m1", "a/m2"]},
            "or|http://localhost:1/v1|hunter2"], "tokens": ["alice|hunter2", "hunter3"], "supported_models": ["^or/", "glm"],
            "fallbacks": {"zhipu/glm-4": ["or/m1", "or/a/m2"]}}
            """
        let lines = CheckReport.lines(try #require(Fixture.read(text).settings))
        #expect(
            lines == [
                "mode: aggregator",
                "listen: localhost:8080",
                "client keys: alice, token-2",
                "  alice: role admin",
                "  note: The client key alice may also read statistics, reload and change keys, because the config file names no roles. "
                    + "Give another key of the file the role admin, and this one becomes a client; a managed key with that role does not change it",
                "providers: 3, including 1 pool, strategy round_robin",
                "  zhipu: https://zhipu.example/v4, with a token, max_concurrency 100",
                "    speaks chat",
                "    models from the provider's model list",
                "  or-1 (pool or): https://or.example, no token, max_concurrency 100",
                "    speaks chat",
                "    models m1, a/m2",
                "  or-2 (pool or): http://localhost:1/v1, with a token, max_concurrency 100",
                "    speaks chat",
                "    models from the provider's model list",
                "served models: those that match ^or/ or glm",
                "connections: 20 kept alive for 30s",
                "fallbacks: 1",
                "  zhipu/glm-4 -> or/m1, or/a/m2",
                "stored responses: at most 10000, for 24h",
                "ledger: in the state directory of the service, or beside the configuration file, rows kept for 90 days",
                "budgets begin anew in the time zone UTC", "rescue of broken streams: verified, within 20s",
                "limits: 200 concurrent requests, 2000 queued, request 32 MiB, response 10 MiB, all bodies a quarter of the memory, 4000 tokens by default, 3 retries",
                "timeouts: request 5m, non-stream 30s, stream 5m, head off, first token off, keep-alive 15s, shutdown 30s",
                "intervals: health check off, model refresh 10s",
                "circuit breaker: 5 consecutive failures, or a failure rate of 0.6 over at least 10 requests; open for 1m",
                "log: warning as text to /etc/proxy/ai_proxy.log",
            ])
        #expect(!lines.joined().contains("hunter"))
    }

    @Test func `Accounts and providers are both told`() throws {
        let text = Fixture.identity() + "api_key = k\n[PROVIDER_1]\nprovider = zhipu\nbaseurl = https://a.example\n"
        let lines = CheckReport.lines(try #require(Fixture.read(text).settings))
        #expect(lines.contains("accounts: 1 of 1 usable"))
        #expect(lines.contains("providers: 1, strategy round_robin"))
        #expect(lines.contains("served models: all"))
    }

    @Test func `Tells that a key will be generated`() throws {
        let lines = CheckReport.lines(try #require(Fixture.read(Fixture.identity() + "host = ::1\n").settings))
        #expect(lines.contains("client keys: one to be generated at the first start"))
        #expect(lines.contains("listen: [::1]:8080"))
        #expect(lines.contains("models: no aliases"))
    }

    @Test func `Names the models without a price, where prices matter`() throws {
        func lines(_ text: String) throws -> [String] {
            let settings = try #require(Fixture.read(Fixture.identity() + text).settings)
            let prices = PriceTable(BuiltInPrices.entries + settings.ledger.prices)
            return CheckReport.lines(settings, prices: prices).filter { $0.contains("price") && !$0.contains(" of x") }
        }
        let text = """
            state_dir = data
            api_key = 0123456789abcdef
            [MODELS]
            big = xai.grok-4.3
            new = vendor.unheard-of
            own = vendor.other
            there = up/m1
            * = vendor.third
            [FALLBACKS]
            big = up/m4, new, a-name-that-is-discovered
            [PROVIDER_1]
            provider = up
            baseurl = https://a.example
            model_list = m1, m2, m3
            [PRICES]
            own = 1 in 2 out per 1M tokens
            up/m2 = 1 in 2 out per 1M tokens
            m3 = 1 in 2 out per 1M tokens
            """
        let told = try lines(text)
        #expect(
            told.contains(
                "prices: \(BuiltInPrices.entries.count) built in (table of \(BuiltInPrices.version)), 3 of the configuration"
            ))
        #expect(
            told.contains {
                $0.hasPrefix(
                    "  models without a price: new (vendor.unheard-of), there (up/m1), vendor.third, up/m1, up/m4 (")
            }, "\(told)")
        // Nobody asks.
        #expect(try lines("state_dir = off\n[MODELS]\nnew = vendor.unheard-of\n").isEmpty)
        let budget = "state_dir = off\n[MODELS]\nnew = vendor.x\n[KEY default]\nbudget_soft = 5 USD per day\n"
        #expect(try lines(budget).count == 2)
        #expect(try lines("[MODELS]\nbig = xai.grok-4.3\n").count == 1)
    }

    @Test func `Tells what keys may do, and what things cost`() throws {
        let text =
            Fixture.identity() + """
                admin_listen = 9090
                state_dir = data
                timezone = Europe/Berlin
                [API_KEYS]
                alice = sk-alice-hunter2 role=viewer
                [KEY alice]
                models = ^grok
                rpm = 60
                budget_hard = 5 USD per day
                [PRICES]
                grok-4 = 3/M in, 15/M out
                """
        let lines = CheckReport.lines(try #require(Fixture.read(text).settings))
        for line in [
            "operator's endpoints: 127.0.0.1:9090",
            "  alice: role viewer, models ^grok, rpm 60, budget_hard 5 USD per day",
            "ledger: in /etc/proxy/data, rows kept for 90 days", "budgets begin anew in the time zone Europe/Berlin",
            "  price of grok-4: 3 in 15 out per 1M tokens",
        ] {
            #expect(lines.contains(line), "\(lines)")
        }
        #expect(!lines.joined().contains("hunter2"))
    }
}
