import NIOCore
import NIOHTTP1
import ProxyRouting

/// `POST /v1/chat/completions`: what all chats of one configuration have in common. Each is a `ChatSession`.
final class ChatCompletionsRoute: Sendable {
    let directory: ModelDirectory
    let quirks: ModelQuirks
    let failover: Failover
    /// What may answer in a model's place when nobody can serve it, in this order.
    let fallbacks: [String: [String]]
    let limits: Limits
    let rescue: RescuePolicy
    let time: TimeSource

    init(
        directory: ModelDirectory, quirks: ModelQuirks, failover: Failover, fallbacks: [String: [String]] = [:],
        limits: Limits, rescue: RescuePolicy = RescuePolicy(), time: TimeSource
    ) {
        self.rescue = rescue
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

    /// What may answer in a model's place to a caller, in this order.
    func fallbacks(of model: String, for caller: Caller?) -> [String] {
        guard let all = fallbacks[model] else { return [] }
        guard let caller, caller.isBoundToModels else { return all }
        let catalog = directory.catalog
        // What is not known stays: it fails as what it is.
        return all.filter { name in
            do throws(Failure) {
                _ = try catalog.resolve(name, for: .chat, by: caller)
                return true
            } catch {
                return error.kind != .forbidden(.model)
            }
        }
    }

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let session = try await LargeWork.run(on: body.count) { try ChatSession(body, for: context, by: self) }
        try await session.run()
    }

    /// A request in another language as it came, if somebody here speaks that.
    ///
    /// - Parameters:
    ///   - headers: names of the client's that belong to the API.
    ///   - home: of what the request builds on, where that is known.
    ///   - onKept: is told the ids of what an upstream keeps.
    nonisolated(nonsending) func native(
        _ dialect: ProviderDialect, _ context: RequestContext, headers: [String] = [], home: String? = nil,
        isInForeground: Bool = false, onKept: NativeRequest.Note? = nil
    ) async throws -> NativeRequest? {
        guard directory.catalog.speaks(dialect) else { return nil }
        let own = headers.compactMap { name in
            let values = context.request.head.headers[name]
            return values.isEmpty ? nil : NativeHeader(name: name, value: values.joined(separator: ","))
        }
        let body = context.request.body
        return try await LargeWork.run(on: body.count) {
            let body = isInForeground ? ResponsesRequest.inForeground(body) : body
            return NativeRequest(dialect, try PassThroughRequest(body: body), headers: own, home: home, onKept: onKept)
        }
    }

    /// A request in another language that is no chat: it goes to who speaks that language, or nowhere.
    nonisolated(nonsending) func respond(
        _ context: RequestContext, _ native: NativeRequest, since failure: Failure, by client: any ClientDialect
    ) async throws {
        let session = try await LargeWork.run(on: native.request.received.count) {
            try ChatSession(native, since: failure, from: client, for: context, by: self)
        }
        try await session.run()
    }

    /// A chat in another language.
    ///
    /// - Parameter asked: a chat completion's request that means the same.
    nonisolated(nonsending) func respond(_ context: RequestContext, asked: [UInt8], by client: any ClientDialect)
        async throws
    {
        let session = try await LargeWork.run(on: asked.count) {
            try ChatSession(asked: asked, from: client, for: context, by: self)
        }
        try await session.run()
    }
}
