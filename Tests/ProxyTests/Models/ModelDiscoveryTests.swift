import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct ModelDiscoveryTests {
    /// An upstream whose list a test changes.
    private final class Lists: Sendable {
        /// By account: the pages, each a list of names; nil for an account that fails.
        let pages: Mutex<[[[String]]?]>
        let calls = Mutex(0)

        init(_ pages: [[[String]]?]) { self.pages = Mutex(pages) }

        func transport(_ account: Int) -> FakeTransport {
            FakeTransport { request in
                self.calls.withLock { $0 += 1 }
                guard let pages = self.pages.withLock({ $0[account] }) else {
                    throw TransportError.cannotConnect("down")
                }
                let number = RequestTarget.query("page", of: request.url).flatMap { Int($0) } ?? 0
                let items = pages[number].map {
                    #"{"displayName":"\#($0)","id":"ocid1.generativeaimodel.oc1.r.\#($0)","capabilities":["CHAT"],"lifecycleState":"ACTIVE","type":"BASE"}"#
                }
                var headers: HTTPHeaders = [:]
                if number + 1 < pages.count { headers.add(name: "opc-next-page", value: "\(number + 1)") }
                return TransportResponse(
                    status: 200, headers: headers,
                    body: ResponseBody.fed([#"{"items":["# + items.joined(separator: ",") + "]}"]))
            }
        }
    }

    private func with(
        _ lists: Lists, time: ManualTime = ManualTime(), interval: Duration = .seconds(10),
        _ body: (ModelDiscovery, ModelDirectory) async throws -> Void
    ) async throws {
        let count = lists.pages.withLock { $0.count }
        let router = Router(
            try (0..<count).map {
                (try OCIAccount.fixture(lists.transport($0), time: time.source, id: "account_\($0 + 1)"), .init())
            },
            limits: .init(concurrency: 9, queue: 9), strategy: RoundRobin(), time: time.source, logger: .silent)
        let directory = ModelDirectory(
            aliases: [("mine", "xai.grok-4")], accounts: (0..<count).map { _ in ModelCatalog.Account(region: "r") },
            time: time.source)
        let discovery = ModelDiscovery(
            router.upstreams, into: directory, interval: interval, time: time.source, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await discovery.run() }
            _ = await discovery.refresh()
            try await body(discovery, directory)
            group.cancelAll()
        }
    }

    /// A configuration is replaced while somebody waits for its round, or asks for one afterwards.
    @Test func `Who asks when it is over gets a round of his own`() async throws {
        let lists = Lists([[["xai.grok-4"]]])
        try await with(lists) { discovery, _ in
            lists.pages.withLock { $0[0] = [["xai.grok-4", "xai.grok-5"]] }
            let report = try await withThrowingTaskGroup(of: ModelDiscovery.Report?.self) { group in
                let run = Task { await discovery.run() }
                run.cancel()
                await run.value
                group.addTask { await discovery.refresh() }
                return try #require(try await group.next() ?? nil)
            }
            #expect(report.added == ["grok-5"] && report.accounts.map(\.error) == [nil])
        }
    }

    @Test func `A new configuration starts with the lists of those who stay`() async throws {
        let time = ManualTime()
        let lists = Lists([[["xai.grok-4"]], [["xai.grok-5"]], [["xai.grok-6"]]])
        let router = Router(
            try (0..<3).map {
                (try OCIAccount.fixture(lists.transport($0), time: time.source, id: "account_\($0 + 1)"), .init())
            },
            limits: .init(concurrency: 9, queue: 9), strategy: RoundRobin(), time: time.source, logger: .silent)
        func listed(_ id: String) -> ModelSummary {
            ModelSummary(
                displayName: id, ocid: "", vendor: nil, capabilities: ["CHAT"], isActive: true, isBase: true,
                created: nil, retired: nil)
        }
        func directory(_ places: [Int], after: ModelDirectory?) -> ModelDirectory {
            ModelDirectory(
                aliases: [], upstreams: places.map { router.upstreams[$0] }, places: 3, after: after, names: .init(),
                time: time.source)
        }
        let before = directory([0, 1], after: nil)
        _ = before.update([0: [listed("xai.grok-4")], 1: [listed("xai.grok-5")]])
        let after = directory([1, 2], after: before)
        #expect(after.catalog.entries.map(\.name) == ["grok-5"])
        #expect(after.isDiscovered(1) && !after.isDiscovered(2))
        // Who is gone is asked for nothing; who is new may be asked for everything.
        #expect(Array(try after.catalog.resolve("xai.grok-4").accepts) == [1, 2])
        #expect(Array(try after.catalog.resolve("grok-5").accepts) == [1, 2])

        // Nobody new: nobody is asked.
        let unchanged = directory([1], after: after)
        let discovery = ModelDiscovery(
            [router.upstreams[1]], into: unchanged, interval: .seconds(10), time: time.source, logger: .silent)
        await discovery.refreshIfDue()
        #expect(lists.calls.withLock { $0 } == 0)
    }

    @Test func `Takes all pages of all accounts empty ones included`() async throws {
        try await with(Lists([[["xai.grok-4"], [], ["meta.llama-3-70b-instruct"]], [["xai.grok-4"]]])) { _, directory in
            let catalog = directory.catalog
            #expect(catalog.entries.map(\.name) == ["mine", "grok-4", "llama-3-70b"])
            let (grok, llama) = (try catalog.resolve("grok-4"), try catalog.resolve("llama-3-70b"))
            #expect(Array(grok.accepts) == [0, 1] && Array(llama.accepts) == [0])
        }
    }

    @Test func `Says what has come and gone and how each account did`() async throws {
        let lists = Lists([[["xai.grok-4", "xai.grok-3"]], nil])
        try await with(lists) { discovery, directory in
            #expect(directory.catalog["grok-3"] != nil && !directory.isDiscovered(1))
            lists.pages.withLock { $0 = [[["xai.grok-4", "xai.grok-5"]], [["meta.x"]]] }
            let report = try #require(await discovery.refresh())
            #expect(report.added == ["grok-5", "x"] && report.removed == ["grok-3"])
            lists.pages.withLock { $0[0] = nil }
            let failed = try #require(await discovery.refresh())
            #expect(failed.added.isEmpty && failed.removed.isEmpty, "the last list is kept")
            #expect(failed.accounts.map { $0.error == nil } == [false, true])
            #expect(directory.catalog["grok-5"] != nil)
        }
    }

    @Test func `One round serves all who ask`() async throws {
        let lists = Lists([[["xai.grok-4"]]])
        try await with(lists) { discovery, _ in
            let before = lists.calls.withLock { $0 }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { _ = await discovery.refresh() } }
            }
            // All of them joined the first round, or the one after it.
            #expect(lists.calls.withLock { $0 } - before <= 50 && lists.calls.withLock { $0 } > before)
        }
    }

    @Test func `A young list is not asked for again`() async throws {
        let time = ManualTime()
        let lists = Lists([[["xai.grok-4"]]])
        try await with(lists, time: time) { discovery, _ in
            let before = lists.calls.withLock { $0 }
            for _ in 0..<5 { await discovery.refreshIfDue() }
            #expect(lists.calls.withLock { $0 } == before)
            time.advance(by: .seconds(10))
            await discovery.refreshIfDue()
            #expect(lists.calls.withLock { $0 } == before + 1)
        }
    }

    @Test func `Who has never listed anything is asked again by itself`() async throws {
        let time = ManualTime()
        let lists = Lists([nil])
        try await with(lists, time: time) { _, directory in
            let alias = try directory.catalog.resolve("mine")
            #expect(alias.serving.id == "xai.grok-4", "aliases work without a list")
            lists.pages.withLock { $0[0] = [["xai.grok-5"]] }
            // The deadline of nobody: only the pause sleeps.
            await time.waitForSleepers()
            time.advance(by: ModelDiscovery.firstPause)
            while directory.catalog["grok-5"] == nil { await Task.yield() }
        }
    }

    /// Each pause ends in a round, and a round may ask for a pause: were there one for each round that clients begin, rounds would
    /// become more and more until they follow each other without end.
    @Test(.timeLimit(.minutes(5))) func `Rounds that clients begin do not add pauses of their own`() async throws {
        let time = ManualTime()
        let lists = Lists([nil])
        try await with(lists, time: time) { discovery, _ in
            for _ in 0..<20 { _ = await discovery.refresh() }
            await time.waitForSleepers()
            for _ in 0..<1000 { await Task.yield() }
            #expect(time.sleepers == 1)
            let before = lists.calls.withLock { $0 }
            time.advance(by: ModelDiscovery.firstPause)
            while lists.calls.withLock({ $0 }) == before { await Task.yield() }
            await time.waitForSleepers()
        }
    }

    @Test func `A refusal lasts until the next list`() async throws {
        try await with(Lists([[["xai.grok-4"]], [["xai.grok-4"]]])) { discovery, directory in
            directory.refuse("xai.grok-4", at: 0)
            let one = try directory.catalog.resolve("grok-4")
            #expect(Array(one.accepts) == [1])
            _ = await discovery.refresh()
            let both = try directory.catalog.resolve("grok-4")
            #expect(Array(both.accepts) == [0, 1])
        }
    }

    @Test func `A list that does not end is cut`() async throws {
        try await with(Lists([Array(repeating: ["xai.grok-4"], count: 5000)])) { _, directory in
            #expect(directory.isDiscovered(0))
        }
    }
}
