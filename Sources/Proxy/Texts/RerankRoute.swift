import NIOCore
import ProxyRouting

/// `POST /v1/rerank`: which documents belong to a query, the best first.
struct RerankRoute: Sendable {
    let calls: TextCalls

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let (root, received) = try await LargeWork.run(on: body.count) {
            let root = try RequestField(body: body)
            return (root, try PassThroughRequest(root, of: body))
        }
        context.record.model = received.model
        context.trace.ask(for: received.model)
        let job = try calls.job(.rerank, model: received.model, root.value, of: context)
        if calls.passes(job) { return context.send(.json(try await calls.pass(received, as: .rerank, for: job))) }
        let (request, details) = try await LargeWork.run(on: body.count) {
            let request = try RerankRequest.parse(received.received)
            return (request, OpenAIToRerank.translate(request, to: job.target.serving))
        }
        let id = "rerank-" + RequestID.randomHex()
        let answer = try await calls.make(job, .details(.rerank, details)) { body, _ throws(Failure) in
            let answer = try RerankToOpenAI.translate(body, to: request, id: id)
            return (answer.body, answer.usage)
        }
        context.send(.json(answer))
    }
}
