/// What viewers of the operator's page see, made once a second for all of them, and only when one of them asks.
///
/// No viewer has a queue: each asks for what has changed since what it has last got. So a slow one gets less often more, keeps nobody waiting, and
/// nothing is kept for it.
actor WindowFeed {
    /// Viewers at once.
    static let mostViewers = 20
    /// The state is made anew so often at most.
    static let interval = Duration.seconds(1)

    /// What has been given to a viewer.
    struct Version: Equatable, Sendable { fileprivate let number: Int }

    private struct Part {
        var value: [UInt8]
        /// When it changed last.
        var version: Int
    }

    private let source: WindowSource
    private let time: TimeSource
    private var version = 0
    private var madeAt: Duration?
    private var names: [String] = []
    private var parts: [String: Part] = [:]
    private var ids: [String] = []
    private var upstreams: [String: Part] = [:]
    /// Ids that have gone, with when.
    private var gone: [(id: String, version: Int)] = []
    /// What the viewers who came along with the last version get.
    private var lastChange: (since: Int, text: [UInt8])?
    private var making: Task<Void, Never>?
    private(set) var viewers = 0

    init(_ source: WindowSource, time: TimeSource) {
        self.source = source
        self.time = time
    }

    /// - Returns: false when there are as many viewers as there may be.
    func enter() -> Bool {
        guard viewers < Self.mostViewers else { return false }
        viewers += 1
        return true
    }

    func leave() { viewers -= 1 }

    /// The whole state of the moment.
    func whole() async -> (version: Version, text: [UInt8]) {
        await refresh()
        return (Version(number: version), document(since: -1))
    }

    /// What has changed since; nil when nothing has.
    func change(since known: Version) async -> (version: Version, text: [UInt8])? {
        await refresh()
        guard version > known.number else { return nil }
        if let lastChange, lastChange.since == known.number { return (Version(number: version), lastChange.text) }
        let text = document(since: known.number)
        lastChange = (known.number, text)
        return (Version(number: version), text)
    }

    private func refresh() async {
        let now = time.now()
        if let madeAt, now - madeAt < Self.interval { return }
        // Whoever comes meanwhile waits for the same one.
        let task =
            making
            ?? Task {
                let state = await source.state()
                (making, madeAt) = (nil, now)
                take(state)
            }
        making = task
        await task.value
    }

    private func take(_ state: WindowState) {
        let next = version + 1
        var hasChanged = false
        func put(_ value: [UInt8], as name: String, in list: inout [String: Part], counts: Bool = true) {
            if let known = list[name], known.value == value { return }
            list[name] = Part(value: value, version: next)
            hasChanged = hasChanged || counts
        }
        // That time goes on is no news.
        for (name, value) in state.parts { put(value, as: name, in: &parts, counts: name != "at") }
        names = state.parts.map(\.name)
        for (id, value) in state.upstreams { put(value, as: id, in: &upstreams) }
        let present = Set(state.upstreams.map(\.id))
        for id in ids where !present.contains(id) {
            upstreams[id] = nil
            gone.append((id, next))
            hasChanged = true
        }
        gone.removeFirst(max(gone.count - 1000, 0))
        ids = state.upstreams.map(\.id)
        guard hasChanged else { return }
        version = next
        lastChange = nil
    }

    private func document(since known: Int) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        writer.beginObject()
        for name in names {
            guard let part = parts[name], part.version > known || name == "at" else { continue }
            writer.key(name)
            writer.raw(part.value[...])
        }
        let changed = ids.compactMap { id in upstreams[id].flatMap { $0.version > known ? $0.value : nil } }
        if !changed.isEmpty || known < 0 {
            writer.key("upstreams")
            writer.beginArray()
            for value in changed { writer.raw(value[...]) }
            writer.endArray()
        }
        let left = gone.filter { $0.version > known && known >= 0 }
        if !left.isEmpty {
            writer.key("upstreams_gone")
            writer.beginArray()
            for (id, _) in left { writer.string(id) }
            writer.endArray()
        }
        writer.endObject()
        return writer.bytes
    }
}
