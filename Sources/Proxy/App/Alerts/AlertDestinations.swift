import NIOHTTP1

/// Where the operator wants alerts: a webhook, a command, both or neither.
struct AlertDestinations: Sendable {
    private static let patience = Duration.seconds(10)

    /// As they are at the moment: a reload may change them.
    let settings: @Sendable () -> AlertSettings
    let transport: @Sendable () throws -> any HTTPTransport
    var command = AlertCommand()
    let time: TimeSource

    /// Hands an alert to one of them.
    ///
    /// - Throws: when it is not taken. Where there is no such receiver, nobody need take it.
    func pass(_ alert: RaisedAlert, to receiver: AlertReceiver) async throws {
        switch receiver {
        case .webhook: if let url = settings().webhook { try await post(alert, to: url) }
        case .command:
            if let line = settings().command {
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
