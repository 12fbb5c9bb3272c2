import NIOCore

/// `POST /v1/chat/completions`: what all chats of one configuration have in common. Each is a `ChatSession`.
final class ChatCompletionsRoute: Sendable {
    let directory: ModelDirectory
    let quirks: ModelQuirks
    let failover: Failover
    /// What may answer in a model's place when nobody can serve it, in this order.
    let fallbacks: [String: [String]]
    let limits: Limits
    let time: TimeSource

    init(
        directory: ModelDirectory, quirks: ModelQuirks, failover: Failover, fallbacks: [String: [String]] = [:],
        limits: Limits, time: TimeSource
    ) {
        self.directory = directory
        self.quirks = quirks
        self.failover = failover
        self.fallbacks = fallbacks
        self.limits = limits
        self.time = time
    }

    /// What the configuration says about time and size.
    struct Limits: Sendable {
        /// From arrival to the first event of a stream.
        var request: Duration
        /// From arrival to the end of a whole answer.
        var nonStreaming: Duration
        /// For the head of a stream's answer; zero for no limit but the others.
        var head: Duration
        /// For the first event of a stream; zero for no limit but `request`.
        var firstToken: Duration
        /// The longest silence inside a stream.
        var idleTimeout: Duration
        /// Silence after which the client is reassured.
        var keepAlive: Duration
        /// Bytes of a whole answer.
        var answer: Int
        /// Sent when the client gave no limit of its own.
        var maxTokens: Int
        /// Call the upstream without streaming whatever the client asked for.
        var forcesNonStreaming: Bool
    }

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let session = try await LargeWork.run(on: body.count) { try ChatSession(body, for: context, by: self) }
        try await session.run()
    }
}
