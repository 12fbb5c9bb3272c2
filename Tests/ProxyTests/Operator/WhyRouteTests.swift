import LedgerTestSupport
import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Why a request went where it went.
@Suite struct WhyRouteTests {
    private static let answer =
        #"{"modelId":"xai.grok-4","chatResponse":{"apiFormat":"GENERIC","choices":[{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"Hi"}]},"finishReason":"stop"}],"usage":{"promptTokens":7,"completionTokens":2}}}"#

    private struct Bench {
        let time = ManualTime()
        let ledger: KeptLedger?
        let door: FrontDoor

        /// - Parameter failures: how many calls are refused with 429 before the others are answered.
        init(failures: Int = 0, accounts: Int = 3, hasLedger: Bool = false, status: Int = 429) throws {
            let left = Mutex(failures)
            let transport = FakeTransport { _ in
                let fails = left.withLock { left in
                    defer { left = max(left - 1, 0) }
                    return left > 0
                }
                guard !fails else {
                    return TransportResponse(
                        status: status, headers: ["opc-request-id": "opc-of-failure", "retry-after": "30"],
                        body: .fed([#"{"code":"429","message":"slow <b>down</b>"}"#]))
                }
                return TransportResponse(
                    status: 200, headers: ["content-type": "application/json", "opc-request-id": "opc-1"],
                    body: .fed([WhyRouteTests.answer]))
            }
            ledger = hasLedger ? KeptLedger() : nil
            door = try FrontDoor.fixture(
                over: try Router.fixture(transport, time: time.source, accounts: accounts), time: time.source,
                ledger: ledger)
        }

        func chat(_ id: String, _ headers: HTTPHeaders = [:], model: String = "grok-4") async throws -> (
            status: Int, headers: HTTPHeaders, body: String
        ) {
            var headers = headers
            headers.add(name: "x-request-id", value: id)
            return try await door.wholeAnswer(
                .POST, "/v1/chat/completions",
                #"{"model":"\#(model)","messages":[{"role":"user","content":"the secret of life"}]}"#, headers: headers)
        }

        func why(_ id: String) async throws -> JSONValue {
            try JSONDocument(parsing: Array(try await door.answer(.GET, "/why/\(id)").body.utf8)).root
        }
    }

    private func events(_ story: JSONValue) -> [JSONValue] { story["events"]?.elements.map { $0 } ?? [] }

    @Test(arguments: [true, false]) func `A request that went well names those that could have had it`(hasLedger: Bool)
        async throws
    {
        let bench = try Bench(hasLedger: hasLedger)
        #expect(try await bench.chat("one").status == 200)
        let story = try await bench.why("one")
        #expect(story["status"]?.int == 200 && story["running"]?.bool == false)
        #expect(story["model"]?.string == "grok-4" && story["upstream"]?.string == "default")
        #expect(story["tokens_prompt"]?.int == 7 && story["tokens_completion"]?.int == 2)
        let events = events(story)
        #expect(events.map { $0["type"]?.string } == ["passed_over", "attempt"])
        let others = events[0]["upstreams"]?.elements.map { $0 } ?? []
        #expect(others.map { $0["id"]?.string } == ["account_2", "account_3"])
        #expect(others.allSatisfy { $0["reason"]?.string == "not_chosen" })
        #expect(events[1]["opc_request_id"]?.string == "opc-1" && events[1]["status"]?.int == 200)
        #expect(events[1]["outcome"]?.string == "succeeded")
    }

    @Test func `A failover is told with the reason of each candidate`() async throws {
        let bench = try Bench(failures: 1)
        #expect(try await bench.chat("first").status == 200)
        let events = events(try await bench.why("first"))
        let attempts = events.filter { $0["type"]?.string == "attempt" }
        #expect(attempts.map { $0["outcome"]?.string } == ["rate_limited", "succeeded"])
        #expect(attempts[0]["opc_request_id"]?.string == "opc-of-failure" && attempts[0]["status"]?.int == 429)
        #expect(attempts.map { $0["number"]?.int } == [1, 2])
        let second = try #require(events.lastIndex { $0["type"]?.string == "attempt" })
        let between = events[..<second].drop { $0["type"]?.string != "attempt" }.flatMap {
            $0["upstreams"]?.elements.map { "\($0["id"]?.string ?? "") \($0["reason"]?.string ?? "")" } ?? []
        }
        #expect(between == ["default has_failed", "account_3 not_chosen"])

        // The next request passes it over.
        #expect(try await bench.chat("second").status == 200)
        let next = self.events(try await bench.why("second"))
        let passed = next.first?["upstreams"]?.elements.first { $0["id"]?.string == "default" }
        #expect(passed?["reason"]?.string == "cooling_down")
        #expect(passed?["until"]?.string == RFC3339.format(bench.time.source.wallClock() + 30))
        #expect(passed?["text"]?.string?.contains("after a 429") == true)
    }

    @Test func `A request that nobody could serve has its story, too`() async throws {
        let bench = try Bench(failures: 100, accounts: 1)
        let hasEnded = Atomic(false)
        let answer = Task {
            defer { hasEnded.store(true, ordering: .releasing) }
            return try await bench.chat("none")
        }
        // It pauses before it gives up.
        while !hasEnded.load(ordering: .acquiring) {
            bench.time.advance(by: .seconds(1))
            await Task.yield()
        }
        #expect(try await answer.value.status == 429)
        let story = try await bench.why("none")
        #expect(story["status"]?.int == 429 && story["error"]?.string != nil)
        #expect(events(story).contains { $0["outcome"]?.string == "rate_limited" })
    }

    @Test func `A request that was refused before any call has no attempts`() async throws {
        let bench = try Bench()
        #expect(try await bench.chat("unknown", model: "nothing-like-it").status == 404)
        let story = try await bench.why("unknown")
        #expect(story["status"]?.int == 404 && story["error"]?.string == "model_not_found")
        #expect(events(story).isEmpty)
    }

    @Test func `Nobody knows what never was`() async throws {
        let answer = try await Bench(hasLedger: true).door.answer(.GET, "/why/never%20was")
        #expect(answer.status == 404 && answer.body.contains("request_not_found"))
    }

    @Test func `No prompt and no answer is in a story, and hostile names are text`() async throws {
        let bench = try Bench(failures: 1)
        _ = try await bench.chat("<script>")
        let text = try await bench.door.answer(.GET, "/why/%3Cscript%3E").body
        #expect(text.contains(#""id":"<script>""#))
        #expect(!text.contains("secret of life") && !text.contains("\"Hi\""))
    }

    // MARK: The header

    @Test func `Who may look gets the way in the answer's header, if it asks`() async throws {
        let bench = try Bench(failures: 1)
        let answer = try await bench.chat("h", ["x-ociai-route": "1"])
        let route = try #require(answer.headers["x-ociai-route"].first)
        #expect(route.contains("attempt 1 default rate_limited 429"))
        #expect(route.contains("attempt 2 account_2 succeeded 200"))
        #expect(!(try await bench.chat("i").headers.contains(name: "x-ociai-route")))
        #expect(!(try await bench.chat("i", ["x-ociai-route": "0"]).headers.contains(name: "x-ociai-route")))
    }

    @Test func `A client's key gets none`() async throws {
        let transport = FakeTransport(status: 200, body: Self.answer)
        let door = try FrontDoor.fixture(
            over: try Router.fixture(transport), time: ManualTime().source,
            keys: [ClientKey(name: "c", value: Secret("client-key"))])
        let answer = try await door.wholeAnswer(
            .POST, "/v1/chat/completions", #"{"model":"grok-4","messages":[{"role":"user","content":"x"}]}"#,
            headers: ["x-ociai-route": "1"], key: "client-key")
        #expect(answer.status == 200 && !answer.headers.contains(name: "x-ociai-route"))
    }

    // MARK: In words

    @Test func `The command line tells it in words`() async throws {
        let bench = try Bench(failures: 1)
        _ = try await bench.chat("w\u{1B}".replacing("\u{1B}", with: ""))
        let page = try StoryPage.text(Array(try await bench.door.answer(.GET, "/why/w").body.utf8))
        #expect(page.hasPrefix("Request w\n"))
        #expect(page.contains("attempt 1: default (us-chicago-1), xai.grok-4: rate_limited, status 429"))
        #expect(page.contains("attempt 2: account_2 (us-chicago-1), xai.grok-4: succeeded, status 200"))
        #expect(page.contains("passed over account_3: was available; the strategy chose another one"))
        #expect(page.contains("opc-request-id opc-1"))
        #expect(throws: ExitError.self) { try StoryPage.text(Array("{}".utf8)) }
    }
}
