import Synchronization

/// Where the responses, and their items, are kept that have passed from an upstream that speaks the Responses API itself: only there they can be built on,
/// fetched and deleted. Names alone, nothing of what was said; in memory, bounded, the oldest go first.
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
    }

    private struct Place: Hashable {
        let id: String
        let key: String
    }

    private struct State {
        /// By id, and by what stands for the client's key.
        var makers: [String: [String: Maker]] = [:]
        /// In the order in which they came. Those before `next` have been overwritten once.
        var places: [Place] = []
        var next = 0
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
        state.withLock { state in
            guard state.makers[id]?.updateExisting(key, to: maker) != true else { return }
            state.makers[id, default: [:]][key] = maker
            let place = Place(id: id, key: key)
            guard state.places.count >= limit else { return state.places.append(place) }
            Self.forget(state.places[state.next], in: &state)
            state.places[state.next] = place
            state.next = (state.next + 1) % limit
        }
    }

    func known(_ id: String, to key: String) -> Known {
        state.withLock { state in
            guard let makers = state.makers[id] else { return .nothing }
            return makers[key].map(Known.made) ?? .foreign
        }
    }

    /// It has been deleted where it was.
    func forget(_ id: String, of key: String) {
        state.withLock { Self.forget(Place(id: id, key: key), in: &$0) }
    }

    private static func forget(_ place: Place, in state: inout State) {
        state.makers[place.id]?[place.key] = nil
        if state.makers[place.id]?.isEmpty == true { state.makers[place.id] = nil }
    }
}

extension [String: ResponseMakers.Maker] {
    fileprivate mutating func updateExisting(_ key: String, to maker: ResponseMakers.Maker) -> Bool {
        guard self[key] != nil else { return false }
        self[key] = maker
        return true
    }
}
