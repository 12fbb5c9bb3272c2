import ProxyCluster
import ServiceLifecycle
import Synchronization

/// What clients have had kept, for all instances: sealed under what stands for the client's key, which the engine is not told. Nobody waits but
/// who asks for what is not here, and who deletes.
///
/// It has a connection of its own, so that no document keeps a lease from being renewed, and asks at most ten times a second of each
/// kind, however much there is to be kept.
final class SharedDocuments: Service {
    typealias Name = ResponseArchive.Name

    private typealias Keeping = (key: String, bytes: [UInt8], life: Int64)
    private typealias Erasing = (key: String, waiter: CheckedContinuation<Void, any Error>)
    private typealias Fetching = (keys: [String], waiter: CheckedContinuation<[[UInt8]?], any Error>)

    private struct State {
        var keeping: [Keeping] = []
        var keepingBytes = 0
        var erasing: [Erasing] = []
        var fetching: [Fetching] = []
        var isClosed = false
        /// Deleted ones that other instances have not been told of.
        var erased: [String] = []
        var lost = 0

        var isEmpty: Bool { keeping.isEmpty && erasing.isEmpty && fetching.isEmpty }
    }

    /// Of one document: what the engine's answers may have.
    static let longest = 4 << 20
    /// That are on their way: beyond that the oldest are given up.
    static let mostBytes = 64 << 20
    private static let batchBytes = 1 << 20
    private static let pause = Duration.milliseconds(100)
    private static let patience = Duration.seconds(2)
    private static let script = """
        for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[2 * i - 1], 'PX', ARGV[2 * i]) end
        return #KEYS
        """

    private let engine: any Engine
    private let prefix: String
    private let bell: ExchangeBell
    private let time: TimeSource
    private let state = Mutex(State())
    private let work: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(_ engine: any Engine, prefix: String, _ bell: ExchangeBell, time: TimeSource) {
        self.engine = engine
        self.prefix = prefix
        self.bell = bell
        self.time = time
        (work, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Documents that no other instance has been given, since there were too many, or the engine was gone for too long.
    var lost: Int { state.withLock { $0.lost } }

    private func lose(_ count: Int) { state.withLock { $0.lost += count } }

    /// What the engine has a document under: it tells neither whose it is nor what it is called.
    func key(_ name: Name) -> String {
        let text = Array("\(name.kind.rawValue)\n\(name.key)\n\(name.id)".utf8)
        let digest = SHA256.digest(of: text) ?? []
        return prefix + String(decoding: Base64.encodeForURL(Array(digest.prefix(18))), as: UTF8.self)
    }

    // MARK: For requests

    /// Takes a document, which all instances have within some moments.
    func keep(_ name: Name, _ bytes: [UInt8], for lifetime: Duration) {
        let expires = UInt64(max(0, time.wallClock() + lifetime.components.seconds))
        let text = (0..<8).map { UInt8(truncatingIfNeeded: expires >> (56 - 8 * UInt64($0))) } + bytes
        guard text.count <= Self.longest, let sealed = Self.cipher(name).seal(text[...]) else {
            return lose(1)
        }
        state.withLock { state in
            guard !state.isClosed else {
                state.lost += 1
                return
            }
            state.keeping.append((key(name), sealed, max(1, lifetime.milliseconds)))
            state.keepingBytes += sealed.count
            while state.keepingBytes > Self.mostBytes, !state.keeping.isEmpty {
                state.keepingBytes -= state.keeping.removeFirst().bytes.count
                state.lost += 1
            }
        }
        wake.yield()
    }

    /// Returns when no instance is given the document any more; those that have a copy are told.
    ///
    /// - Throws: `EngineFailure`, after some seconds at most.
    func erase(_ name: Name) async throws {
        let key = key(name)
        try await withCheckedThrowingContinuation { waiter in
            let isClosed = state.withLock { state in
                if !state.isClosed {
                    state.keeping.removeAll { $0.key == key }
                    state.keepingBytes = state.keeping.reduce(0) { $0 + $1.bytes.count }
                    state.erasing.append((key, waiter))
                    state.erased.append(key)
                }
                return state.isClosed
            }
            if isClosed { return waiter.resume(throwing: EngineFailure.closed) }
            wake.yield()
        }
    }

    /// - Returns: of each its bytes, and when it expires, seconds since 1970; nil for what no instance has kept.
    /// - Throws: `EngineFailure`, after some seconds at most. A cancelled task waits as long.
    func fetch(_ names: [Name]) async throws -> [(bytes: [UInt8], expires: Int64)?] {
        let keys = names.map(key)
        let found: [[UInt8]?] = try await withCheckedThrowingContinuation { waiter in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.fetching.append((keys, waiter)) }
                return state.isClosed
            }
            if isClosed { return waiter.resume(throwing: EngineFailure.closed) }
            wake.yield()
        }
        return zip(names, found).map { name, sealed in
            guard let sealed, let text = Self.cipher(name).open(sealed), text.count >= 8 else { return nil }
            let expires = text.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return (Array(text.dropFirst(8)), Int64(clamping: expires))
        }
    }

