import Foundation
import OCISimulator
import Testing

/// `rate_limit` and a reload.
@Suite struct RateLimitTests {
    @Test func `A key that asks too often is refused and the others are not`() async throws {
        try await RunningProxy.run(
            accounts: 1, settings: "rate_limit = 2", models: "\n[API_KEYS]\nother = other-key-0123"
        ) { proxy in
            for _ in 0..<2 { #expect(try await proxy.chat(RunningProxy.body()).status == 200) }
            let refused = try await proxy.chat(RunningProxy.body(streams: true))
            #expect(
                refused.status == 429 && refused.error("code") == "rate_limit_exceeded"
                    && refused.error("type") == "rate_limit_error")
            let wait = try #require(refused.headers["retry-after"].flatMap(Int.init))
            #expect((1...30).contains(wait))
            #expect(
                refused.headers["x-ratelimit-limit-requests"] == "2"
                    && refused.headers["x-ratelimit-remaining-requests"] == "0")
            #expect(proxy.chats.count == 2, "nobody was asked for the third")
            let body = RunningProxy.body()
            let other = try await proxy.send(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-api-key: other-key-0123\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            #expect(other.status == 200 && other.headers["x-ratelimit-remaining-requests"] == "1")
            #expect(try await proxy.get("/metrics").body.contains(#"ociai_rate_limited_total{key="default"} 1"#))
            try await proxy.logged("error=rate_limit_exceeded")
            let line = try #require(proxy.log.split(separator: "\n").first { $0.contains("rate_limit_exceeded") })
            #expect(line.contains("key=default") && line.contains("status=429"))
        }
    }

    @Test func `A reload gives nobody a full bucket and another limit holds at once`() async throws {
        try await RunningProxy.run(accounts: 1, settings: "rate_limit = 1") { proxy in
            #expect(try await proxy.chat(RunningProxy.body()).status == 200)
            #expect(try await proxy.reload().status == 429, "with the key it is one of its requests")
            // The operator's own is no request that costs one.
            try await proxy.reconfigure(try proxy.configuration() + "\nmine = xai.grok-4\n")
            #expect(try await proxy.chat(RunningProxy.body(model: "mine")).status == 429)
            try await proxy.reconfigure(try proxy.configuration().replacing("rate_limit = 1", with: "rate_limit = 0"))
            let free = try await proxy.chat(RunningProxy.body(model: "mine"))
            #expect(free.status == 200 && free.headers["x-ratelimit-limit-requests"] == nil)
        }
    }
}
