import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyTestSupport
import ServiceLifecycle
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Chats of the process itself, through the whole door.
@Suite(.timeLimit(.minutes(5))) struct InProcessChatTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private let log = LogBook()

    private static let question = ChatQuestion(model: "llama-3.3-70b", messages: [.system("Be brief."), .user("x")])

    private static func event(_ text: String, _ more: String = "") -> String {
        #"data: {"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(text)"}]}\#(more)}"#
            + "\n\n"
    }

    private static func response(_ body: ResponseBody) -> TransportResponse {
        TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: body)
    }

    /// Does `body` while a door over `transport` serves.
    private func serve(
        _ transport: FakeTransport, rateLimit: Int = 0, bodyLimit: Int = 1 << 20,
        _ body: (InProcessClients, _ stop: () -> Void) async throws -> Void
    ) async throws {
        let door = try FrontDoor.fixture(
            transport, bodyLimit: bodyLimit, rateLimit: rateLimit, logger: log.logger)
        let clients = InProcessClients(on: loop, drain: door.drain, door: { door })
        let service = Task { [loop] in await FakeTransport.$loop.withValue(loop) { await clients.run() } }
        defer { service.cancel() }
        try await body(clients) { service.cancel() }
        service.cancel()
        await service.value
    }

    private func events(of question: ChatQuestion, from clients: InProcessClients) async throws -> [ChatEvent] {
        var events: [ChatEvent] = []
        for try await event in clients.events(of: question) { events.append(event) }
        return events
    }

    /// A stream that a test feeds, and a sign when it is not wanted any more.
    private func feed() -> (feed: FakeTransport.Feed, transport: FakeTransport, cancels: AsyncStream<Void>) {
        let feed = FakeTransport.$loop.withValue(loop) { FakeTransport.Feed() }
        let (cancels, cancel) = AsyncStream.makeStream(of: Void.self)
        feed.onCancel { cancel.yield() }
        return (feed, FakeTransport { _ in Self.response(feed.body) }, cancels)
    }

    @Test func `What the model says comes as events and is written down`() async throws {
        let transport = FakeTransport { _ in
            Self.response(.fed([Self.event("Hel"), Self.event("lo", #","finishReason":"stop""#)]))
        }
        try await serve(transport) { clients, _ in
            let told = try await events(of: Self.question, from: clients)
            #expect(told == [.text("Hel"), .text("lo"), .finish(.stop)])
            // At once: the books are closed when the events have ended.
            let line = try #require(log.lines.first { $0.message == "request" })
            #expect(line.metadata["key"] == "in-process" && line.metadata["status"] == "200")
            #expect(line.metadata["path"] == "/v1/chat/completions" && line.metadata["account"] == "default")
        }
        #expect(transport.requests.count == 1)
    }

    @Test func `A chat that is not streamed is told at its end`() async throws {
        let document = """
            {"modelId":"m","chatResponse":{"apiFormat":"GENERIC","choices":[{"index":0,"finishReason":"stop",\
            "message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"whole"}]}}]}}
            """
        try await serve(FakeTransport(body: document)) { clients, _ in
            let question = ChatQuestion(json: #"{"model":"llama-3.3-70b","messages":[{"role":"user","content":"x"}]}"#)
            let told = try await events(of: question, from: clients)
            #expect(told == [.text("whole"), .finish(.stop)])
        }
    }

    @Test func `A request that cannot be read is refused as a client's is`() async throws {
        try await serve(FakeTransport(body: "{}"), bodyLimit: 100) { clients, _ in
            let broken = try await #require(throws: ChatFailure.self) {
                try await events(of: ChatQuestion(json: "{"), from: clients)
            }
            #expect(broken.status == 400 && broken.code == "invalid_json")
            let long = try await #require(throws: ChatFailure.self) {
                try await events(of: ChatQuestion(body: [UInt8](repeating: 32, count: 101)), from: clients)
            }
            #expect(long.status == 413 && long.code == "request_too_large")
        }
    }

    @Test func `The limits of a key hold for the process too`() async throws {
        let transport = FakeTransport { _ in Self.response(.fed([Self.event("a", #","finishReason":"stop""#)])) }
        try await serve(transport, rateLimit: 1) { clients, _ in
            _ = try await events(of: Self.question, from: clients)
            let failure = try await #require(throws: ChatFailure.self) {
                try await events(of: Self.question, from: clients)
            }
            #expect(failure.status == 429 && failure.code == "rate_limit_exceeded" && failure.retryAfter == 60)
        }
        #expect(transport.requests.count == 1)
    }

    @Test func `A reader that is cancelled ends the call to the upstream`() async throws {
        let (feed, transport, cancels) = feed()
        try await serve(transport) { clients, _ in
            let (firsts, first) = AsyncStream.makeStream(of: ChatEvent.self)
            let reader = Task { for try await event in clients.events(of: Self.question) { first.yield(event) } }
            feed.send(Self.event("part"))
            let told = await firsts.first { _ in true }
            #expect(told == .text("part"))
            reader.cancel()
            // Without a sign the time of the test runs out.
            _ = await cancels.first { _ in true }
            _ = await reader.result
        }
        #expect(log.lines.first { $0.message == "request" }?.metadata["status"] == "499")
    }

    @Test func `A stream that is dropped ends the call to the upstream`() async throws {
        let (feed, transport, cancels) = feed()
        try await serve(transport) { clients, _ in
            feed.send(Self.event("part"))
            let first = try await clients.events(of: Self.question).first { _ in true }
            #expect(first == .text("part"))
            // Without a sign the time of the test runs out.
            _ = await cancels.first { _ in true }
        }
    }

    @Test func `A chat that nobody reads is not asked`() async throws {
        let (_, transport, _) = feed()
        try await serve(transport) { clients, _ in _ = clients.events(of: Self.question) }
        #expect(transport.requests.isEmpty)
    }

    @Test func `A service that ends says so to those who read and to those who ask`() async throws {
        let (feed, transport, _) = feed()
        try await serve(transport) { clients, stop in
            feed.send(Self.event("part"))
            var told: [ChatEvent] = []
            let failure = try await #require(throws: ChatFailure.self) {
                for try await event in clients.events(of: Self.question) {
                    told.append(event)
                    stop()
                }
            }
            #expect(told == [.text("part")] && failure.code == "server_shutting_down")
            let late = try await #require(throws: ChatFailure.self) {
                try await events(of: Self.question, from: clients)
            }
            #expect(late.code == "server_shutting_down")
        }
    }

    /// A chat under way when the service is told to stop, which gives it so much time.
    private func stop(
        _ transport: FakeTransport, within grace: Duration,
        _ body: (InProcessClients, _ stop: () async -> Void) async throws -> Void
    ) async throws {
        let door = try FrontDoor.fixture(transport, shutdownGrace: grace, logger: log.logger)
        let clients = InProcessClients(on: loop, drain: door.drain, door: { door })
        let group = ServiceGroup(services: [clients], logger: .silent)
        let service = Task { [loop] in try await FakeTransport.$loop.withValue(loop) { try await group.run() } }
        try await body(clients) { await group.triggerGracefulShutdown() }
        try await service.value
    }

    @Test func `A chat has the time of the shutdown to end`() async throws {
        let (feed, transport, _) = feed()
        try await stop(transport, within: .seconds(600)) { clients, stop in
            feed.send(Self.event("part"))
            var told: [ChatEvent] = []
            for try await event in clients.events(of: Self.question) {
                told.append(event)
                guard told.count == 1 else { continue }
                await stop()
                feed.send(Self.event(" and the rest", #","finishReason":"stop""#))
                feed.end()
            }
            #expect(told == [.text("part"), .text(" and the rest"), .finish(.stop)])
        }
    }

    @Test func `A chat that takes longer than the shutdown may is told`() async throws {
        let (feed, transport, cancels) = feed()
        try await stop(transport, within: .zero) { clients, stop in
            feed.send(Self.event("part"))
            let failure = try await #require(throws: ChatFailure.self) {
                for try await _ in clients.events(of: Self.question) { await stop() }
            }
            #expect(failure.code == "server_shutting_down")
        }
        for await _ in cancels { break }
    }

    @Test func `A service that does not run yet says so`() async throws {
        let clients = InProcessClients(on: loop, drain: Drain(), door: { nil })
        let failure = try await #require(throws: ChatFailure.self) {
            try await events(of: Self.question, from: clients)
        }
        #expect(failure.status == 503 && failure.message.contains("run()"))
    }
}
