@testable import Proxy
@testable import ProxyRouting

/// What clients of chat completions get, without a request.
extension ChatReader {
    static func passThrough(model: String, mayBeEmpty: Bool = false) -> ChatReader {
        .passThrough(ChatCompletionsDialect(ChunkEnvelope(id: "x", created: 1, model: model)), mayBeEmpty: mayBeEmpty)
    }

    func answer(_ body: [UInt8], of upstream: String, in envelope: ChunkEnvelope) throws(Failure) -> ClientResponse {
        let client = client(envelope)
        return try by(client).answer(body, of: upstream, to: client)
    }

    func frames(of body: [UInt8], of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool) throws(Failure)
        -> StreamedResponse
    {
        let client = client(envelope, includesUsage: includesUsage)
        return try by(client).frames(of: body, of: upstream, to: client)
    }

    func relay(of upstream: String, in envelope: ChunkEnvelope, includesUsage: Bool, choices: Int = 1)
        -> any ResponseRelay
    {
        let client = client(envelope, includesUsage: includesUsage)
        return by(client).relay(of: upstream, to: client, choices: choices)
    }

    /// A provider's model has the name that its reader was given.
    private func client(_ envelope: ChunkEnvelope, includesUsage: Bool = false) -> ChatCompletionsDialect {
        if case .passThrough(let own, _) = self {
            return ChatCompletionsDialect(envelope.naming(own.envelope.model), includesUsage: includesUsage)
        }
        return ChatCompletionsDialect(envelope, includesUsage: includesUsage)
    }

    private func by(_ client: ChatCompletionsDialect) -> ChatReader {
        if case .passThrough(_, let mayBeEmpty) = self { .passThrough(client, mayBeEmpty: mayBeEmpty) } else { self }
    }
}

extension ChatCall.CallContext {
    convenience init(
        limits: ChatCompletionsRoute.Limits, time: TimeSource, deadline: Duration, envelope: ChunkEnvelope,
        includesUsage: Bool, choices: Int = 1, executor: EventLoopExecutor
    ) {
        self.init(
            limits: limits, time: time, deadline: deadline,
            client: ChatCompletionsDialect(envelope, includesUsage: includesUsage), choices: choices, executor: executor
        )
    }
}
