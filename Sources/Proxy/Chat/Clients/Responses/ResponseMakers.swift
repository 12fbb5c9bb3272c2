import Synchronization

/// Where the responses, and their items, are kept that have passed from an upstream that speaks the Responses API itself: only there they can be built on,
/// fetched and deleted. Names alone, nothing of what was said; in memory, bounded. When it is full, the key that has most loses its oldest. An archive, where
/// there is one, has the same for the next process.
final class ResponseMakers: Sendable {
    /// What is known of an id.
    enum Known: Equatable, Sendable {
        case nothing
        /// The key that asks has made it.
        case made(Maker)
        /// Another key has.
        case foreign
    }

    struct Maker: Equatable, Sendable {
        /// Of the upstream (`Backend.home`).
        let home: String
        /// The model's id there.
        let model: String
        /// The same, as the client knows it.
        let name: String
    }

    private struct State {
        /// By id, and by what stands for the client's key.
        var makers: [String: [String: Maker]] = [:]
        /// The ids of each key in the order in which they came; those before `first` are gone.
        var queues: [String: (ids: [String], first: Int)] = [:]
        var count = 0
        var archive: ResponseArchive?
        /// Those that had to make room and are in the archive still.
        var gone: [ResponseArchive.Name] = []
    }

    /// Responses and items that are remembered: some 15 MiB.
    static let most = 50_000
    /// Bytes of an id. OpenAI's have some 60.
    static let longestID = 256

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = ResponseMakers.most) {
        self.limit = limit
    }

    /// - Parameter key: something that stands for the client's key and for no other.
    func note(_ id: String, of key: String, _ maker: Maker) {
        guard (1...Self.longestID).contains(id.utf8.count) else { return }
        let (isNew, archive, gone) = state.withLock { state in
            let isNew = add(id, of: key, maker, to: &state)
            defer { state.gone = [] }
            return (isNew, state.archive, state.gone)
        }
        guard isNew, let archive else { return }
        archive.keep(ResponseArchive.Name(kind: .maker, id: id, key: key), maker.encoded, ResponseArchive.makerLifetime)
        if !gone.isEmpty { archive.forget(gone) }
    }

    /// Keeps everything in an archive too, from now on, and takes what is there over, the oldest first. Before the first request.
    func restore(_ documents: [ResponseArchive.Document], and archive: ResponseArchive?) {
        let gone = state.withLock { state in
            for document in documents where document.name.kind == .maker {
                guard let maker = Maker(encoded: document.bytes) else { continue }
                _ = add(document.name.id, of: document.name.key, maker, to: &state)
            }
            state.archive = archive
            defer { state.gone = [] }
            return state.gone
        }
        if !gone.isEmpty { archive?.forget(gone) }
    }

    /// Keeps everything in another archive too, from now on.
    func join(_ archive: ResponseArchive) { state.withLock { $0.archive = archive.joined(with: $0.archive) } }

    /// Takes copies of what another instance knows.
    func take(_ documents: [ResponseArchive.Document]) {
        state.withLock { state in
            for document in documents where document.name.kind == .maker {
                guard let maker = Maker(encoded: document.bytes) else { continue }
                _ = add(document.name.id, of: document.name.key, maker, to: &state)
            }
        }
    }

    /// - Returns: whether it is new.
    private func add(_ id: String, of key: String, _ maker: Maker, to state: inout State) -> Bool {
        guard state.makers[id]?.updateExisting(key, to: maker) != true else { return false }
        if state.count >= limit { makeRoom(in: &state) }
        state.makers[id, default: [:]][key] = maker
        state.queues[key, default: ([], 0)].ids.append(id)
        state.count += 1
        return true
    }

    func known(_ id: String, to key: String) -> Known {
        state.withLock { state in
            guard let makers = state.makers[id] else { return .nothing }
            return makers[key].map(Known.made) ?? .foreign
        }
    }

    /// It has been deleted where it was. Its place in the queue goes when its turn comes.
    func forget(_ id: String, of key: String) {
        let archive = state.withLock { state in
            Self.forget(id, key, in: &state)
            return state.archive
        }
        archive?.forget([ResponseArchive.Name(kind: .maker, id: id, key: key)])
    }

    /// A hundredth goes at once, so that to look for the largest key is seldom needed.
    private func makeRoom(in state: inout State) {
        guard
            let key = state.queues.max(by: { $0.value.ids.count - $0.value.first < $1.value.ids.count - $1.value.first }
            )?.key,
            var queue = state.queues.removeValue(forKey: key)
        else { return }
        let end = min(queue.first + limit / 100 + 1, queue.ids.count)
        for id in queue.ids[queue.first..<end] {
            Self.forget(id, key, in: &state)
            state.gone.append(ResponseArchive.Name(kind: .maker, id: id, key: key))
        }
        state.count -= end - queue.first
        queue.first = end
        if queue.first > queue.ids.count / 2 { queue = (Array(queue.ids[queue.first...]), 0) }
        if !queue.ids.isEmpty { state.queues[key] = queue }
    }

    private static func forget(_ id: String, _ key: String, in state: inout State) {
        state.makers[id]?[key] = nil
        if state.makers[id]?.isEmpty == true { state.makers[id] = nil }
    }
}

extension [String: ResponseMakers.Maker] {
    fileprivate mutating func updateExisting(_ key: String, to maker: ResponseMakers.Maker) -> Bool {
        guard self[key] != nil else { return false }
        self[key] = maker
        return true
    }
}

extension ResponseMakers.Maker {
    /// Names have no such byte.
    private static let separator = UInt8(ascii: "\n")

    fileprivate var encoded: [UInt8] { Array([home, model, name].joined(separator: "\n").utf8) }

    fileprivate init?(encoded bytes: [UInt8]) {
        let parts = bytes.split(separator: Self.separator, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count == 3 else { return nil }
        self.init(home: parts[0], model: parts[1], name: parts[2])
    }
}