    private static func cipher(_ name: Name) -> AuthenticatedCipher {
        AuthenticatedCipher(secret: Array(name.key.utf8), for: "ociai-proxy shared documents 1")
    }

    // MARK: For the cluster

    /// What has been deleted here since the last call.
    func takeErased() -> [String] {
        state.withLock { state in
            defer { state.erased = [] }
            return state.erased
        }
    }

    /// Carries documents to and fro until the service group stops it; what is to be kept then is still told.
    func run() async {
        let last = await cancelWhenGracefulShutdown { [self] in
            var connection: (any EngineConnection)?
            for await _ in work {
                connection = await round(over: connection)
                guard (try? await time.sleep(for: Self.pause)) != nil else { break }
                if !state.withLock({ $0.isEmpty }) { wake.yield() }
            }
            return connection
        }
        state.withLock { $0.isClosed = true }
        // This task has been cancelled, and what is asked in it would be as well.
        await Task { await round(over: last)?.close() }.value
    }

    /// Does what is to be done now.
    ///
    /// - Returns: the connection for the next round; nil when a new one is needed.
    private func round(over connection: (any EngineConnection)?) async -> (any EngineConnection)? {
        let (keeping, erasing, fetching) = state.withLock { state in
            defer { (state.keeping, state.keepingBytes, state.erasing, state.fetching) = ([], 0, [], []) }
            return (state.keeping, state.erasing, state.fetching)
        }
        guard !keeping.isEmpty || !erasing.isEmpty || !fetching.isEmpty else { return connection }
        var opened = connection
        var kept = 0
        do {
            let connection: any EngineConnection
            if let opened { connection = opened } else { connection = try await engine.connect() }
            opened = connection
            while kept < keeping.count {
                var batch = 1
                var bytes = keeping[kept].bytes.count
                while kept + batch < keeping.count, bytes + keeping[kept + batch].bytes.count <= Self.batchBytes {
                    bytes += keeping[kept + batch].bytes.count
                    batch += 1
                }
                try await keep(keeping[kept..<kept + batch], over: connection)
                kept += batch
            }
            if !erasing.isEmpty { _ = try await Self.ask(["DEL"] + erasing.map(\.key), over: connection) }
            let keys = fetching.flatMap(\.keys)
            var found: [RESP] = []
            if !keys.isEmpty {
                guard let array = try await Self.ask(["MGET"] + keys, over: connection).array, array.count == keys.count
                else { throw EngineFailure.malformed }
                found = array
            }
            for (_, waiter) in erasing { waiter.resume() }
            var rest = found[...]
            for (keys, waiter) in fetching {
                waiter.resume(returning: rest.prefix(keys.count).map(\.bytes))
                rest = rest.dropFirst(keys.count)
            }
        } catch {
            opened?.close()
            if connection != nil {
                // It may have ended since the last round, as after a restart of the engine.
                putBack(keeping[kept...], erasing, fetching)
                return await round(over: nil)
            }
            opened = nil
            for (_, waiter) in erasing { waiter.resume(throwing: error) }
            for (_, waiter) in fetching { waiter.resume(throwing: error) }
            if state.withLock({ $0.isClosed }) { lose(keeping.count - kept) } else { putBack(keeping[kept...], [], []) }
        }
        if !erasing.isEmpty { bell.ring() }
        return opened
    }

    private func keep(
        _ batch: ArraySlice<Keeping>, over connection: any EngineConnection
    ) async throws {
        let head = ["EVAL", Self.script, "\(batch.count)"] + batch.map(\.key)
        let command = head.map { Array($0.utf8) } + batch.flatMap { [$0.bytes, Array("\($0.life)".utf8)] }
        try Self.check(try await connection.ask(command, within: Self.patience))
    }

    private static func ask(_ words: [String], over connection: any EngineConnection) async throws -> RESP {
        let answer = try await connection.ask(words.map { Array($0.utf8) }, within: patience)
        try check(answer)
        return answer
    }

    private static func check(_ answer: RESP) throws {
        if case .error = answer { throw EngineFailure(refusal: answer) }
    }

    /// What could not be done is done later, as far as there is room.
    private func putBack(_ keeping: ArraySlice<Keeping>, _ erasing: [Erasing], _ fetching: [Fetching]) {
        state.withLock { state in
            state.erasing = erasing + state.erasing
            state.fetching = fetching + state.fetching
            state.keeping = Array(keeping) + state.keeping
            state.keepingBytes += keeping.reduce(0) { $0 + $1.bytes.count }
        }
    }
}
