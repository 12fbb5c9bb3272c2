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
        var outboxes: [AlertReceiver: AlertOutbox] = [:]
    }
    /// Rung when something is put into an outbox.
    private struct Bell {
        let rings: AsyncStream<Void>
        let ring: AsyncStream<Void>.Continuation

        init() { (rings, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }
    }

    private let state = Mutex(State())
    private let time: TimeSource
    private let logger: Logger
    private let bells: [AlertReceiver: Bell]

    init(time: TimeSource, logger: Logger) {
        self.time = time
        self.logger = logger
        bells = Dictionary(uniqueKeysWithValues: AlertReceiver.allCases.map { ($0, Bell()) })
    }

    /// The last ones, the newest first.
    var recent: [RaisedAlert] { state.withLock { $0.recent } }

    /// Somebody is there to deliver them.
    func deliver(_ isOn: Bool) { state.withLock { $0.isDelivering = isOn } }

    /// Told when something may wait for a receiver. To be read by one.
    func rings(for receiver: AlertReceiver) -> AsyncStream<Void> { bells[receiver]!.rings }

    /// The one that waits longest for a receiver.
    func next(for receiver: AlertReceiver) -> RaisedAlert? {
        state.withLock { $0.outboxes[receiver]?.next() }
    }

    /// It could not be delivered, and is put behind the others.
    func putBack(_ alert: RaisedAlert, for receiver: AlertReceiver) {
        var alert = alert
        alert.rounds += 1
        put(alert, for: [receiver])
    }

    private func put(_ alert: RaisedAlert, for receivers: [AlertReceiver]) {
        for receiver in receivers {
            let lost = state.withLock { $0.outboxes[receiver, default: AlertOutbox()].add(alert) }
            bells[receiver]!.ring.yield()
            guard let lost else { continue }
            logger.error(
                "An alert was not delivered by the \(receiver.rawValue), because too many wait",
                metadata: Self.metadata(of: lost.alert))
        }
    }

    private static func metadata(of alert: Alert) -> Logger.Metadata {
        ["type": "\(alert.kind.rawValue)", "subject": "\(alert.subject)"]
    }

    /// - Returns: whether it is sent; false when its subject has been told within the hour.
    @discardableResult
    func raise(_ alert: Alert) -> Bool {
        let raised = RaisedAlert(alert: alert, at: time.wallClock())
        let now = time.now()
        let (decision, isDelivered) = state.withLock { state in
            let decision = state.book.note(alert, at: now)
            if decision == .send { state.recent = Array(([raised] + state.recent).prefix(Self.kept)) }
            return (decision, state.isDelivering)
        }
        let metadata = Self.metadata(of: alert)
        switch decision {
        case .send:
            logger.log(level: alert.kind.level, "Alert: \(alert.message)", metadata: metadata)
            if isDelivered { put(raised, for: AlertReceiver.allCases) }
        case .silence(isFirst: true):
            logger.notice(
                "The alert was raised again within an hour and is not sent; further ones of this subject are not logged",
                metadata: metadata)
        case .silence(isFirst: false): break
        }
        return decision == .send
    }
}

extension Alert.Kind {
    /// A key that has spent its budget does what its operator wanted.
    fileprivate var level: Logger.Level {
        isOfKeys ? .notice : .warning
    }
}
