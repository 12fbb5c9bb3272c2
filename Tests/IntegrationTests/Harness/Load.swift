import Foundation
import Synchronization
import Testing

/// Many chats at once, each of which must come back whole.
struct Load: Sendable {
    var count: Int
    var concurrency: Int
    /// Whether the chat of that number streams.
    var streams: @Sendable (Int) -> Bool = { $0.isMultiple(of: 2) }
    /// Each worker uses one connection for all of its chats, else one for each.
    var keepsConnections = true
    /// The whole answer to the chat about `text(number)`; nil: the simulator's echo.
    var answer: String?

    /// What a load has met.
    struct Tally: Sendable {
        var whole = 0
        /// What was wrong with the others.
        var flaws: [String] = []
    }

    /// What the chat of that number is about.
    static func text(_ number: Int) -> String { "chat \(number) of many" }

    func run(against proxy: RunningProxy) async throws -> Tally {
        let numbers = Numbers(upTo: count)
        return try await withThrowingTaskGroup(of: Tally.self) { group in
            for _ in 0..<concurrency {
                group.addTask { try await work(on: proxy, numbers) }
            }
            return try await group.reduce(into: Tally()) { sum, tally in
                sum.whole += tally.whole
                sum.flaws += tally.flaws
            }
        }
    }

    /// One client after the other chats until all numbers are used up.
    private func work(on proxy: RunningProxy, _ numbers: Numbers) async throws -> Tally {
        var tally = Tally()
        var kept: RawConnection?
        defer { kept?.close() }
        while let number = numbers.next() {
            let connection = if let kept { kept } else { try await proxy.connect() }
            let flaw = await flaw(of: number, on: connection, proxy)
            if let flaw { tally.flaws.append("chat \(number): \(flaw)") } else { tally.whole += 1 }
            if keepsConnections, flaw == nil {
                kept = connection
            } else {
                connection.close()
                kept = nil
            }
        }
        return tally
    }

    /// Hands out each number once.
    private final class Numbers: Sendable {
        private let limit: Int
        private let given = Atomic(0)

        init(upTo limit: Int) { self.limit = limit }

        func next() -> Int? {
            let number = given.wrappingAdd(1, ordering: .relaxed).oldValue
            return number < limit ? number : nil
        }
    }

    private func flaw(of number: Int, on connection: RawConnection, _ proxy: RunningProxy) async -> String? {
        let text = Self.text(number)
        connection.send(proxy.chatRequest(RunningProxy.body(text, streams: streams(number))))
        guard let received = await connection.answerIfAny() else {
            return "the connection ended: \(connection.received.suffix(300))"
        }
        return received.flaw(answer ?? RunningProxy.echo(text), streams: streams(number))
    }
}

extension RunningProxy {
    /// What the simulator says to `text`.
    static func echo(_ text: String) -> String { "You said: \(text)" }
}

extension RawAnswer {
    /// Why this is not the whole answer `text`; nil when it is.
    func flaw(_ text: String, streams: Bool) -> String? {
        guard status == 200 else { return "\(status) \(body.prefix(300))" }
        let said = streams ? self.text : message
        guard said == text, !streams || events.last == "[DONE]" else { return "not whole: \(body.suffix(300))" }
        return nil
    }

    /// The content of an answer in one piece.
    var message: String? {
        let message = (json?["choices"] as? [[String: Any]])?.first?["message"] as? [String: Any]
        return message?["content"] as? String
    }
}
