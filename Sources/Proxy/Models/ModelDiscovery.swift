import Logging
import ProxyRouting
import ServiceLifecycle

/// Asks every account which models it has: at start, when a client wants the list, and when the operator says so. One round at a
/// time, whoever asks for it; an account that fails keeps its last list, and one that has never listed anything is asked again
/// until it does.
actor ModelDiscovery: Service {
    /// What came of a round.
    struct Report: Sendable {
        /// An account's count of models, or why there is none.
        struct Line: Sendable {
            var id: String
            var models = 0
            var error: String?
        }

        var accounts: [Line]
        var added: [String]
        var removed: [String]
    }

    /// How long the list of one account may take.
    static let timeout = Duration.seconds(20)
    /// How long a client that wants the list waits for a round.
    static let patience = Duration.seconds(3)
    /// Pauses between rounds while an account has never listed anything.
    static let firstPause = Duration.seconds(5)
    static let longestPause = Duration.seconds(300)

    private nonisolated let upstreams: [Upstream]
    private nonisolated let directory: ModelDirectory
    /// `models_refresh_interval`.
    private let interval: Duration
    private nonisolated let time: TimeSource
    private nonisolated let logger: Logger
    /// A round is under way, or about to begin.
    private var isBusy: Bool
    /// `run` has ended.
    private var isOver = false
    /// A round will begin by itself after a pause. There is one such pause at a time: rounds that clients begin meanwhile must not
    /// add theirs, since each pause ends in a round that asks for the next.
    private var isPausing = false
    private var lastStart: Duration
    private var lastReport: Report?
    private var waiters: [Int: CheckedContinuation<Report?, Never>] = [:]
    private var lastWaiter = 0
    private let starts: AsyncStream<Void>
    private let start: AsyncStream<Void>.Continuation

    init(_ upstreams: [Upstream], into directory: ModelDirectory, interval: Duration, time: TimeSource, logger: Logger)
    {
        self.upstreams = upstreams
        self.directory = directory
        self.interval = interval
        self.time = time
        self.logger = logger
        lastStart = time.now()
        (starts, start) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        // After a reload that brought nobody new, the lists of before hold.
        isBusy = upstreams.contains { !directory.isDiscovered($0.index) }
        if isBusy { start.yield() }
    }

    /// Makes the rounds, the first at once if there is somebody who has listed nothing yet. Runs until the service group stops it, or its task is
    /// cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var pause = Self.firstPause
                for await _ in self.starts {
                    let report = await self.round()
                    // Half a round says nothing.
                    guard !Task.isCancelled else { break }
                    await self.end(report)
                    guard self.upstreams.contains(where: { !self.directory.isDiscovered($0.index) }),
                        await self.mayPause()
                    else { continue }
                    let wait = pause
                    pause = min(pause * 2, Self.longestPause)
                    group.addTask {
                        guard (try? await self.time.sleep(for: wait)) != nil else { return }
                        await self.endPause()
                    }
                }
                group.cancelAll()
            }
        }
        isOver = true
        for waiter in waiters.values { waiter.resume(returning: nil) }
        waiters = [:]
    }

    /// A round that begins now, or the one that is under way.
    ///
    /// - Returns: nil when the task was cancelled.
    func refresh() async -> Report? {
        while !isOver {
            if let report = await nextReport() { return report }
            if Task.isCancelled { return nil }
        }
        // Another configuration has its own rounds; who came in under this one makes the last one himself.
        let report = await round()
        return Task.isCancelled ? nil : report
    }

    private func nextReport() async -> Report? {
        begin()
        lastWaiter += 1
        let id = lastWaiter
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                guard !Task.isCancelled else { return waiter.resume(returning: nil) }
                // The round may have ended before this.
                guard isBusy else { return waiter.resume(returning: lastReport) }
                waiters[id] = waiter
            }
        } onCancel: {
            // Cancellation handlers are synchronous; the actor has to be reached somehow.
            Task { await self.leave(id) }
        }
    }

    /// Before the list is shown: a round, unless the last one is young, and no more than `patience` of waiting.
    func refreshIfDue() async {
        guard isBusy || time.now() - lastStart >= interval else { return }
        let deadline = MovingDeadline(at: time.now() + Self.patience, for: .request, on: time)
        _ = try? await withDeadline(deadline) { await self.refresh() }
    }

    private func begin() {
        guard !isBusy else { return }
        isBusy = true
        lastStart = time.now()
        start.yield()
    }

    /// Whether a pause may begin now; takes note of it if so.
    private func mayPause() -> Bool {
        guard !isPausing else { return false }
        isPausing = true
        return true
    }

    private func endPause() {
        isPausing = false
        begin()
    }

    private func end(_ report: Report) {
        isBusy = false
        lastReport = report
        let waiters = waiters.values
        self.waiters = [:]
        for waiter in waiters { waiter.resume(returning: report) }
    }

    private func leave(_ id: Int) { waiters.removeValue(forKey: id)?.resume(returning: nil) }

    // MARK: A round

    private nonisolated func round() async -> Report {
        let lists = await withTaskGroup(of: (Int, Result<[ModelSummary], any Error>).self) { group in
            for upstream in upstreams {
                group.addTask { (upstream.index, await self.list(of: upstream.backend)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let change = directory.update(lists.compactMapValues { try? $0.get() })
        let lines = upstreams.map { upstream in
            let index = upstream.index
            switch lists[index] {
            case .success: return Report.Line(id: upstream.id, models: directory.catalog.names(at: index).count)
            case .failure(is CancellationError): return Report.Line(id: upstream.id, error: "cancelled")
            case .failure(let error):
                let words = UpstreamFault.failure(error, account: upstream.id)?.message ?? "cancelled"
                logger.warning("Model discovery failed", metadata: ["account": "\(upstream.id)", "error": "\(words)"])
                return Report.Line(id: upstream.id, models: directory.catalog.names(at: index).count, error: words)
            case nil: return Report.Line(id: upstream.id)
            }
        }
        if !change.added.isEmpty || !change.removed.isEmpty {
            logger.info(
                "Models discovered",
                metadata: [
                    "models": "\(directory.catalog.entries.count)", "added": "\(change.added.count)",
                    "removed": "\(change.removed.count)",
                ])
        }
        return Report(accounts: lines, added: change.added, removed: change.removed)
    }

    private nonisolated func list(of backend: any Backend) async -> Result<[ModelSummary], any Error> {
        let deadline = MovingDeadline(at: time.now() + Self.timeout, for: .request, on: time)
        do {
            return .success(try await withDeadline(deadline) { try await backend.allModels() })
        } catch {
            return .failure(error)
        }
    }
}
