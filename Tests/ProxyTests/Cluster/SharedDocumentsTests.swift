import ProxyCluster
import ProxyRouting
import ProxyTestSupport
import Testing

@testable import Proxy

/// What clients have had kept, from one instance to the other.
@Suite struct SharedDocumentsTests {
    private let engine = MadeUpEngine()
    private let time = ManualTime()

    private struct Instance {
        let documents: SharedDocuments
        let store: ResponseStore
        let makers: ResponseMakers
        let shared: SharedResponses

        init(_ engine: MadeUpEngine, _ time: ManualTime) {
            documents = SharedDocuments(engine, prefix: "{ociai:t}:1:d:", ExchangeBell(), time: time.source)
            store = ResponseStore(time: time.source)
            makers = ResponseMakers()
            shared = SharedResponses(documents: documents, store: store, makers: makers, time: time.source)
            store.join(shared.archive)
            makers.join(shared.archive)
        }

        func keep(_ id: String, key: String = "owner") {
            store.shelf(of: key).keep(
                id, input: [.init(id: "msg_in", bytes: Array(#"{"text":"canary question"}"#.utf8))],
                output: [.init(id: "msg_\(id)", bytes: Array(#"{"text":"canary answer"}"#.utf8))],
                response: Array(#"{"id":"\#(id)"}"#.utf8))
        }
    }

    /// Runs both while the body does something, and moves the time on for whoever waits.
    private func run(_ instances: [Instance], _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for instance in instances { group.addTask { await instance.documents.run() } }
            let clock = Task {
                while !Task.isCancelled {
                    await time.waitForSleepers(1)
                    time.advance(by: .milliseconds(50))
                    await Task.yield()
                }
            }
            defer { clock.cancel() }
            try await body()
            group.cancelAll()
        }
        // Whoever waits for somebody to sleep sees it now.
        let last = Task { try? await time.source.sleep(for: .zero) }
        await last.value
    }

    @Test func `What one keeps the other knows, and builds on`() async throws {
        let (here, there) = (Instance(engine, time), Instance(engine, time))
        try await run([here, there]) {
            here.keep("resp_1")
            here.makers.note("resp_up", of: "owner", .init(home: "h", model: "m", name: "n"))
            try await there.shared.bring(responses: ["resp_1", "resp_up"], of: "owner")
            let shelf = there.store.shelf(of: "owner")
            #expect(shelf.items(of: "resp_1")?.map(\.id) == ["msg_in", "msg_resp_1"])
            #expect(shelf["resp_1"]?.response == Array(#"{"id":"resp_1"}"#.utf8))
            #expect(there.makers.known("resp_up", to: "owner") == .made(.init(home: "h", model: "m", name: "n")))
        }
    }

    @Test func `An item that is named alone brings the response that it is of`() async throws {
        let (here, there) = (Instance(engine, time), Instance(engine, time))
        try await run([here, there]) {
            here.keep("resp_1")
            try await there.shared.bring(responses: [], items: ["msg_resp_1"], of: "owner")
            #expect(there.store.shelf(of: "owner").item("msg_resp_1") != nil)
        }
    }

    @Test func `Another client's key finds nothing, and the engine knows nothing`() async throws {
        let (here, there) = (Instance(engine, time), Instance(engine, time))
        try await run([here, there]) {
            here.keep("resp_1")
            try await there.shared.bring(responses: ["resp_1"], of: "other")
            #expect(there.store.shelf(of: "other")["resp_1"] == nil)
        }
        let text = engine.look { $0.documents.map { $0.key + String(decoding: $0.value, as: UTF8.self) } }.joined()
        #expect(!text.isEmpty)
        for secret in ["canary", "resp_1", "owner"] { #expect(!text.contains(secret)) }
    }

    @Test func `Who names nothing that is missing asks nobody`() async throws {
        let one = Instance(engine, time)
        try await run([one]) {
            try await one.shared.bring(responses: [], items: [], of: "owner")
            one.keep("resp_1")
            try await one.shared.bring(responses: ["resp_1"], of: "owner")
        }
        #expect(!engine.takeCommands().contains("MGET"))
    }

    @Test func `What is deleted is gone for all`() async throws {
        let (here, there) = (Instance(engine, time), Instance(engine, time))
        try await run([here, there]) {
            here.keep("resp_1")
            try await there.shared.bring(responses: ["resp_1"], of: "owner")
            #expect(try await there.store.shelf(of: "owner").erase("resp_1"))
            let clock = EngineClock(now: .zero, time: 1_790_000_000_000)
            let news = there.shared.told(clock)
            #expect(news.count == 1)
            var board = NewsBoard()
            for change in news.flatMap({ board.apply(NewsText(origin: "x", news: $0), at: clock.time) }) {
                here.shared.hear(change, clock)
            }
            #expect(here.store.shelf(of: "owner")["resp_1"] == nil)
            try await here.shared.bring(responses: ["resp_1"], of: "owner")
            #expect(here.store.shelf(of: "owner")["resp_1"] == nil)
        }
    }

    @Test func `Without the engine nobody says that it is not there`() async throws {
        let one = Instance(engine, time)
        engine.change { $0.failure = .timedOut }
        try await run([one]) {
            let failure = await #expect(throws: Failure.self) {
                try await one.shared.bring(responses: ["resp_1"], of: "owner")
            }
            #expect(failure.map { OpenAIError($0).status } == 503)
            one.keep("resp_2")
            await #expect(throws: (any Error).self) { try await one.store.shelf(of: "owner").erase("resp_2") }
            #expect(one.store.shelf(of: "owner")["resp_2"] == nil)
        }
    }

    @Test func `What could not be told is told when the engine is back`() async throws {
        let (here, there) = (Instance(engine, time), Instance(engine, time))
        engine.change { $0.failure = .closed }
        try await run([here, there]) {
            here.keep("resp_1")
            await #expect(throws: Failure.self) {
                try await there.shared.bring(responses: ["resp_1"], of: "owner")
            }
            engine.change { $0.failure = nil }
            // Its own turn comes again by itself.
            while there.store.shelf(of: "owner")["resp_1"] == nil {
                try await there.shared.bring(responses: ["resp_1"], of: "owner")
            }
        }
    }

    @Test func `Commands are few, however much is kept`() async throws {
        let one = Instance(engine, time)
        try await run([one]) { await keepMany(one) }
    }

    private func keepMany(_ one: Instance) async {
        let began = time.now
        for number in 0..<200 {
            one.keep("resp_\(number)")
            if number % 20 == 0 { await Task.yield() }
        }
        while engine.look(\.documents.count) < 400 { await Task.yield() }
        // A round each tenth of a second at most, and one before them.
        let rounds = Int((time.now - began) / .milliseconds(100)) + 2
        #expect(engine.takeCommands().count <= rounds)
    }

    @Test func `At its end it takes nothing more`() async throws {
        let one = Instance(engine, time)
        try await run([one]) { one.keep("resp_1") }
        #expect(engine.look(\.documents.count) == 2, "what was to be kept is told")
        one.keep("resp_2")
        #expect(one.documents.lost > 0)
        await #expect(throws: EngineFailure.self) {
            _ = try await one.documents.fetch([.init(kind: .response, id: "x", key: "k")])
        }
    }
}
