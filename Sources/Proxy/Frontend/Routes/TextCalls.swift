import Synchronization

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
        let action: OCIAccount.TextAction
        let target: ModelCatalog.Target
        let deadline: Duration
        let tally: CallTally
    }

    /// - Throws: `APIError` when the model is not known, or not made for that.
    func job(_ action: OCIAccount.TextAction, model: String, of exchange: Exchange) throws(APIError) -> Job {
        Job(
            action: action, target: try directory.catalog.resolve(model, for: action.purpose), deadline: exchange.arrival + requestLimit,
            tally: CallTally())
    }

    /// Makes one call of the job.
    ///
    /// - Parameters:
    ///   - place: of this call among the job's.
    ///   - read: translates the answer, and says what it cost.
    /// - Throws: `APIError`; `CancellationError` when the client has left, or another call of the job has failed.
    func make<Success: Sendable>(
        _ job: Job, _ details: CallDetails, place: Int = 0, _ read: @escaping @Sendable ([UInt8]) throws(APIError) -> (Success, TokenUsage?)
    ) async throws -> Success {
        try await failover.run(among: job.target.accepts, until: job.deadline) { upstream, report in
            job.tally.begin(place, at: upstream.id)
            let account = upstream.account
            do {
                let (success, usage) = try await withDeadline(MovingDeadline(at: job.deadline, for: .request, on: time)) {
                    try read(try await account.answer(to: job.action, details, upTo: answerLimit))
                }
                report.change { $0.usage = usage }
                job.tally.add(usage)
                return success
            } catch {
                // Only of a model that is listed for this: what is asked for the wrong thing may still be good for chats.
                if OutcomeClassifier.outcome(of: error) == .modelUnavailable, directory.catalog.lists(job.target, for: job.action.purpose) {
                    directory.refuse(job.target.serving.id, at: upstream.index)
                }
                throw error
            }
        }
    }
}

extension OCIAccount.TextAction {
    fileprivate var purpose: ModelSummary.Purpose {
        switch self {
        case .embed: .embeddings
        case .rerank: .rerank
        }
    }
}

/// What the calls of one request add up to, for the access log.
final class CallTally: Sendable {
    private struct State {
        var attempts = 0
        /// Where each call went last.
        var accounts: [Int: String] = [:]
        var usage: TokenUsage?
    }

    private let state = Mutex(State())

    fileprivate func begin(_ place: Int, at account: String) {
        state.withLock {
            $0.attempts += 1
            $0.accounts[place] = account
        }
    }

    fileprivate func add(_ usage: TokenUsage?) {
        guard let usage else { return }
        state.withLock { $0.usage = $0.usage.map { $0 + usage } ?? usage }
    }

    /// Notes it in the log's record; several accounts in the order of the calls.
    func write(to record: inout AccessRecord) {
        let state = state.withLock { $0 }
        var accounts: [String] = []
        for (_, account) in state.accounts.sorted(by: { $0.key < $1.key }) where !accounts.contains(account) { accounts.append(account) }
        record.account = accounts.isEmpty ? nil : accounts.joined(separator: ",")
        record.attempts = state.attempts
        record.usage = state.usage
    }
}
