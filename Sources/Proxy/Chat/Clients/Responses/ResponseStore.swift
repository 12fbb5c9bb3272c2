import ProxyRouting
import Synchronization

/// The responses that clients have asked to be kept: for `previous_response_id`, for references to items, and to be fetched again. In memory, bounded by
/// number, bytes and time; what was used least lately goes first.
///
/// Each key has its own: another's response is as unknown as one that never was.
final class ResponseStore: Sendable {
    struct Limits: Sendable {
        var isOn = true
        var timeToLive = Duration.seconds(24 * 3600)
        var count = 10_000
        var bytes = 64 << 20
    }

    /// A response and what it was made of.
    struct Kept: Sendable {
        /// All that the model has read, as items.
        let input: [[UInt8]]
        let output: [[UInt8]]
        /// The response object.
        let response: [UInt8]
        /// Of its stream, for whoever reads it again.
        let expires: Duration
        fileprivate var use: Int = 0

        fileprivate var bytes: Int {
            response.count + input.reduce(0) { $0 + $1.count + 32 } + output.reduce(0) { $0 + $1.count + 32 } + 256
        }
    }

    private struct State {
        var limits: Limits
        var kept: [String: Kept] = [:]
        /// Where an item stands, by its id and that of the key.
        var items: [String: (response: String, index: Int)] = [:]
        var bytes = 0
        var uses = 0
    }

    private let state: Mutex<State>
    private let time: TimeSource

    init(limits: Limits = Limits(), time: TimeSource) {
        state = Mutex(State(limits: limits))
        self.time = time
    }

    /// Takes other limits over. What is beyond them goes; where nothing is to be kept, all of it.
    func configure(_ limits: Limits) {
        state.withLock { state in
            guard limits.isOn else {
                state = State(limits: limits)
                return
            }
            state.limits = limits
            makeRoom(in: &state)
        }
    }

    /// What one key has had kept.
    struct Shelf: Sendable {
        fileprivate let store: ResponseStore
        fileprivate let key: String

        var isOn: Bool { store.state.withLock { $0.limits.isOn } }

        /// Everything up to and with that response, in its order; nil when it is not there (any more).
        func items(of response: String) -> [JSONValue]? {
            store.kept(response, key).map { kept in
                (kept.input + kept.output).compactMap { try? JSONDocument(parsing: $0).root }
            }
        }

        /// An item of any response.
        func item(_ id: String) -> JSONValue? {
            store.item(id, key).flatMap { try? JSONDocument(parsing: $0).root }
        }

        subscript(response: String) -> Kept? { store.kept(response, key) }

        func keep(_ id: String, input: [[UInt8]], output: [[UInt8]], response: [UInt8]) {
            store.keep(id, key, input: input, output: output, response: response)
        }

        /// - Returns: whether it was there.
        func remove(_ id: String) -> Bool { store.remove(id, key) }
    }

    func shelf(of key: String) -> Shelf { Shelf(store: self, key: key) }

    /// Responses that are kept, and their bytes.
    var size: (count: Int, bytes: Int) { state.withLock { ($0.kept.count, $0.bytes) } }

    // A key's name holds no line break.
    private static func name(_ id: String, _ key: String) -> String { key + "\n" + id }

    private func kept(_ id: String, _ key: String) -> Kept? {
        let (name, now) = (Self.name(id, key), time.now())
        return state.withLock { state in
            guard let kept = state.kept[name] else { return nil }
            guard kept.expires > now else {
                Self.drop(name, key, from: &state)
                return nil
            }
            state.uses += 1
            state.kept[name]?.use = state.uses
            return kept
        }
    }

    private func item(_ id: String, _ key: String) -> [UInt8]? {
        let now = time.now()
        return state.withLock { state in
            guard let place = state.items[Self.name(id, key)], let kept = state.kept[place.response],
                kept.expires > now
            else { return nil }
            let count = kept.input.count
            return place.index < count ? kept.input[place.index] : kept.output[place.index - count]
        }
    }

    private func keep(_ id: String, _ key: String, input: [[UInt8]], output: [[UInt8]], response: [UInt8]) {
        let (name, now) = (Self.name(id, key), time.now())
        let ids = (input + output).map { try? JSONDocument(parsing: $0).root["id"]?.string }
        state.withLock { state in
            let limits = state.limits
            var kept = Kept(input: input, output: output, response: response, expires: now + limits.timeToLive)
            guard limits.isOn, kept.bytes <= limits.bytes / 4 else { return }
            state.uses += 1
            kept.use = state.uses
            Self.drop(name, key, from: &state)
            state.kept[name] = kept
            state.bytes += kept.bytes
            for (index, id) in ids.enumerated() {
                if let id = id ?? nil { state.items[Self.name(id, key)] = (name, index) }
            }
            makeRoom(in: &state)
        }
    }

    /// A tenth goes at once, so that to look for the oldest is seldom needed.
    private func makeRoom(in state: inout State) {
        let limits = state.limits
        guard state.kept.count > limits.count || state.bytes > limits.bytes else { return }
        let byUse = state.kept.map { (name: $0.key, use: $0.value.use) }.sorted { $0.use < $1.use }
        let (count, bytes) = (limits.count - limits.count / 10, limits.bytes - limits.bytes / 10)
        for (name, _) in byUse.dropLast() where state.kept.count > count || state.bytes > bytes {
            Self.drop(name, String(name.prefix { $0 != "\n" }), from: &state)
        }
    }

    private func remove(_ id: String, _ key: String) -> Bool {
        let name = Self.name(id, key)
        return state.withLock { state in
            guard state.kept[name] != nil else { return false }
            Self.drop(name, key, from: &state)
            return true
        }
    }

    private static func drop(_ name: String, _ key: String, from state: inout State) {
        guard let kept = state.kept.removeValue(forKey: name) else { return }
        state.bytes -= kept.bytes
        for item in kept.input + kept.output {
            guard let id = try? JSONDocument(parsing: item).root["id"]?.string else { continue }
            let place = Self.name(id, key)
            if state.items[place]?.response == name { state.items[place] = nil }
        }
    }
}
