import ProxyRouting

/// Makes the calls beside chats, each at one account after the other until one succeeds, as documents there and back.
struct TextCalls: Sendable {
    let directory: ModelDirectory
    let failover: Failover
    /// `request_timeout`: from the arrival of a request to the end of its answer, however many calls it takes.
    let requestLimit: Duration
    /// Bytes of the answer to one call.
    let answerLimit: Int
    let time: TimeSource

    /// One request of a client, and where it goes.
    struct Job: Sendable {
        let purpose: ModelSummary.Purpose
        let target: ModelCatalog.Target
        let arrival: Duration
        let deadline: Duration
        /// Whose it is: the name of the client's key.
        let client: String
        let trace: RequestTrace
        /// Of all calls together, where somebody counts.
        let estimate: UsageEstimate?
        let pricing: Pricing?
    }

    /// - Parameter root: the body of the request, parsed.
    /// - Throws: `Failure` when the model is not known, or not made for that.
    func job(_ purpose: ModelSummary.Purpose, model: String, _ root: JSONValue, of context: RequestContext)
        throws(Failure) -> Job
    {
        let target = try directory.catalog.resolve(model, for: purpose, by: context.caller)
        directory.catalog.noteSuccessor(of: model, in: context.trace)
        let provider = directory.catalog.provider(of: target)
        // Once for all calls of it, before the first: they run side by side.
        let pricing = context.prices?.pricing(
            asked: model, for: target.serving.id, of: provider, in: directory.catalog)
        var estimate: UsageEstimate?
        if context.prices != nil {
            let made = UsageEstimate(
                prompt: PromptSize.tokens(ofTextsIn: root),
                characters: pricing?.isByCharacters == true ? PromptSize.characters(ofTexts: root) : nil)
            try context.charge?.admit(.known(made), pricing)
            estimate = made
        }
        return Job(
            purpose: purpose, target: target, arrival: context.arrival, deadline: context.arrival + requestLimit,
            client: context.record.key ?? "", trace: context.trace, estimate: estimate, pricing: pricing)
    }

    /// Makes one call of the job.
    ///
    /// - Parameters:
    ///   - call: its number among the job's.
    ///   - texts: what it sends of the job's texts, as they are written; nil for all of them.
    ///   - read: translates the answer of the upstream of that name, and says what it cost.
    /// - Throws: `Failure`; `CancellationError` when the client has left, or another call of the job has failed.
    func make<Success: Sendable>(
        _ job: Job, _ document: CallDocument, call: Int = 0, texts: ArraySlice<ArraySlice<UInt8>>? = nil,
        _ read: @escaping @Sendable (_ body: [UInt8], _ upstream: String) throws(Failure) -> (Success, TokenUsage?)
    ) async throws -> Success {
        let request = RoutedRequest(
            accepts: job.target.accepts, model: job.target.serving.id, arrival: job.arrival, deadline: job.deadline,
            client: job.client,
            trace: job.trace, call: call, charge: nil, estimate: estimate(of: job, texts),
            pricing: job.pricing)
        return try await failover.run(request) { upstream, report in
            do {
                let body = try await withDeadline(MovingDeadline(at: job.deadline, for: .request, on: time)) {
                    try await answer(to: document, of: upstream.backend, report)
                }
                let (success, usage) = try await report.reading(body.count) { try read(body, upstream.id) }
                report.change { $0.usage = usage }
                return success
            } catch {
                guard let failure = error as? Failure else { throw error }
                // Only of a model that is listed for this: what is asked for the wrong thing may still be good for chats.
                if OutcomeClassifier.outcome(of: failure) == .modelUnavailable,
                    directory.catalog.lists(job.target, for: job.purpose)
                {
                    directory.refuse(job.target.serving.id, at: upstream.index)
                }
                // What stands in the place of an answer comes without a refusal's status.
                throw upstream.backend.withoutKey(failure)
            }
        }
    }

    private func estimate(of job: Job, _ texts: ArraySlice<ArraySlice<UInt8>>?) -> CallEstimate {
        guard let whole = job.estimate else { return .none }
        guard let texts else { return .known(whole) }
        return .known(
            UsageEstimate(
                prompt: PromptSize.tokens(ofTexts: texts),
                characters: job.pricing?.isByCharacters == true ? PromptSize.characters(ofTexts: texts) : nil))
    }

    private func answer(to document: CallDocument, of backend: any Backend, _ report: AttemptReport) async throws
        -> [UInt8]
    {
        let request = report.watching(try await backend.request(document, isStreaming: false))
        return try await backend.successful(try await backend.send(request), noting: report)
            .collect(upTo: answerLimit)
    }

    /// Whether the target's upstreams are sent what the client has sent.
    func passes(_ job: Job) -> Bool { directory.catalog.forms(of: job.target) == [.openAI] }

    /// Passes a request on as it came, but for the model's name, and the answer likewise.
    func pass(_ request: PassThroughRequest, as action: OpenAIAction, for job: Job) async throws -> [UInt8] {
        try await make(job, .openAI(action, request.body(model: job.target.modelID))) {
            body, upstream throws(Failure) in
            let answer = try PassThroughList.read(body, of: action, model: request.model, upstream: upstream)
            return (answer.body, answer.usage)
        }
    }
}
