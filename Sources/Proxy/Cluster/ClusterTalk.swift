import Logging
import ProxyCluster

/// What is said to the engine, and what is known by it. One task's.
struct ClusterTalk: Sendable {
    private let keeper: ClusterKeeper
    private(set) var member: ClusterMember
    private var board = NewsBoard()
    /// News that have not been told yet: of an exchange that failed, too.
    private var posts: [NewsPost] = []
    private var connection: (any EngineConnection)?
    /// Of the script, as the engine has it.
    private var script: [UInt8]?
    private var lastMode: ClusterMember.Mode?

    init(_ keeper: ClusterKeeper) {
        self.keeper = keeper
        member = ClusterMember(instance: keeper.instance, leastInstances: keeper.leastInstances)
    }

    private var now: Duration { keeper.time.now() }
    private var clock: EngineClock? {
        let now = now
        return member.engineTime(at: now).map { EngineClock(now: now, time: $0) }
    }

    /// Tells what is wanted and what is new, and takes what comes back. Where that fails, the reason is told once.
    mutating func exchange() async {
        let wants = await keeper.limits.wants()
        await post()
        let begun = now
        let request = member.begin(
            wants, meters: keeper.meters.report(at: begun, keeper.time.wallClock()), news: posts, at: begun)
        do {
            let connection = try await connected()
            try await take(try await ask(request, on: connection), to: request)
        } catch {
            guard !Task.isCancelled else { return }
            disconnect()
            member.failed(request.number, at: now)
            failed(error)
        }
        await publish()
    }

    /// Takes news that came by subscription.
    mutating func hear(_ news: [[UInt8]]) async {
        // Before the first exchange nobody knows what time it is; that one brings all of them.
        guard !news.isEmpty, let clock else { return }
        await hear(news, clock)
    }

    /// Tells the engine that what this instance has is free.
    mutating func leave() async {
        guard let connection, let script else { return }
        let command = Self.command(script, member.leave(), keeper.keys)
        let limit = member.times.timeout
        // This task has been cancelled, and what is asked in it would be as well.
        _ = await Task { try? await connection.ask(command, within: limit) }.value
        connection.close()
    }

    // MARK: The engine

    private mutating func connected() async throws -> any EngineConnection {
        if let connection { return connection }
        let new = try await keeper.engine.connect()
        do {
            let words = ["SCRIPT", "LOAD", ExchangeScript.text]
            let answer = try await new.ask(words.map { Array($0.utf8) }, within: member.times.timeout)
            guard let name = answer.bytes else { throw EngineFailure(refusal: answer) }
            script = name
        } catch {
            new.close()
            throw error
        }
        connection = new
        return new
    }

    private mutating func disconnect() {
        connection?.close()
        connection = nil
        script = nil
    }

    private func ask(_ request: ExchangeRequest, on connection: any EngineConnection) async throws -> RESP {
        let answer = try await connection.ask(
            Self.command(script ?? [], request, keeper.keys), within: member.times.timeout)
        // It was told to forget its scripts.
        guard answer.errorCode == "NOSCRIPT" else { return answer }
        return try await connection.ask(
            Self.command(nil, request, keeper.keys), within: member.times.timeout)
    }

    /// - Parameter script: as the engine names it; nil: it is sent along.
    private static func command(_ script: [UInt8]?, _ request: ExchangeRequest, _ keys: ExchangeKeys) -> [[UInt8]] {
        [
            Array((script == nil ? "EVAL" : "EVALSHA").utf8), script ?? Array(ExchangeScript.text.utf8),
            Array("\(keys.declared.count)".utf8),
        ] + request.arguments(keys)
    }

    // MARK: News

    /// Puts what has been found out here among what is to be told.
    private mutating func post() async {
        guard let clock else { return }
        for source in keeper.news {
            for news in await source.told(clock) {
                if let post = board.post(news, from: keeper.instance, at: clock.time) { posts.append(post) }
            }
        }
        if posts.count > Self.mostPosts { posts.removeFirst(posts.count - Self.mostPosts) }
    }

    /// In an exchange.
    private static let mostPosts = 1_000

    private mutating func hear(_ news: [[UInt8]], _ clock: EngineClock) async {
        for bytes in news {
            guard case .news(let text) = NewsText.read(bytes), text.origin != keeper.instance else { continue }
            for change in board.apply(text, at: clock.time) {
                for source in keeper.news { await source.hear(change, clock) }
            }
        }
        _ = board.expire(at: clock.time)
        let instances = board.instances(at: clock.time)
        keeper.status.update { $0.roster = instances.map { .init(instance: $0.instance, news: $0.news) } }
    }

    // MARK: What comes of it

    private mutating func take(_ answer: RESP, to request: ExchangeRequest) async throws {
        guard case .reply(let reply) = ExchangeReply.read(answer, to: request) else {
            throw EngineFailure(refusal: answer)
        }
        let outcome = member.apply(reply, of: request.number, at: now)
        if case .applied(let repeatsNews) = outcome {
            posts = repeatsNews ? board.lasting(from: keeper.instance, at: reply.now) : []
            await hear(reply.news, EngineClock(now: now, time: reply.now))
            keeper.meters.apply(
                reply.blocks, until: member.leaseEnd, among: member.count, isLearning: reply.learningFor > 0)
        }
        keeper.status.update {
            $0.exchanges += 1
            $0.problem = nil
        }
    }

    private func failed(_ error: any Error) {
        let words = (error as? EngineFailure)?.words ?? "\(error)"
        let isNew = keeper.status.present.problem != words
        keeper.status.update {
            $0.failures += 1
            $0.problem = words
        }
        if isNew {
            keeper.logger.warning(
                "The shared state's engine does not help: \(words). Limits are divided by the count of instances until it is back"
            )
        }
    }

    private mutating func publish() async {
        let (mode, instances) = (member.mode(at: now), member.count)
        keeper.status.update {
            $0.mode = mode
            $0.instances = instances
        }
        if mode != lastMode {
            if mode == .leased {
                keeper.logger.notice("Limits are shared by \(instances) instances")
            } else if mode == .learning {
                keeper.logger.notice(
                    "The shared state's engine has begun anew, and gives nothing until it knows what is out")
            }
            lastMode = mode
        }
        if now >= member.leaseEnd, mode == .degraded || mode == .learning {
            keeper.meters.goOnAlone(among: instances, until: member.safeEnd, at: now)
        }
        let member = member
        await keeper.limits.take { member.lease(of: $0) }
    }
}
