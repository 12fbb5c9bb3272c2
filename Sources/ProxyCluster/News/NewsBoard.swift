/// What an instance knows by news. The same news may come twice, by subscription and by an exchange, and in any order: what comes of them
/// is the same.
package struct NewsBoard: Sendable {
    /// What is new here and is to be acted on.
    package enum Change: Equatable, Sendable {
        /// Leave it alone until then.
        case coolDown(String, until: Int64, isThrottle: Bool)
        /// Treat it as half-open: one request finds out.
        case probe(String)
        /// The lowest limit that any instance has learnt of late; nil when there is none any more.
        case limit(String, Int?)
        case retired(model: String, at: Int64)
        case key(News.KeyRecord)
        /// Copies of it are to go.
        case erase(document: String)
    }

    /// Milliseconds. No upstream is left alone for longer than that, whoever says so (SPEC 4.1b).
    package static let longestRest: Int64 = 600_000
    /// Milliseconds for which a learnt limit is fresh.
    package static let longestLimit: Int64 = 600_000
    /// Milliseconds: a month.
    package static let longestRetired: Int64 = 2_592_000_000
    /// Of one kind. What comes beyond is not taken: names come from other instances' configurations.
    package static let mostTopics = 20_000

    private struct Limit: Sendable {
        var limit: Int
        var at: Int64
    }

    private var cooldowns: [String: Int64] = [:]
    private var breakers: [String: Int64] = [:]
    private var limits: [String: [String: Limit]] = [:]
    private var lowest: [String: Int] = [:]
    private var retired: [String: Int64] = [:]
    private var keys: [String: News.KeyRecord] = [:]
    private var erased: [String: Int64] = [:]
    private var instances: [String: InstanceNews] = [:]

    package init() {}

    /// - Parameters:
    ///   - now: the engine's time, milliseconds since 1970.
    package mutating func apply(_ text: NewsText, at now: Int64) -> [Change] {
        switch text.news {
        case .cooldown(let of, let until, let isThrottle):
            let until = min(until, now + Self.longestRest)
            guard until > now, until > cooldowns[of] ?? 0, cooldowns[of] != nil || cooldowns.count < Self.mostTopics
            else { return [] }
            cooldowns[of] = until
            return [.coolDown(of, until: until, isThrottle: isThrottle)]
        case .breakerOpened(let of, let until):
            let until = min(until, now + Self.longestRest)
            // One hint for each time that it opens, and not for each instance that finds the same.
            guard until > now, now >= breakers[of] ?? 0, breakers[of] != nil || breakers.count < Self.mostTopics
            else { return [] }
            breakers[of] = until
            return [.probe(of)]
        case .learntLimit(let of, let limit, let at):
            let at = min(at, now)
            guard limit > 0, now - at < Self.longestLimit, at > limits[of]?[text.origin]?.at ?? -1,
                limits[of] != nil || limits.count < Self.mostTopics
            else { return [] }
            limits[of, default: [:]][text.origin] = Limit(limit: limit, at: at)
            return lowestLimit(of: of, at: now)
        case .retired(let model, let at):
            guard retired[model] == nil, retired.count < Self.mostTopics else { return [] }
            retired[model] = at
            return [.retired(model: model, at: at)]
        case .key(let key):
            if let known = keys[key.name] {
                guard known.rank < key.rank else { return [] }
            } else if keys.count >= Self.mostTopics, !key.isRevoked {
                return []
            }
            keys[key.name] = key
            return [.key(key)]
        case .erased(let document, let until):
            let until = min(until, now + Self.longestRest)
            guard until > now, until > erased[document] ?? 0, erased[document] != nil || erased.count < Self.mostTopics
            else { return [] }
            erased[document] = until
            return [.erase(document: document)]
        case .instance(let instance):
            guard instance.at > instances[text.origin]?.at ?? -1, now - instance.at < InstanceNews.life,
                instances[text.origin] != nil || instances.count < Self.mostInstances
            else { return [] }
            instances[text.origin] = instance
            return []
        }
    }

    /// Instances that have said something of late, this one among them, by name.
    package func instances(at now: Int64) -> [(instance: String, news: InstanceNews)] {
        instances.filter { now - $0.value.at < InstanceNews.life }.map { ($0.key, $0.value) }.sorted {
            ($0.news.name, $0.instance) < ($1.news.name, $1.instance)
        }
    }

    private static let mostInstances = 1_000

    /// Drops what is too old: to be called now and then.
    package mutating func expire(at now: Int64) -> [Change] {
        cooldowns = cooldowns.filter { $0.value > now }
        breakers = breakers.filter { $0.value > now }
        erased = erased.filter { $0.value > now }
        instances = instances.filter { now - $0.value.at < InstanceNews.life }
        return limits.keys.sorted().flatMap { lowestLimit(of: $0, at: now) }
    }

    private mutating func lowestLimit(of object: String, at now: Int64) -> [Change] {
        let fresh = (limits[object] ?? [:]).filter { now - $0.value.at < Self.longestLimit }
        limits[object] = fresh.isEmpty ? nil : fresh
        let found = fresh.values.map(\.limit).min()
        guard found != lowest[object] else { return [] }
        lowest[object] = found
        return [.limit(object, found)]
    }

    // MARK: What this instance has found out

    /// Notes and posts what was found out here.
    ///
    /// - Returns: nil when the others know as much: it is not news.
    package mutating func post(_ news: News, from origin: String, at now: Int64) -> NewsPost? {
        let text = NewsText(origin: origin, news: news)
        guard let body = text.bytes, !apply(text, at: now).isEmpty || isAlwaysTold(news) else { return nil }
        return NewsPost(topic: news.topic(from: origin), rank: news.rank, life: news.life(at: now), body: body)
    }

    /// What must outlive the engine's memory: to be posted when it has forgotten its news.
    package func lasting(from origin: String, at now: Int64) -> [NewsPost] {
        let news =
            keys.values.sorted { $0.name < $1.name }.map { News.key($0) }
            + retired.sorted { $0.key < $1.key }.map { News.retired(model: $0.key, at: $0.value) }
        return news.compactMap { news in
            NewsText(origin: origin, news: news).bytes.map {
                NewsPost(topic: news.topic(from: origin), rank: news.rank, life: news.life(at: now), body: $0)
            }
        }
    }

    /// A limit is told even where the lowest is another's, and what an instance says of itself changes nothing here.
    private func isAlwaysTold(_ news: News) -> Bool {
        switch news {
        case .learntLimit, .instance: true
        case .cooldown, .breakerOpened, .retired, .key, .erased: false
        }
    }
}
