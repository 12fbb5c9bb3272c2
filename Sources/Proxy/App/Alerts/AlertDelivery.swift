import Logging
import NIOHTTP1
import ServiceLifecycle

/// Takes alerts to where the operator wants them: a webhook, a command, or both. One at a time, and each some times over when it fails.
struct AlertDelivery: Service {
    private static let tries = 3
    private static let patience = Duration.seconds(10)
    private static let pauses = [Duration.seconds(2), .seconds(10)]

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
            for await alert in alerts.sent {
                let receivers = receivers()
                if let url = receivers.webhook { await deliver(alert, "webhook") { try await post(alert, to: url) } }
                if let line = receivers.command {
                    await deliver(alert, "command") { try await command.run(line, alert.document, on: time) }
                }
            }
        }
    }

    private func deliver(_ alert: RaisedAlert, _ way: String, _ attempt: () async throws -> Void) async {
        for number in 1...Self.tries {
            do {
                try await attempt()
                return
            } catch {
                if Task.isCancelled { return }
                logger.log(
                    level: number == Self.tries ? .error : .warning,
                    "The alert was not delivered by the \(way): \(AlertFailure.words(error))\(number == Self.tries ? "; it is not tried again" : "")",
                    metadata: ["type": "\(alert.alert.kind.rawValue)", "subject": "\(alert.alert.subject)"])
                if number < Self.tries { try? await time.sleep(for: Self.pauses[number - 1]) }
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
