import NIOCore

/// `POST /v1/rerank`: which documents belong to a query, the best first.
struct RerankRoute: Sendable {
    let calls: TextCalls

    func respond(_ exchange: inout Exchange) async throws {
        let request = try RerankRequest.parse(Array(buffer: exchange.request.body))
        exchange.record.model = request.model
        let job = try calls.job(.rerank, model: request.model, of: exchange)
        defer { job.tally.write(to: &exchange.record) }
        let id = "rerank-" + RequestID.randomHex()
        let answer = try await calls.make(job, OpenAIToRerank.translate(request, to: job.target.serving)) { body throws(APIError) in
            let answer = try RerankToOpenAI.translate(body, to: request, id: id)
            return (answer.body, answer.usage)
        }
        exchange.send(.json(answer))
    }
}
