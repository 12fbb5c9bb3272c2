import NIOHTTP1
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What the operator's page is given.
@Suite struct WindowTests {
    private struct Bench {
        let time = ManualTime()
        let router: Router
        let feed: WindowFeed
        let running = RunningRequests()

        init(accounts: Int = 3) throws {
            router = try Router.fixture(time: time.source, accounts: accounts)
            let directory = ModelDirectory(
                aliases: [("grok-4", "xai.grok-4")],
                accounts: router.upstreams.map { ModelCatalog.Account($0.backend) },
                time: time.source)
            feed = WindowFeed(
                WindowSource(
                    mode: "single", strategy: "round_robin", version: "1", startedAt: 0,
                    accountList: AccountList(entries: (0..<accounts).map { .serving($0) }), router: router,
                    directory: directory, running: running, recent: { [] }, ledger: { nil }, alerts: { [] },
                    warnings: ["<b>careful</b>"], drain: Drain()), time: time.source)
        }

        func attempt(_ outcome: AttemptOutcome, at account: Int) async throws {
            let request = RouteRequest(
                ticket: router.ticket(), terms: .init(accepts: UpstreamSet([account]), model: "m"),
                deadline: time.now + .seconds(300))
            let permit = try await router.admit(request).get()
            await router.end(
                permit,
                AttemptEnding(
                    outcome, error: Failure(.throttled, "slow <down>"), usage: nil, firstEvent: nil))
        }
    }

    private func json(_ text: [UInt8]) throws -> JSONValue { try JSONDocument(parsing: text).root }

    @Test func `The whole state says which upstreams serve and until when others rest`() async throws {
        let bench = try Bench()
        try await bench.attempt(.accountExhausted(retryAfter: 40), at: 1)
        let state = try json(await bench.feed.whole().text)
        #expect(state["level"]?.string == "degraded")
        #expect(state["serving"]?.int == 2 && state["total"]?.int == 3)
        let upstreams = state["upstreams"]?.elements.map { $0 } ?? []
        #expect(upstreams.map { $0["state"]?.string } == ["ready", "cooling", "ready"])
        #expect(upstreams[1]["until"]?.string == RFC3339.format(bench.time.source.wallClock() + 40))
        #expect(upstreams[1]["rate_limited_last_minute"]?.int == 1)
        #expect(upstreams[1]["last_error"]?["message"]?.string?.contains("slow <down>") == true)
        #expect(state["warnings"]?.elements.first { _ in true }?.string == "<b>careful</b>")
    }

    @Test func `Nothing is sent when nothing has changed, and only what has when something did`() async throws {
        let bench = try Bench()
        let (version, _) = await bench.feed.whole()
        bench.time.advance(by: .seconds(5))
        #expect(await bench.feed.change(since: version) == nil)
        try await bench.attempt(.accountExhausted(retryAfter: 40), at: 2)
        bench.time.advance(by: .seconds(1))
        let change = try #require(await bench.feed.change(since: version))
        let part = try json(change.text)
        #expect(part["upstreams"]?.elements.map { $0["id"]?.string } == ["account_3"])
        #expect(part["level"]?.string == "degraded")
        #expect(part["mode"] == nil && part["warnings"] == nil, "they are as they were")
        #expect(await bench.feed.change(since: change.version) == nil)
    }

    @Test func `The state is made once a second however many ask`() async throws {
        let bench = try Bench()
        let first = await bench.feed.whole()
        try await bench.attempt(.accountExhausted(retryAfter: 40), at: 0)
        for _ in 0..<5 { #expect(await bench.feed.change(since: first.version) == nil, "it is not a second later yet") }
        bench.time.advance(by: .seconds(1))
        let texts = await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<20 {
                group.addTask { await bench.feed.change(since: first.version)?.text ?? [] }
            }
            return await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(texts.count == 1 && texts.first?.isEmpty == false)
    }

    /// However seldom a viewer asks: the whole and all that came since make the whole of now.
    @Test(arguments: 0..<20) func `Changes put together make the state`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let bench = try Bench(accounts: 4)
        struct Viewer {
            var version: WindowFeed.Version
            var parts: [String: String] = [:]
            var upstreams: [String: String] = [:]

            mutating func take(_ root: JSONValue) {
                for (key, value) in root.members where key.string != "upstreams" {
                    parts[key.string ?? ""] = String(decoding: value.raw, as: UTF8.self)
                }
                for upstream in root["upstreams"]?.elements.map({ $0 }) ?? [] {
                    upstreams[upstream["id"]?.string ?? ""] = String(decoding: upstream.raw, as: UTF8.self)
                }
            }
        }
        var viewers: [Viewer] = []
        for _ in 0..<3 {
            let whole = await bench.feed.whole()
            var viewer = Viewer(version: whole.version)
            viewer.take(try json(whole.text))
            viewers.append(viewer)
        }
        for _ in 0..<30 {
            let outcomes: [AttemptOutcome] = [
                .succeeded, .accountExhausted(retryAfter: 3), .failed, .rateLimited(retryAfter: 1),
            ]
            let account = Int.random(in: 0..<4, using: &random)
            let state = await bench.router.snapshot().upstreams[account].state
            // Who rests takes none, and a wait for it would have no end.
            let view = state.view(of: "m", at: bench.time.now)
            if view.own == .available, view.model == .available {
                try await bench.attempt(outcomes.randomElement(using: &random)!, at: account)
            }
            bench.time.advance(by: .milliseconds(Int.random(in: 0..<2500, using: &random)))
            for index in viewers.indices where Int.random(in: 0..<3, using: &random) == 0 {
                guard let change = await bench.feed.change(since: viewers[index].version) else { continue }
                viewers[index].version = change.version
                viewers[index].take(try json(change.text))
            }
        }
        bench.time.advance(by: .seconds(2))
        let whole = await bench.feed.whole()
        var expected = Viewer(version: whole.version)
        expected.take(try json(whole.text))
        expected.parts["at"] = nil
        for index in viewers.indices {
            if let change = await bench.feed.change(since: viewers[index].version) {
                viewers[index].take(try json(change.text))
            }
            viewers[index].parts["at"] = nil
            #expect(viewers[index].parts == expected.parts)
            #expect(viewers[index].upstreams == expected.upstreams)
        }
    }

