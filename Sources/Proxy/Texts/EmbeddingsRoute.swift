import NIOCore
import ProxyRouting

/// `POST /v1/embeddings`: cuts the texts into what a model takes at once, embeds the batches side by side, each at any account,
/// and joins them in their order. All of them have to succeed.
struct EmbeddingsRoute: Sendable {
    /// Batches of one request that are under way at a time: enough to use several accounts, too few to take them all.
    static let mostAtOnce = 4

    let calls: TextCalls

    nonisolated(nonsending) func respond(_ context: RequestContext) async throws {
        let body = context.request.body
        let (root, received) = try await LargeWork.run(on: body.count) {
            let root = try RequestField(body: body)
            return (root, try PassThroughRequest(root, of: body))
        }
        context.record.model = received.model
        context.trace.ask(for: received.model)
        let job = try calls.job(.embeddings, model: received.model, root.value, of: context)
        if calls.passes(job) { return context.send(.json(try await calls.pass(received, as: .embeddings, for: job))) }
        let (request, batches) = try await LargeWork.run(on: body.count) {
            let request = try EmbeddingsRequest.parse(received.received)
            return (request, try OpenAIToEmbed.translate(request, to: job.target.serving, modelID: job.target.modelID))
        }
        let parts = try await parts(of: batches, in: request, for: job)
        let size = parts.reduce(0) { $0 + $1.entries.count }
        context.send(.json(try await LargeWork.run(on: size) { EmbedToOpenAI.join(parts, model: request.model) }))
    }

    /// Each batch's part of the answer, in their order. The first failure ends the others.
    private func parts(
        of batches: [OpenAIToEmbed.Batch], in request: EmbeddingsRequest, for job: TextCalls.Job
    ) async throws -> [EmbedToOpenAI.Part] {
        try await withThrowingTaskGroup(of: (place: Int, part: EmbedToOpenAI.Part).self) { group in
            var parts: [Int: EmbedToOpenAI.Part] = [:]
            for (place, batch) in batches.enumerated() {
                if place >= Self.mostAtOnce, let done = try await group.next() { parts[done.place] = done.part }
                group.addTask {
                    let part = try await calls.make(
                        job, .details(.embed, batch.details), call: place, texts: request.inputs[batch.range]
                    ) { body, _ throws(Failure) in
                        let part = try EmbedToOpenAI.part(body, range: batch.range, format: request.format)
                        return (part, part.usage)
                    }
                    return (place, part)
                }
            }
            for try await done in group { parts[done.place] = done.part }
            return batches.indices.compactMap { parts[$0] }
        }
    }
}
