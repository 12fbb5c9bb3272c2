import Foundation

/// Chats that come at their times, whatever becomes of those before them: how overload looks.
struct Arrivals: Sendable {
    var count: Int
    /// Between two of them.
    var interval: Duration
    var body = RunningProxy.body()

    /// What has become of one.
    struct Outcome: Sendable {
        /// When it was sent, and when its answer was whole, after the first was sent.
        var sent: Duration
        var ended: Duration
        /// Nil when the connection ended without one.
        var answer: RawAnswer?

        var isWhole: Bool { answer?.status == 200 }
        var wait: Duration { ended - sent }
    }

    /// - Returns: in the order in which they came.
    func run(against proxy: RunningProxy) async throws -> [Outcome] {
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for number in 0..<count {
                try await Task.sleep(until: start + interval * number)
                group.addTask {
                    let sent = ContinuousClock.now - start
                    let connection = try await proxy.begin(body)
                    defer { connection.close() }
                    let answer = await connection.answerIfAny()
                    return (number, Outcome(sent: sent, ended: ContinuousClock.now - start, answer: answer))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

extension Duration {
    /// In seconds.
    var inSeconds: Double { self / .seconds(1) }
}
