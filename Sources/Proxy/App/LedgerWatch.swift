import Logging
import ProxyAccounting
import ServiceLifecycle

/// Looks whether the ledger's writer gets on. One that a disk keeps cannot tell of it itself.
struct LedgerWatch: Service {
    /// How often it looks.
    static let interval = Duration.seconds(5)
    /// A look that comes so late says that the whole process stood still, or got no CPU time: then the writer did as well.
    static let lateness = Duration.seconds(1)

    let ledger: any Ledger
    let time: TimeSource
    let logger: Logger

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var news = StandstillNews()
            var due = time.now() + Self.interval
            while (try? await time.sleep(due)) != nil {
                let now = time.now()
                if now - due < Self.lateness, let line = news.line(of: ledger.figures, at: now) { tell(line) }
                due = now + Self.interval
            }
        }
    }

    private func tell(_ line: StandstillNews.Line) {
        switch line {
        case .stands(let problem, let pending):
            logger.error(
                "The ledger cannot be written (\(problem)): requests wait in memory until it answers, and have no row when they become too many. No request waits for it.",
                metadata: ["pending": "\(pending)"])
        case .goesOn(let length):
            logger.notice(
                "The ledger is written again", metadata: ["stood_still_s": "\(length.components.seconds)"])
        }
    }
}

/// When a standstill of the ledger's writer is told, and its end: a value without I/O.
struct StandstillNews {
    enum Line: Equatable {
        case stands(problem: String, pending: Int)
        /// - Parameter length: as far as it was seen.
        case goesOn(length: Duration)
    }

    /// A disk that stands still and goes on in turn is told of that often at most.
    private static let interval = Duration.seconds(60)

    private var lastTold: Duration?
    /// Of the one that has been told and has not ended.
    private var length: Duration?

    /// - Parameter now: of the monotonic clock.
    /// - Returns: what is to be told now.
    mutating func line(of figures: LedgerFigures, at now: Duration) -> Line? {
        if let standstill = figures.standstill {
            if length == nil, let lastTold, now - lastTold < Self.interval { return nil }
            defer { length = standstill }
            guard length == nil else { return nil }
            lastTold = now
            return .stands(problem: figures.problem ?? "", pending: figures.pending)
        }
        guard let ended = length else { return nil }
        length = nil
        // The writer has come back with an error: it tells of that, and of its end, itself.
        return figures.problem == nil ? .goesOn(length: ended) : nil
    }
}
