import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The route of chats over upstreams that a test plays, for one client, on a clock that the test moves. It knows the
/// models `a`, `b` and `c`.
struct ChatBench {
    let time = ManualTime()
    let client: PlayedClient
    let upstream: PlayedUpstream
    let router: Router
    let route: ChatCompletionsRoute
    let drain = Drain()

    /// - Parameters:
    ///   - permits: of each account.
    ///   - retryAttempts: further attempts after the first.
    init(
        accounts: Int = 1, permits: Int = 50, retryAttempts: Int = 3, fallbacks: [String: [String]] = [:],
        limits: ChatCompletionsRoute.Limits = .fixture, rescue: RescuePolicy = RescuePolicy()
    ) async throws {
        let source = time.source
        client = try await PlayedClient()
        upstream = PlayedUpstream(on: client.loop)
        router = try Router.fixture(
            upstream, time: source, accounts: accounts, settings: { _ in .init(maxConcurrency: permits) })
        route = ChatCompletionsRoute(
            directory: ModelDirectory(
                aliases: ["a", "b", "c"].map { ($0, "meta.\($0)") },
                accounts: router.upstreams.map { ModelCatalog.Account($0.backend) }, time: source),
            quirks: ModelQuirks(),
            failover: Failover(router: router, retryAttempts: retryAttempts, random: { 0.5 }), fallbacks: fallbacks,
            limits: limits, rescue: rescue, time: source)
    }

    /// The body of a request.
    static func request(_ model: String = "a", streams: Bool = true, _ more: String = "") -> String {
        #"{"model":"\#(model)","stream":\#(streams),"messages":[{"role":"user","content":"x"}]\#(more)}"#
    }

    /// How a chat has ended.
    struct End: Sendable {
        let record: AccessRecord
        /// What is left to be said to the client, if it is still there.
        let error: (any Error)?

        var failure: Failure? { error as? Failure }
    }

    /// One chat.
    struct Chat {
        let trace: RequestTrace
        let course: Pending<End>
    }

    /// Begins a chat in a task on the event loop of its client's connection, as production does.
    ///
    /// - Parameter respond: answers it; as chat completions, unless another language is spoken.
    func begin(
        _ body: String = request(),
        by respond: (nonisolated(nonsending) @Sendable (RequestContext) async throws -> Void)? = nil
    ) -> Chat {
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/v1/chat/completions")
        let request = ClientRequest(head: head, body: Array(body.utf8), ticket: NoTicket(), peer: ClientPeer())
        // nonisolated(unsafe): the task alone has it from here on, but for the trace, which is for everybody.
        nonisolated(unsafe) let context = RequestContext(
            request, on: client.connection,
            decoration: Decoration(
                for: KnownFields(head.headers), cors: CORS(origins: []), wallClock: time.source.wallClock()),
            drain: drain,
            at: time.now)
        let (route, trace) = (route, context.trace)
        let course = Pending(on: client.connection.executor) {
            do {
                if let respond { try await respond(context) } else { try await route.respond(context) }
                return End(record: context.record, error: nil)
            } catch {
                return End(record: context.record, error: error)
            }
        }
        return Chat(trace: trace, course: course)
    }

    /// Lets things happen until the upstreams have been called so many times, and returns the last call.
    func call(_ number: Int = 1) async throws -> PlayedUpstream.Call {
        try await client.run { upstream.calls.count >= number }
        return upstream.calls[number - 1]
    }

    func end(of chat: Chat) async throws -> End { try await client.end(of: chat.course) }

    /// Time passes, while the watch over deadlines looks at each second.
    func pass(_ seconds: Int) async throws {
        for _ in 0..<seconds {
            try await client.run { time.sleepers > 0 }
            time.advance(by: .seconds(1))
        }
    }

    /// A request that belongs to no front door.
    private final class NoTicket: RequestTicket {
        var isRefused: Bool { false }
        var readsBody: Bool { true }
        var bodyLimit: Int { .max }
        func claim(bodyBytes: Int) -> Bool { true }
        func refusal() -> Response { Response(status: .internalServerError) }
        func release() {}
        nonisolated(nonsending) func respond(to request: ClientRequest, on connection: ClientConnection) async {}
    }
}

extension RequestTrace {
    /// Each event in words.
    var story: [String] {
        events.map { event in
            switch event {
            case .passedOver(let passedOver, _, _): "passed over \(passedOver.map(\.upstream))"
            case .waited(let time, _): "waited \(time)"
            case .paused(let time, _): "paused \(time)"
            case .refused(let refusal, _): "refused: \(refusal)"
            case .began(_, let report, let time): "began at \(report.call.upstream), \(time)"
            case .ended(_, let outcome, let time): "ended: \(outcome), \(time)"
            case .succeeded(let model): "succeeded by \(model)"
            case .fellBack(let model): "fell back to \(model)"
            case .rescue(let model, let result): "\(result) by \(model)"
            case .gaveUp: "gave up"
            }
        }
    }
}
