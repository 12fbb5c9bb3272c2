import Synchronization

/// The requests that came in, who waits for one, and how many are in flight.
package final class RequestLog: Sendable {
    /// Counts of one account, or of all of them.
    package struct Counts: Sendable, Equatable {
        /// Requests whose answer has not ended.
        package var inFlight = 0
        package var peakInFlight = 0
        package var requests = 0
        package var byStatus: [Int: Int] = [:]

        fileprivate mutating func begin() {
            requests += 1
            inFlight += 1
            peakInFlight = max(peakInFlight, inFlight)
        }
    }

    package struct Statistics: Sendable, Equatable {
        package var all = Counts()
        /// By account id. Requests of unknown origin are only in `all`.
        package var accounts: [String: Counts] = [:]
    }

    private struct Waiter {
        let id: Int
        let after: Int
        let condition: @Sendable (RequestRecord) -> Bool
        let continuation: CheckedContinuation<RequestRecord, any Error>
    }

    private struct State {
        var records: [RequestRecord] = []
        /// Id of `records[0]`, and of the next record when there is none.
        var firstID = 1
        var statistics = Statistics()
        var waiters: [Waiter] = []
        var nextWaiter = 1
        var isClosed = false

        func index(of id: Int) -> Int? {
            let index = id - firstID
            return records.indices.contains(index) ? index : nil
        }
    }

    private let state = Mutex(State())
    /// The oldest records are forgotten beyond this number.
    private let limit: Int
    private let now: @Sendable () -> Double

    package init(limit: Int, now: @escaping @Sendable () -> Double) {
        self.limit = max(limit, 1)
        self.now = now
    }

    // MARK: Written by connections

    /// Records a request and counts it as in flight. Returns its id.
    func begin(_ request: SignedRequest, account: String?) -> Int {
        let arrived = ContinuousClock.now
        let arrivedAt = now()
        return change { state in
            if state.records.count >= limit * 2 {
                state.firstID += state.records.count - limit
                state.records.removeFirst(state.records.count - limit)
            }
            let id = state.firstID + state.records.count
            var record = RequestRecord(
                id: id, arrived: arrived, arrivedAt: arrivedAt, method: request.method, target: request.target,
                headers: request.headers, body: request.body)
            record.account = account
            state.records.append(record)
            state.statistics.all.begin()
            if let account { state.statistics.accounts[account, default: Counts()].begin() }
            return (id, id)
        }
    }

    func update(_ id: Int, _ body: (inout RequestRecord) -> Void) {
        change { state in
            guard let index = state.index(of: id) else { return ((), nil) }
            body(&state.records[index])
            return ((), id)
        }
    }

    /// Ends a request once; later calls change nothing. The account is given because a very old record may be gone.
    func end(_ id: Int, _ ending: RequestRecord.Ending, account: String?, status: Int?) {
        let ended = ContinuousClock.now
        let endedAt = now()
        change { state in
            state.statistics.all.inFlight -= 1
            if let status { state.statistics.all.byStatus[status, default: 0] += 1 }
            if let account {
                state.statistics.accounts[account]?.inFlight -= 1
                if let status { state.statistics.accounts[account]?.byStatus[status, default: 0] += 1 }
            }
            guard let index = state.index(of: id) else { return ((), nil) }
            state.records[index].ending = ending
            state.records[index].ended = ended
            state.records[index].endedAt = endedAt
            return ((), id)
        }
    }

    /// Changes the state, then resumes, outside the lock, the waiters that the changed record satisfies.
    private func change<Result: Sendable>(_ body: (inout State) -> (Result, Int?)) -> Result {
        let (result, resumed, record) = state.withLock { state -> (Result, [Waiter], RequestRecord?) in
            let (result, changed) = body(&state)
            guard !state.waiters.isEmpty, let changed, let index = state.index(of: changed) else {
                return (result, [], nil)
            }
            let record = state.records[index]
            let satisfied = state.waiters.filter { record.id > $0.after && $0.condition(record) }
            guard !satisfied.isEmpty else { return (result, [], nil) }
            state.waiters.removeAll { waiter in satisfied.contains { $0.id == waiter.id } }
            return (result, satisfied, record)
        }
        if let record {
            for waiter in resumed { waiter.continuation.resume(returning: record) }
        }
        return result
    }

    // MARK: Read by tests and the control API

    package var records: [RequestRecord] { state.withLock { $0.records } }

    package var statistics: Statistics { state.withLock { $0.statistics } }

    /// Forgets the records and the totals; what is in flight stays counted, and ids go on.
    package func reset() {
        state.withLock { state in
            state.firstID += state.records.count
            state.records.removeAll()
            func cleared(_ counts: Counts) -> Counts {
                Counts(inFlight: counts.inFlight, peakInFlight: counts.inFlight)
            }
            state.statistics.all = cleared(state.statistics.all)
            state.statistics.accounts = state.statistics.accounts.mapValues(cleared)
        }
    }

    /// The first record after the one with id `after` that satisfies `condition`, at once or as soon as there is one.
    /// `condition` runs under a lock, on each change of a record: keep it short.
    /// - Throws: `CancellationError` when the task is cancelled or the simulator stops.
    package func first(
        after: Int, where condition: @escaping @Sendable (RequestRecord) -> Bool
    ) async throws -> RequestRecord {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let immediate = state.withLock { state -> Result<RequestRecord, any Error>? in
                    if let record = state.records.first(where: { $0.id > after && condition($0) }) {
                        return .success(record)
                    }
                    // A cancellation after this line finds the waiter; one before it is seen here.
                    if Task.isCancelled || state.isClosed { return .failure(CancellationError()) }
                    state.waiters.append(
                        Waiter(id: id, after: after, condition: condition, continuation: continuation))
                    return nil
                }
                if let immediate { continuation.resume(with: immediate) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// No waiter is left hanging when the simulator stops.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: CancellationError()) }
    }
}
