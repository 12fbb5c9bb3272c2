import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// A rescue on its way: until when it is waited for, and who ends it.
@Suite(.timeLimit(.minutes(5))) struct RescueTimeTests {
    private typealias Events = GenericEvents

    /// A client that has been told "one two", and the call that is to go on.
    private static func broken(
        limit: Duration = .seconds(7), limits: ChatCompletionsRoute.Limits = .fixture
    ) async throws -> (bench: ChatBench, chat: ChatBench.Chat, second: PlayedUpstream.Call, policy: RescuePolicy) {
        var policy = RescuePolicy()
        (policy.mode, policy.limit) = (.verified, limit)
        let bench = try await ChatBench(accounts: 2, limits: limits, rescue: policy)
        let chat = bench.begin()
        let first = try await bench.call()
        first.respond()
        first.send(Events.text("one two"))
        try await bench.client.run(untilToldOf: "one two")
        first.end()
        let second = try await bench.call(2)
        second.respond()
        second.send(Events.text("one"))
        try await bench.client.run { try await second.isAwaited() }
        return (bench, chat, second, policy)
    }

    /// Its reason to end does not prolong it.
    @Test(arguments: [nil, "stop"]) func `Who repeats too slowly is given up, and it speaks against nobody`(
        reason: String?
    )
        async throws
    {
        let (bench, chat, second, policy) = try await Self.broken()
        if let reason {
            second.send(Events.text("", finish: reason))
            try await bench.client.run { try await second.isAwaited() }
        }
        try await bench.pass(6)
        await bench.client.linger()
        #expect(!chat.course.isOver && !second.isCancelled)
        try await bench.pass(1)
        let end = try await bench.end(of: chat)
        #expect(second.isCancelled && end.error == nil)
        #expect(end.record.error == "upstream_stream_incomplete")
        let snapshot = await bench.router.snapshot()
        #expect(snapshot.permits.inUse == 0)
        #expect(snapshot.upstreams.map(\.state.statistics.failed) == [1, 0])
        #expect(policy.counters.all.map(\.result) == [.armed, .attempted, .failed])
    }

    @Test func `A client that leaves takes the second call along`() async throws {
        let (bench, chat, second, policy) = try await Self.broken()
        chat.course.cancel()
        _ = try await bench.end(of: chat)
        #expect(second.isCancelled)
        let snapshot = await bench.router.snapshot()
        #expect(snapshot.permits.inUse == 0 && bench.time.sleepers == 0)
        #expect(snapshot.upstreams.map(\.state.statistics.failed) == [1, 0])
        #expect(snapshot.upstreams.map(\.state.statistics.cancelled) == [0, 1])
        #expect(policy.counters.all.map(\.result) == [.armed, .attempted])
    }

    /// Nor the client's: it has had its first long ago.
    @Test func `The time to catch up is nobody's time to the first token`() async throws {
        let (bench, chat, second, policy) = try await Self.broken()
        try await bench.pass(5)
        second.send(Events.text(" two three"))
        second.send(Events.text("", finish: "stop"))
        try await bench.client.run(untilToldOf: "three")
        second.end()
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.error == nil)
        #expect(policy.counters.all.map(\.result) == [.armed, .attempted, .verified])
        let firstTokens = await bench.router.snapshot().upstreams.map { $0.state.statistics.firstToken.percentile(1) }
        #expect(firstTokens.allSatisfy { $0 < 1000 }, "\(firstTokens)")
        #expect(chat.trace.summary.firstEvent == .zero)
    }

    @Test func `A rescue is waited for though the request is old`() async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.request = .seconds(30)
        var policy = RescuePolicy()
        (policy.mode, policy.limit) = (.verified, .seconds(7))
        let bench = try await ChatBench(accounts: 2, limits: limits, rescue: policy)
        let chat = bench.begin(ChatBench.request("a", streams: true, #","stream_options":{"include_usage":true}"#))
        let first = try await bench.call()
        first.respond()
        first.send(Events.text("one"))
        try await bench.client.run(untilToldOf: "one")
        try await bench.client.run { try await first.isAwaited() }
        try await bench.pass(40)
        first.end()
        let second = try await bench.call(2)
        second.respond()
        second.send(Events.text("one", finish: "stop"))
        try await bench.client.run { try await second.isAwaited() }
        second.send(
            "data: {\"usage\":{\"promptTokens\":3,\"completionTokens\":4,\"totalTokens\":7}}\n\ndata: [DONE]\n\n")
        second.end()
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.error == nil)
        #expect(try await bench.client.told().body.contains(#""total_tokens":7"#))
    }
}
