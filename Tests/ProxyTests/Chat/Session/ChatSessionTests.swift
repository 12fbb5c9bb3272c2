import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The story of one chat: who is asked, what the client is told, and what becomes of it when the client leaves or its
/// time is over.
@Suite(.timeLimit(.minutes(5))) struct ChatSessionTests {
    private typealias Events = GenericEvents

    private static func request(_ model: String = "a", streams: Bool = true, _ more: String = "") -> String {
        ChatBench.request(model, streams: streams, more)
    }

    /// An error in OCI's form.
    private static func error(_ status: Int, _ message: String) -> String {
        #"{"code":"\#(status)","message":"\#(message)"}"#
    }

    // MARK: One upstream

    @Test func `The first upstream answers with a stream, and holds its permit to the end`() async throws {
        let bench = try await ChatBench(accounts: 2)
        let chat = bench.begin()
        let call = try await bench.call()
        bench.time.advance(by: .seconds(2))
        call.respond()
        call.send(Events.text("one"))
        try await bench.client.run(untilToldOf: "one")
        #expect(await bench.router.snapshot().permits.inUse == 1)
        bench.time.advance(by: .seconds(3))
        call.send(Events.finish + Events.usage + Events.done)
        call.end()
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.status == 200 && end.record.model == "a")
        let told = try await bench.client.told()
        #expect(told.status == 200 && told.hasEnded && told.body.hasSuffix("data: [DONE]\n\n"))
        #expect(end.record.sent == told.body.utf8.count)
        #expect(chat.trace.story == ["began at default, 0.0 seconds", "ended: succeeded, 5.0 seconds"])
        let summary = chat.trace.summary
        #expect(summary.attempts == 1 && summary.account == "default" && summary.firstEvent == .seconds(2))
        #expect(summary.usage == TokenUsage(prompt: 3, completion: 4, total: 7) && summary.fallback == nil)
        let snapshot = await bench.router.snapshot()
        #expect(snapshot.permits.inUse == 0 && snapshot.upstreams.map(\.state.statistics.succeeded) == [1, 0])
        #expect(bench.upstream.calls.count == 1)
    }

    @Test func `The first upstream answers with a document`() async throws {
        let bench = try await ChatBench()
        let chat = bench.begin(Self.request(streams: false))
        try await bench.call().answer(200, Events.document("one"))
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.status == 200)
        let told = try await bench.client.told()
        #expect(told.status == 200 && told.hasEnded && told.body.contains(#""content":"one""#))
        #expect(chat.trace.story == ["began at default, 0.0 seconds", "ended: succeeded, 0.0 seconds"])
        #expect(chat.trace.summary.usage?.total == 7 && chat.trace.summary.firstEvent == nil)
        #expect(await bench.router.snapshot().permits.inUse == 0)
    }

    /// Behind its end its connection may stay open.
    @Test func `A stream in place of a document is gathered, and not waited for behind its end`() async throws {
        let bench = try await ChatBench()
        let chat = bench.begin(Self.request(streams: false))
        let call = try await bench.call()
        call.respond()
        call.send(Events.text("one ") + Events.text("two", finish: "stop"))
        try await bench.client.run { try await call.isRead() }
        #expect(!chat.course.isOver)
        call.send(Events.usage + Events.done)
        #expect(try await bench.end(of: chat).record.status == 200)
        let told = try await bench.client.told()
        #expect(told.body.contains(#""content":"one two""#) && told.body.contains(#""total_tokens":7"#))
        await bench.client.loop.advanceTime(by: LiveStream.drainLimit)
        #expect(call.isCancelled)
    }

    @Test func `A call that is never asked for a stream is told as one`() async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.forcesNonStreaming = true
        let bench = try await ChatBench(limits: limits)
        let chat = bench.begin()
        let call = try await bench.call()
        #expect(!call.body.contains(#""isStream":true"#))
        call.answer(200, Events.document("one"))
        #expect(try await bench.end(of: chat).record.status == 200)
        let told = try await bench.client.told()
        #expect(told.hasEnded && told.body.contains("one") && told.body.hasSuffix("data: [DONE]\n\n"))
        #expect(chat.trace.summary.firstEvent == .zero)
    }

    @Test(arguments: [true, false])
    func `What cannot be read is refused before anybody is asked`(streams: Bool) async throws {
        let bench = try await ChatBench()
        let broken = try await bench.end(of: bench.begin("{"))
        #expect(broken.failure?.status == 400 && broken.record.model == nil)
        let unknown = bench.begin(Self.request("nobody's", streams: streams))
        let end = try await bench.end(of: unknown)
        if streams {
            let told = try await bench.client.told()
            #expect(end.record.status == 404 && end.record.error == "model_not_found")
            #expect(told.status == 404 && told.hasEnded)
        } else {
            #expect(end.failure?.status == 404)
        }
        #expect(bench.upstream.calls.isEmpty && unknown.trace.summary.attempts == 0)
    }

    // MARK: The next upstream

    @Test(arguments: [true, false])
    func `A refusal leads to the next upstream`(streams: Bool) async throws {
        let bench = try await ChatBench(accounts: 3)
        let chat = bench.begin(Self.request(streams: streams))
        try await bench.call(1).answer(500, Self.error(500, "first"))
        try await bench.call(2).answer(429, Self.error(429, "second"))
        let call = try await bench.call(3)
        #expect(await bench.router.snapshot().permits.inUse == 1, "one at a time")
        if streams {
            call.respond()
            call.send(Events.text("one", finish: "stop") + Events.done)
            call.end()
        } else {
            call.answer(200, Events.document("one"))
        }
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.record.status == 200 && told.status == 200 && told.body.contains("one"))
        #expect(!told.body.contains("first") && !told.body.contains("second"))
        let story = chat.trace.story.filter { $0.hasPrefix("began") || $0.hasPrefix("ended") }
        #expect(
            story == [
                "began at default, 0.0 seconds", "ended: failed, 0.0 seconds", "began at account_2, 0.0 seconds",
                "ended: rateLimited(retryAfter: nil), 0.0 seconds", "began at account_3, 0.0 seconds",
                "ended: succeeded, 0.0 seconds",
            ])
        #expect(chat.trace.summary.account == "account_3" && chat.trace.summary.attempts == 3)
        #expect(await bench.router.snapshot().permits.inUse == 0)
    }

    @Test func `An upstream that fails before its first event leads to the next`() async throws {
        let bench = try await ChatBench(accounts: 2)
        let chat = bench.begin()
        let first = try await bench.call(1)
        first.respond()
        first.send(": hello\n\n")
        first.fail(TransportError.closed)
        let second = try await bench.call(2)
        second.respond()
        second.send(Events.text("one", finish: "stop") + Events.done)
        #expect(try await bench.end(of: chat).record.status == 200)
        #expect(try await bench.client.told().body.contains("one"))
        #expect(chat.trace.summary.attempts == 2)
    }

    @Test func `The request's own fault goes back to the client`() async throws {
        let bench = try await ChatBench(accounts: 2, fallbacks: ["a": ["b"]])
        let chat = bench.begin()
        try await bench.call().answer(400, Self.error(400, "no such thing"))
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.record.status == 400 && told.status == 400 && told.hasEnded)
        #expect(told.body.contains("no such thing"))
        #expect(bench.upstream.calls.count == 1 && chat.trace.summary.attempts == 1)
    }

    @Test func `When all have failed they are asked again after a pause, and no more often than configured`()
        async throws
    {
        let bench = try await ChatBench(accounts: 1, retryAttempts: 1)
        let chat = bench.begin(Self.request(streams: false))
        try await bench.call(1).answer(500, Self.error(500, "first"))
        try await bench.client.run { chat.trace.story.last?.hasPrefix("paused") == true && bench.time.sleepers > 0 }
        #expect(bench.upstream.calls.count == 1)
        bench.time.advance(by: .seconds(1))
        try await bench.call(2).answer(500, Self.error(500, "second"))
        let end = try await bench.end(of: chat)
        #expect(end.failure?.status == 502 && end.failure?.message.contains("second") == true)
        let story = chat.trace.story
        #expect(story.contains("paused 0.25 seconds") && story.last == "gave up")
        #expect(chat.trace.summary.attempts == 2 && bench.upstream.calls.count == 2)
    }

    @Test func `Once the client has seen a part no other upstream is asked`() async throws {
        let bench = try await ChatBench(accounts: 2, fallbacks: ["a": ["b"]])
        let chat = bench.begin()
        let call = try await bench.call()
        call.respond()
        call.send(Events.text("one"))
        try await bench.client.run(untilToldOf: "one")
        call.fail(TransportError.closed)
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.record.status == 200 && end.record.error == "upstream_connection_lost", "\(end.record)")
        #expect(told.hasEnded && told.body.contains("upstream_connection_lost") && !told.body.contains("[DONE]"))
        #expect(bench.upstream.calls.count == 1 && chat.trace.summary.attempts == 1)
        let state = await bench.router.snapshot().upstreams[0].state
        #expect(state.statistics.failed == 1 && state.permits.inUse == 0)
    }

    // MARK: What an upstream teaches

    @Test func `A parameter that is refused is left out at the same upstream, and from then on`() async throws {
        let bench = try await ChatBench(accounts: 2)
        let body = Self.request(streams: true, #","temperature":0.5"#)
        let chat = bench.begin(body)
        let first = try await bench.call(1)
        #expect(first.body.contains("temperature"))
        first.answer(
            400, Self.error(400, "Unsupported value: 'temperature' does not support 0.5 with this model."))
        let second = try await bench.call(2)
        #expect(!second.body.contains("temperature"))
        second.respond()
        second.send(Events.text("one", finish: "stop") + Events.done)
        #expect(try await bench.end(of: chat).record.status == 200)
        #expect(chat.trace.story == ["began at default, 0.0 seconds", "ended: succeeded, 0.0 seconds"])

        let next = bench.begin(body)
        let third = try await bench.call(3)
        #expect(!third.body.contains("temperature"))
        third.respond()
        third.send(Events.text("two", finish: "stop") + Events.done)
        #expect(try await bench.end(of: next).record.status == 200)
    }

    @Test func `A request is mended three times and no more`() async throws {
        let bench = try await ChatBench(accounts: 2)
        let chat = bench.begin(
            Self.request(streams: false, #","temperature":0.5,"top_p":0.5,"seed":1,"stop":["x"]"#))
        for (number, parameter) in ["temperature", "top_p", "seed", "stop"].enumerated() {
            let call = try await bench.call(number + 1)
            call.answer(400, Self.error(400, "Argument not supported on this model: \(parameter)"))
        }
        let end = try await bench.end(of: chat)
        #expect(end.failure?.kind == .parameterRefused && end.failure?.message.contains("stop") == true)
        #expect(bench.upstream.calls.count == 4 && chat.trace.summary.attempts == 1)
    }

    // MARK: Fallbacks

    @Test func `Fallbacks are asked in their order, in their own names`() async throws {
        let bench = try await ChatBench(retryAttempts: 0, fallbacks: ["a": ["b", "c"]])
        let chat = bench.begin()
        for (number, model) in ["meta.a", "meta.b"].enumerated() {
            let call = try await bench.call(number + 1)
            #expect(call.body.contains(#""\#(model)""#))
            call.answer(500, Self.error(500, "not \(model)"))
        }
        let third = try await bench.call(3)
        #expect(third.body.contains(#""meta.c""#))
        third.respond()
        third.send(Events.text("one", finish: "stop") + Events.done)
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.record.status == 200 && end.record.model == "a")
        #expect(told.body.contains("one") && told.body.contains(#""model":"c""#) && !told.body.contains("not meta"))
        let story = chat.trace.story.filter { !$0.hasPrefix("passed over") }
        #expect(
            story == [
                "began at default, 0.0 seconds", "ended: failed, 0.0 seconds", "fell back to b",
                "began at default, 0.0 seconds", "ended: failed, 0.0 seconds", "fell back to c",
                "began at default, 0.0 seconds", "ended: succeeded, 0.0 seconds",
            ])
        #expect(chat.trace.summary.fallback == "c" && chat.trace.summary.attempts == 3)
    }

    @Test(arguments: [true, false])
    func `When no fallback can the client is told of the model that it asked for`(streams: Bool) async throws {
        let bench = try await ChatBench(retryAttempts: 0, fallbacks: ["a": ["b", "c"]])
        let chat = bench.begin(Self.request(streams: streams))
        try await bench.call(1).answer(503, Self.error(503, "a is away"))
        try await bench.call(2).answer(500, Self.error(500, "b is broken"))
        try await bench.call(3).answer(500, Self.error(500, "c is broken"))
        let end = try await bench.end(of: chat)
        if streams {
            let told = try await bench.client.told()
            #expect(told.status == 503 && told.hasEnded && told.body.contains("a is away"), "\(told)")
            #expect(end.record.status == 503)
        } else {
            #expect(end.failure?.status == 503 && end.failure?.message.contains("a is away") == true)
        }
        #expect(chat.trace.story.last == "gave up")
        #expect(chat.trace.summary.fallback == nil && chat.trace.summary.attempts == 3)
        #expect(await bench.router.snapshot().permits.inUse == 0)
    }

    // MARK: Time

    @Test(arguments: [true, false])
    func `The request's time ends it, and nobody else is asked`(streams: Bool) async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        (limits.request, limits.nonStreaming) = (.seconds(30), .seconds(50))
        let bench = try await ChatBench(accounts: 2, fallbacks: ["a": ["b"]], limits: limits)
        let chat = bench.begin(Self.request(streams: streams))
        let call = try await bench.call()
        try await bench.pass(streams ? 29 : 49)
        await bench.client.linger()
        #expect(!chat.course.isOver && !call.isCancelled)
        try await bench.pass(1)
        let end = try await bench.end(of: chat)
        if streams {
            #expect(end.record.status == 504 && end.record.error == "upstream_timeout")
            #expect(try await bench.client.told().status == 504)
        } else {
            #expect(end.failure?.kind == .deadline(.request))
        }
        #expect(call.isCancelled && bench.upstream.calls.count == 1)
        #expect(chat.trace.story.contains("ended: outOfTime, \(streams ? "30.0" : "50.0") seconds"))
        #expect(await bench.router.snapshot().permits.inUse == 0 && bench.time.sleepers == 0)
    }

    @Test func `An upstream that says nothing within its own limit leads to the next`() async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        (limits.head, limits.firstToken) = (.seconds(5), .seconds(20))
        let bench = try await ChatBench(accounts: 3, limits: limits)
        let chat = bench.begin()
        let silent = try await bench.call(1)
        try await bench.pass(5)
        let headless = try await bench.call(2)
        #expect(silent.isCancelled)
        headless.respond()
        try await bench.client.run { try await headless.isAwaited() }
        try await bench.pass(20)
        let third = try await bench.call(3)
        #expect(headless.isCancelled)
        third.respond()
        third.send(Events.text("one", finish: "stop") + Events.done)
        #expect(try await bench.end(of: chat).record.status == 200)
        let ends = chat.trace.story.filter { $0.hasPrefix("ended") }
        #expect(
            ends == ["ended: timedOut, 5.0 seconds", "ended: timedOut, 25.0 seconds", "ended: succeeded, 25.0 seconds"])
    }

    @Test func `An upstream that falls silent in the middle ends the stream with an error`() async throws {
        let bench = try await ChatBench(accounts: 2)
        let chat = bench.begin()
        let call = try await bench.call()
        call.respond()
        call.send(Events.text("one"))
        try await bench.client.run(untilToldOf: "one")
        try await bench.client.run { try await call.isAwaited() }
        try await bench.pass(300)
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.record.status == 200 && end.record.error == "upstream_timeout")
        #expect(told.hasEnded && told.body.contains("upstream_timeout") && !told.body.contains("[DONE]"))
        #expect(call.isCancelled && bench.upstream.calls.count == 1)
    }

    // MARK: The client's leaving

    enum Stage: CaseIterable, Sendable { case permit, head, firstEvent, stream, document, pause }

    /// A chat that has come to that stage.
    private func chat(at stage: Stage, of bench: ChatBench) async throws -> ChatBench.Chat {
        let chat = bench.begin(Self.request(streams: stage != .document))
        guard stage != .permit else {
            try await bench.client.run { await bench.router.snapshot().waiting == 1 }
            return chat
        }
        let call = try await bench.call()
        switch stage {
        case .permit, .head: break
        case .firstEvent:
            call.respond()
            try await bench.client.run { try await call.isAwaited() }
        case .stream:
            call.respond()
            call.send(Events.text("one"))
            try await bench.client.run(untilToldOf: "one")
            try await bench.client.run { try await call.isAwaited() }
        case .document:
            call.respond(200, [:])
            call.send("{")
            try await bench.client.run { try await call.isRead() }
        case .pause:
            call.answer(500, "{}")
            try await bench.client.run { chat.trace.events.contains { if case .paused = $0 { true } else { false } } }
        }
        return chat
    }

    @Test(arguments: Stage.allCases)
    func `A client that leaves ends its request at once and gives its permit back`(stage: Stage) async throws {
        let bench = try await ChatBench(permits: 1, fallbacks: ["a": ["b"]])
        var holder: Router.Permit?
        if stage == .permit {
            let other = RouteRequest(
                ticket: bench.router.ticket(), terms: .init(accepts: UpstreamSet(first: 1), model: "meta.a"),
                deadline: .seconds(300))
            holder = try await bench.router.admit(other).get()
        }
        let chat = try await chat(at: stage, of: bench)
        bench.time.advance(by: .milliseconds(100))
        chat.course.cancel()
        let end = try await bench.end(of: chat)
        #expect(end.error is CancellationError)
        let snapshot = await bench.router.snapshot()
        #expect(snapshot.waiting == 0 && snapshot.permits.inUse == (holder == nil ? 0 : 1))
        #expect(snapshot.upstreams[0].state.statistics.failed == (stage == .pause ? 1 : 0))
        try await bench.client.run { bench.time.sleepers == 0 }
        switch stage {
        case .permit:
            #expect(bench.upstream.calls.isEmpty && chat.trace.story == ["passed over [0]", "waited 0.1 seconds"])
        case .head, .firstEvent, .stream, .document:
            #expect(bench.upstream.calls.count == 1 && bench.upstream.calls[0].isCancelled)
            #expect(snapshot.upstreams[0].state.statistics.cancelled == 1)
            #expect(chat.trace.story == ["began at default, 0.0 seconds", "ended: abandoned, 0.1 seconds"])
        case .pause:
            #expect(bench.upstream.calls.count == 1)
        }
        if let holder { await bench.router.end(holder, AttemptEnding(.succeeded)) }
    }

    @Test(arguments: [Stage.head, .stream])
    func `The end of the process is told to a client that is still there`(stage: Stage) async throws {
        let bench = try await ChatBench()
        let chat = try await chat(at: stage, of: bench)
        bench.drain.begin()
        bench.drain.end()
        chat.course.cancel()
        let end = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(end.error == nil && end.record.error == "server_shutting_down")
        #expect(told.status == (stage == .head ? 503 : 200) && told.hasEnded && !told.body.contains("[DONE]"))
        #expect(told.body.contains("server_shutting_down"))
        #expect(await bench.router.snapshot().permits.inUse == 0)
    }

    @Test(arguments: [true, false])
    func `A request that waited for a permit for as long as it may is told so, and asks nobody`(streams: Bool)
        async throws
    {
        let bench = try await ChatBench(permits: 1)
        let alarms = Task { [router = bench.router] in await router.run() }
        defer { alarms.cancel() }
        let holder = RouteRequest(
            ticket: bench.router.ticket(), terms: .init(accepts: UpstreamSet(first: 1), model: "meta.a"),
            deadline: .seconds(600))
        let permit = try await bench.router.admit(holder).get()
        let chat = bench.begin(Self.request(streams: streams))
        try await bench.client.run { await bench.router.snapshot().waiting == 1 }
        try await bench.client.run { bench.time.sleepers > 0 }
        // `request_timeout` of the fixture.
        bench.time.advance(by: .seconds(300))
        let end = try await bench.end(of: chat)
        if streams {
            let told = try await bench.client.told()
            #expect(told.status == 503 && told.body.contains("queue_timeout") && told.hasEnded)
        } else {
            #expect(end.failure?.kind == .overloaded(.queueTimeout) && (end.failure?.retryAfter ?? 0) > 0)
        }
        #expect(chat.trace.story.prefix(2) == ["passed over [0]", "waited 300.0 seconds"])
        #expect(chat.trace.story.last?.hasPrefix("refused: queueTimeout") == true)
        #expect(bench.upstream.calls.isEmpty)
        #expect(await bench.router.snapshot().waiting == 0)
        await bench.router.end(permit, AttemptEnding(.succeeded))
    }

    // MARK: The trace

    @Test func `The trace tells who was passed over, the wait and the attempt`() async throws {
        let bench = try await ChatBench(accounts: 2, permits: 1)
        // One that is throttled, and one that is full.
        let first = bench.begin(Self.request(streams: false))
        try await bench.call(1).answer(429, Self.error(429, "slow down"))
        let busy = try await bench.call(2)
        let chat = bench.begin(Self.request(streams: false))
        try await bench.client.run { await bench.router.snapshot().waiting == 1 }
        bench.time.advance(by: .seconds(1))
        busy.answer(200, Events.document("one"))
        #expect(try await bench.end(of: first).record.status == 200)
        try await bench.call(3).answer(200, Events.document("two"))
        #expect(try await bench.end(of: chat).record.status == 200)
        #expect(
            chat.trace.story == [
                "passed over [0, 1]", "waited 1.0 seconds", "began at account_2, 1.0 seconds",
                "ended: succeeded, 1.0 seconds",
            ])
    }
}
