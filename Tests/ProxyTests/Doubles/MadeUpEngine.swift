import ProxyCluster
import Synchronization

/// An engine that does what the exchange's script and a few commands do, as far as one client can tell, and fails as a test says.
final class MadeUpEngine: Engine {
    struct State {
        var now: Int64 = 1_790_000_000_000
        /// Of each object.
        var share = Int.max
        var members = 1
        var learningFor: Int64 = 0
        var board: Int64 = 1
        var news: [[UInt8]] = []
        var documents: [String: [UInt8]] = [:]
        var hasScript = true
        /// All connections fail with it, and new ones.
        var failure: EngineFailure?
        /// What is answered in place of an exchange.
        var refusal: RESP?
        var connections = 0
        var commands: [[String]] = []
        var listeners: [@Sendable ([UInt8]) -> Void] = []
        /// In flight and waiting, by object, as it was told last.
        var wants: [String: Int] = [:]
        var leavers: [String] = []
    }

    let state = Mutex(State())

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    func look<Value: Sendable>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }

    /// First words of commands, since the last call.
    func takeCommands() -> [String] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands.map { $0.first ?? "" }
        }
    }

    func connect() async throws -> any EngineConnection {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.connections += 1
        }
        return MadeUpConnection(engine: self)
    }

    func subscribe(to channel: String, hear: @escaping @Sendable ([UInt8]) -> Void) async throws
        -> any EngineConnection
    {
        let connection = try await connect()
        change { $0.listeners.append(hear) }
        return connection
    }

    fileprivate func answer(_ command: [[UInt8]]) throws -> RESP {
        let words = command.map { String(decoding: $0, as: UTF8.self) }
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.commands.append(words)
            switch words[0] {
            case "SCRIPT":
                state.hasScript = true
                return .string(Array("sha".utf8))
            case "MGET": return .array(words.dropFirst().map { state.documents[$0].map { .string($0) } ?? .null })
            case "DEL":
                for key in words.dropFirst() { state.documents[key] = nil }
                return .integer(1)
            case "EVALSHA" where !state.hasScript: return .error(Array("NOSCRIPT No matching script".utf8))
            case "EVAL" where words[1] != ExchangeScript.text:
                guard let count = Int(words[2]) else { return .error(Array("ERR".utf8)) }
                for index in 0..<count { state.documents[words[3 + index]] = command[3 + count + 2 * index] }
                return .integer(Int64(count))
            default:
                if let refusal = state.refusal { return refusal }
                return Self.exchange(command, words, &state)
            }
        }
    }

    /// `ExchangeRequest.arguments`, read again.
    private static func exchange(_ command: [[UInt8]], _ words: [String], _ state: inout State) -> RESP {
        let fields = Array(words.dropFirst(7))
        let (permits, meters, posts) = (Int(fields[9]) ?? 0, Int(fields[10]) ?? 0, Int(fields[11]) ?? 0)
        if fields[3] == "1" { state.leavers.append(fields[0]) }
        var shares: [RESP] = []
        for index in 0..<permits {
            let row = Array(fields[(12 + index * 5)...])
            state.wants[row[0]] = Int(row[4])
            shares += [.integer(Int64(min(state.share, Int(row[1]) ?? 0))), .integer(0)]
        }
        var blocks: [RESP] = []
        for index in 0..<meters {
            let row = Array(fields[(12 + permits * 5 + index * 12)...])
            let (limit, spent) = (Int64(row[2]) ?? 0, Int64(row[6]) ?? 0)
            blocks += [spent + limit, spent + limit, limit, spent].map { .integer($0) }
        }
        for index in 0..<posts {
            let body = command[7 + 12 + permits * 5 + meters * 12 + index * 4 + 3]
            state.news.append(body)
            for listener in state.listeners { listener(body) }
        }
        let since = fields[6] == "\(state.board)" ? Int(fields[5]) ?? 0 : 0
        let news = state.news.dropFirst(since).map { RESP.string($0) }
        let head: [Int64] = [
            0, state.now, 1, state.learningFor, Int64(state.members), state.board, Int64(state.news.count), 0,
        ]
        return .array(head.map { .integer($0) } + [.array(shares), .array(blocks), .array(Array(news))])
    }
}

private struct MadeUpConnection: EngineConnection {
    let engine: MadeUpEngine
    private let closing = AsyncStream<Void>.makeStream()

    init(engine: MadeUpEngine) { self.engine = engine }

    func ask(_ command: [[UInt8]], within limit: Duration) async throws -> RESP { try engine.answer(command) }
    func ended() async { for await _ in closing.stream {} }
    func close() { closing.continuation.finish() }
}
