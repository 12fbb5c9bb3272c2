import Logging
import ServiceLifecycle

/// Takes alerts to where the operator wants them: a webhook, a command, or both, which do not wait for each other. What fails is tried again, at first
/// soon, and then each minute until it is an hour old.
struct AlertDelivery: Service {
    private static let pauses = [Duration.seconds(2), .seconds(10)]
    private static let pauseOfRounds = Duration.seconds(60)
    /// Seconds.
    private static let oldest: Int64 = 3600

    let alerts: Alerts
    /// Hands one over (`AlertDestinations`). Throws when it is not taken.
    let pass: @Sendable (RaisedAlert, AlertReceiver) async throws -> Void
    let time: TimeSource
    let logger: Logger

    /// Runs until the service group stops it, or its task is cancelled. What has not been delivered by then is in the log alone.
    func run() async {
        alerts.deliver(true)
        defer { alerts.deliver(false) }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for receiver in AlertReceiver.allCases { group.addTask { await deliver(to: receiver) } }
            }
        }
    }

    private func deliver(to receiver: AlertReceiver) async {
        for await _ in alerts.rings(for: receiver) {
            while !Task.isCancelled, let alert = alerts.next(for: receiver) {
                guard let error = await deliver(alert, to: receiver), !Task.isCancelled else { continue }
                let isOver = time.wallClock() - alert.at >= Self.oldest
                if alert.rounds == 0 || isOver {
                    tell(
                        error, of: alert, receiver,
                        isOver ? "it is not tried again" : "it is tried again each minute for an hour")
                }
                guard !isOver else { continue }
                alerts.putBack(alert, for: receiver)
                try? await time.sleep(for: Self.pauseOfRounds)
            }
        }
    }

    private func deliver(_ alert: RaisedAlert, to receiver: AlertReceiver) async -> (any Error)? {
        for number in 0...Self.pauses.count {
            do {
                try await pass(alert, receiver)
                return nil
            } catch {
                guard number < Self.pauses.count, !Task.isCancelled else { return error }
                if alert.rounds == 0 { tell(error, of: alert, receiver, "it is tried again") }
                try? await time.sleep(for: Self.pauses[number])
            }
        }
        return nil
    }

    private func tell(_ error: any Error, of alert: RaisedAlert, _ receiver: AlertReceiver, _ outlook: String) {
        logger.warning(
            "The alert was not delivered by the \(receiver.rawValue): \(AlertFailure.words(error)); \(outlook)",
            metadata: ["type": "\(alert.alert.kind.rawValue)", "subject": "\(alert.alert.subject)"])
    }
}