    @Test func `No more than twenty watch`() async throws {
        let feed = try Bench().feed
        for _ in 0..<WindowFeed.mostViewers { #expect(await feed.enter()) }
        #expect(await !feed.enter())
        await feed.leave()
        #expect(await feed.enter())
    }

    // MARK: Requests that run

    @Test func `Running requests are shown, the newest first, and no longer when they have ended`() async throws {
        let bench = try Bench()
        var places: [RunningRequests.Place] = []
        for number in 0..<3 {
            let trace = RequestTrace(
                RequestTrace.Head(id: "r\(number)", arrivedAt: Int64(number) * 1_000_000, path: "/p", key: "<k>"))
            trace.ask(for: "m<1>", isStreaming: number == 1)
            places.append(bench.running.add(trace))
        }
        #expect(bench.running.count == 3 && bench.running.trace(of: "r1")?.question.isStreaming == true)
        let state = try json(await bench.feed.whole().text)
        #expect(state["running"]?.elements.map { $0["id"]?.string } == ["r2", "r1", "r0"])
        #expect(state["running"]?.elements.map { $0["phase"]?.string } == ["queued", "queued", "queued"])
        bench.running.remove(places[1])
        #expect(bench.running.all.map(\.head.id) == ["r2", "r0"])
        for place in [places[0], places[2]] { bench.running.remove(place) }
        #expect(bench.running.count == 0 && bench.running.trace(of: "r0") == nil)
    }

    @Test func `Requests that begin and end on many threads leave nothing behind`() async {
        let running = RunningRequests()
        await withDiscardingTaskGroup { group in
            for task in 0..<16 {
                group.addTask {
                    for number in 0..<200 {
                        let place = running.add(RequestTrace(RequestTrace.Head(id: "\(task)-\(number)")))
                        await Task.yield()
                        running.remove(place)
                    }
                }
            }
        }
        #expect(running.count == 0 && running.all.isEmpty)
    }

    // MARK: Files

    @Test func `The page and its files are open, and nothing else may come into them`() async throws {
        let door = try FrontDoor.fixture()
        let page = try await door.keylessAnswer(.GET, "/dashboard", headers: ["host": "x"])
        #expect(page.status == 200)
        #expect(page.headers["content-type"].first == "text/html; charset=utf-8")
        let policy = try #require(page.headers["content-security-policy"].first)
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
        let tag = try #require(page.headers["etag"].first)
        let again = try await door.keylessAnswer(.GET, "/dashboard", headers: ["host": "x", "if-none-match": tag])
        #expect(again.status == 304 && again.body.isEmpty)
        #expect(try await door.keylessAnswer(.GET, "/dashboard/nothing.js", headers: ["host": "x"]).status == 404)
        #expect(try await door.keylessAnswer(.GET, "/dashboard/../secret", headers: ["host": "x"]).status == 404)
        #expect(try await door.keylessAnswer(.POST, "/dashboard", headers: ["host": "x"]).status == 405)
        var size = 0
        for (name, text) in EmbeddedPage.files {
            size += text.utf8.count
            let file = try await door.keylessAnswer(.GET, "/dashboard/\(name)", headers: ["host": "x"])
            #expect(file.status == 200 && file.body == text, "\(name)")
            #expect(file.headers["content-type"].first?.hasPrefix("text/") == true)
            #expect(!text.contains("innerHTML") && !text.contains("localStorage.setItem(\"key"), "\(name)")
        }
        #expect(size <= 150 * 1024, "all of it together")
        #expect(EmbeddedPage.files.contains { $0.name == "index.html" })
    }
}
