import Logging
import ProxyCluster
import Synchronization

/// What the subscription has brought, until the keeper reads it. What is lost here or on the way, the next exchange brings again.
final class NewsInbox: Sendable {
    private let messages = Mutex<[[UInt8]]>([])
    private static let most = 10_000

    func add(_ message: [UInt8]) {
        messages.withLock { if $0.count < Self.most { $0.append(message) } }
    }

    func take() -> [[UInt8]] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }

    /// Stays subscribed until the task is cancelled, and subscribes anew when the connection has ended.
    func listen(
        to channel: String, at engine: any Engine, on time: TimeSource, random: @Sendable () -> Double
    ) async {
        while !Task.isCancelled {
            if let connection = try? await engine.subscribe(to: channel, hear: { self.add($0) }) {
                await withTaskCancellationHandler {
                    await connection.ended()
                } onCancel: {
                    connection.close()
                }
            }
            // Why it cannot be had, the exchanges tell.
            try? await time.sleep(for: .seconds(1) + .seconds(random()))
        }
    }
}
