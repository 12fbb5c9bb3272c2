import Foundation
import ProxyCluster

/// What an instance asks of an engine, as the program does: with a permit, meters of both kinds, and news.
final class Exchange {
    private let connection: any EngineConnection
    private let keys = ExchangeKeys(cluster: "east")
    private var member: ClusterMember
    private var meters = [
        Meter(name: "rpm/k", kind: .rate, limit: 600), Meter(name: "budget/k", kind: .budget, limit: 1_000_000),
    ]
    private var board = NewsBoard()
    private var now = Duration.seconds(1)

    init(on connection: any EngineConnection, instance: String = "i0") {
        self.connection = connection
        member = ClusterMember(instance: instance, leastInstances: 1)
    }

    /// Of the script, or of what comes before it.
    func answer() async throws -> RESP { try await ask(begin()) }

    /// The engine has done what it was asked to.
    func isAnswered() async throws -> Bool {
        let request = begin()
        guard case .reply(let reply) = ExchangeReply.read(try await ask(request), to: request) else { return false }
        return member.apply(reply, of: request.number, at: now) != .ignored
    }

    func leaves() async throws -> Bool {
        let request = member.leave()
        guard case .reply = ExchangeReply.read(try await ask(request), to: request) else { return false }
        return true
    }

    private func begin() -> ExchangeRequest {
        now += .seconds(1)
        let clock = Int64(Date().timeIntervalSince1970 * 1_000)
        let found: [News] = [
            .cooldown(of: "o1", until: clock + 20_000, isThrottle: true),
            .retired(model: "m\(now)", at: clock),
        ]
        let now = now
        return member.begin(
            [PermitWant(name: "o1", limit: 8, inFlight: 2, waiting: 1)],
            meters: meters.indices.map { meters[$0].report(life: .seconds(1_000), at: now) },
            news: found.compactMap { board.post($0, from: member.instance, at: clock) }, at: now)
    }

    private func ask(_ request: ExchangeRequest) async throws -> RESP {
        guard let keys else { return .null }
        let loaded = try await connection.ask("SCRIPT", "LOAD", ExchangeScript.text)
        guard let script = loaded.bytes else { return loaded }
        func command(_ name: String, _ script: [UInt8]) -> [[UInt8]] {
            [Array(name.utf8), script, Array("\(keys.declared.count)".utf8)] + request.arguments(keys)
        }
        let answer = try await connection.ask(command("EVALSHA", script), within: .seconds(30))
        guard answer.errorCode == "NOSCRIPT" else { return answer }
        return try await connection.ask(command("EVAL", Array(ExchangeScript.text.utf8)), within: .seconds(30))
    }
}
