import Logging
import NIOHTTP1
import ServiceLifecycle

/// Takes alerts to where the operator wants them: a webhook, a command, or both, which do not wait for each other. What fails is tried again, at first
/// soon, and then each minute until it is an hour old.
struct AlertDelivery: Service {
    private static let patience = Duration.seconds(10)
    private static let pauses = [Duration.seconds(2), .seconds(10)]
    private static let pauseOfRounds = Duration.seconds(60)
    /// Seconds.
    private static let oldest: Int64 = 3600

    let alerts: Alerts
    /// Where to, at the moment.
    let receivers: @Sendable () -> AlertSettings
    let transport: @Sendable () throws -> any HTTPTransport
    var command = AlertCommand()
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
                try await pass(alert, to: receiver)
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

    /// - Throws: when it is not taken. Where there is no such receiver, nobody need take it.
    private func pass(_ alert: RaisedAlert, to receiver: AlertReceiver) async throws {
        switch receiver {
        case .webhook: if let url = receivers().webhook { try await post(alert, to: url) }
        case .command:
            if let line = receivers().command {
                try await command.run(line, alert.document + [UInt8(ascii: "\n")], on: time)
            }
        }
    }

    /// - Throws: when the answer is no success.
    private func post(_ alert: RaisedAlert, to url: Secret) async throws {
        let headers: HTTPHeaders = [
            "content-type": "application/json", "user-agent": "ociai-proxy/\(ProxyVersion.current)",
        ]
        try await transport().post(
            alert.document, to: url.reveal(), headers: headers, within: Self.patience, on: time
        ) { response in
            _ = try? await response.collect(upTo: 64 * 1024)
            guard (200..<300).contains(response.status) else {
                throw AlertFailure("it answered with status \(response.status)")
            }
        }
    }
}

/// Why an alert has not reached its receiver. It never has the webhook's address, which often is a secret.
struct AlertFailure: Error {
    let words: String

    init(_ words: String) { self.words = words }

    static func words(_ error: any Error) -> String {
        switch error {
        case let error as AlertFailure: error.words
        case is MovingDeadline.Exceeded: "it did not answer in time"
        default: "it could not be reached"
        }
    }
}
