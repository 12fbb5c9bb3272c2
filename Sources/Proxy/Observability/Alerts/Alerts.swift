import Logging
import Synchronization

/// Where whoever notices something says so. It never waits: who delivers alerts takes them from here.
final class Alerts: Sendable {
    /// Shown to people.
    private static let kept = 20

    private struct State {
        var book = AlertBook()
        /// The newest first.
        var recent: [RaisedAlert] = []
        var isDelivering = false
    }

    private let state = Mutex(State())
    private let time: TimeSource
    private let logger: Logger
    private let outbox: AsyncStream<RaisedAlert>.Continuation
    /// Those that are to be delivered. To be read by one, as long as `deliver` is on; when a receiver is slow, the newest of many are lost.
    let sent: AsyncStream<RaisedAlert>

    init(time: TimeSource, logger: Logger) {
        self.time = time
        self.logger = logger
        (sent, outbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(100))
    }

    /// The last ones, the newest first.
    var recent: [RaisedAlert] { state.withLock { $0.recent } }

    /// Somebody is there to deliver them.
    func deliver(_ isOn: Bool) { state.withLock { $0.isDelivering = isOn } }

    func raise(_ alert: Alert) {
        let raised = RaisedAlert(alert: alert, at: time.wallClock())
        let now = time.now()
        let (decision, isDelivered) = state.withLock { state in
            let decision = state.book.note(alert, at: now)
            if decision == .send { state.recent = Array(([raised] + state.recent).prefix(Self.kept)) }
            return (decision, state.isDelivering)
        }
        let metadata: Logger.Metadata = ["type": "\(alert.kind.rawValue)", "subject": "\(alert.subject)"]
        switch decision {
        case .send:
            logger.log(level: alert.kind.level, "Alert: \(alert.message)", metadata: metadata)
            if isDelivered, case .dropped = outbox.yield(raised) {
                logger.error("An alert was not delivered, because too many wait", metadata: metadata)
            }
        case .silence(isFirst: true):
            logger.notice(
                "The alert was raised again within an hour and is not sent; further ones of this subject are not logged",
                metadata: metadata)
        case .silence(isFirst: false): break
        }
    }
}

extension Alert.Kind {
    /// A key that has spent its budget does what its operator wanted.
    fileprivate var level: Logger.Level {
        switch self {
        case .budgetSoft, .budgetHard: .notice
        case .upstreamDown, .allDown, .modelRetiring, .certificate, .ledger: .warning
        }
    }
}
