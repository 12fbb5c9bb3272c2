import ProxyRouting
import Synchronization

/// The responses that clients have asked to be kept: for `previous_response_id`, for references to items, and to be fetched again. In memory, bounded by
/// number, bytes and time; what was used least lately goes first. An archive, where there is one, has the same for the next process.
///
/// Each key has its own: another's response is as unknown as one that never was.
final class ResponseStore: Sendable {
    struct Limits: Sendable {
        var isOn = true
        var timeToLive = Duration.seconds(24 * 3600)
        var count = 10_000
        var bytes = 64 << 20
    }

    /// An item, and the id by which it may be referred to.
    struct Item: Sendable {
        let id: String
        let bytes: [UInt8]
    }

    /// A response and what it was made of.
    struct Kept: Sendable {
        /// All that the model has read, as items.
        let input: [Item]
        let output: [Item]
        /// The response object.
        let response: [UInt8]
        /// Of its stream, for whoever reads it again.
        let expires: Duration
        fileprivate var use: Int = 0

        init(input: [Item], output: [Item], response: [UInt8], expires: Duration) {
            self.input = input
            self.output = output
            self.response = response
            self.expires = expires
        }

        fileprivate var bytes: Int {
            response.count + (input + output).reduce(512) { $0 + $1.bytes.count + 2 * $1.id.utf8.count + 192 }
        }
    }

    /// The responses that were made with an item, and its place in each. Mostly there is one.
    private struct Places {
        var newest: (response: String, index: Int)
        var older: [String: Int] = [:]

        mutating func add(_ response: String, _ index: Int) {
            guard response != newest.response else { return }
            older[newest.response] = newest.index
            newest = (response, index)
        }

        /// - Returns: false when none is left.
        mutating func remove(_ response: String) -> Bool {
            if response != newest.response {
                older[response] = nil
                return true
            }
            guard let (next, index) = older.popFirst() else { return false }
            newest = (next, index)
            return true
        }
    }

    private struct State {
        var limits: Limits
        var kept: [String: Kept] = [:]
        /// Where an item stands, by its id and that of the key.
        var items: [String: Places] = [:]
        var bytes = 0
        var bytesByKey: [String: Int] = [:]
        var uses = 0
        var archive: ResponseArchive?
        /// Names of those that have gone and are in the archive still.
        var gone: [String] = []
        /// Names of those that a client has deleted, while it is not sure that the archive has followed.
        var leaving: Set<String> = []
    }

    private let state: Mutex<State>
    private let time: TimeSource

    init(limits: Limits = Limits(), time: TimeSource) {
        state = Mutex(State(limits: limits))
        self.time = time
    }

    /// Takes other limits over. What is beyond them goes; where nothing is to be kept, all of it.
    func configure(_ limits: Limits) {
        change { state in
            state.limits = limits
            if limits.isOn {
                makeRoom(in: &state)
            } else {
                for (name, _) in state.kept { Self.drop(name, Self.key(in: name), from: &state) }
            }
        }
    }

    /// Keeps everything in an archive too, from now on, and takes what is there over, the oldest first. Before the first request.
    func restore(_ documents: [ResponseArchive.Document], and archive: ResponseArchive?) {
        change { state in
            state.archive = archive
            for document in documents where document.name.kind == .response {
                let key = document.name.key
                let name = Self.name(document.name.id, key)
                guard state.limits.isOn, let kept = Kept(encoded: document.bytes, expires: document.expires) else {
                    state.gone.append(name)
                    continue
                }
                put(kept, name, key, in: &state)
            }
            makeRoom(in: &state)
        }
    }

    /// Keeps everything in another archive too, from now on.
    func join(_ archive: ResponseArchive) { state.withLock { $0.archive = archive.joined(with: $0.archive) } }

    /// Takes copies of what another instance has kept.
    func take(_ documents: [ResponseArchive.Document]) {
        change { state in
            for document in documents where document.name.kind == .response && state.limits.isOn {
                guard let kept = Kept(encoded: document.bytes, expires: document.expires) else { continue }
                put(kept, Self.name(document.name.id, document.name.key), document.name.key, in: &state)
            }
            makeRoom(in: &state)
        }
    }

    /// Drops what another instance has deleted.
    func drop(where isDeleted: (ResponseArchive.Name) -> Bool) {
        change { state in
            for name in state.kept.keys where isDeleted(Self.document(name)) {
                Self.drop(name, Self.key(in: name), from: &state)
            }
        }
    }

    /// Changes what is kept, and tells the archive of what has gone: outside of the lock that requests take.
    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, gone, archive) = state.withLock { state in
            let value = body(&state)
            defer { state.gone = [] }
            return (value, state.gone, state.archive)
        }
        if let archive, !gone.isEmpty { archive.forget(gone.map(Self.document)) }
        return value
    }

    /// What one key has had kept.
    struct Shelf: Sendable {
        fileprivate let store: ResponseStore
        fileprivate let key: String

        var isOn: Bool { store.state.withLock { $0.limits.isOn } }

        /// Why a response may not be there.
        var absence: String {
            isOn
                ? "It was made with another key or with 'store' false, or it has been deleted or has expired (responses_ttl), or it was made before a restart and there is no state_dir."
                : "This proxy keeps no responses (responses_store = off); send the whole conversation."
        }

        /// Everything up to and with that response, in its order; nil when it is not there (any more).
        func items(of response: String) -> [Item]? { store.kept(response, key).map { $0.input + $0.output } }

        /// Bytes of that; 0 when it is not there.
        func bytes(of response: String) -> Int {
            items(of: response)?.reduce(0) { $0 + $1.bytes.count } ?? 0
        }

        /// An item of any response.
        func item(_ id: String) -> Item? { store.item(id, key) }

        subscript(response: String) -> Kept? { store.kept(response, key) }

        func keep(_ id: String, input: [Item], output: [Item], response: [UInt8]) {
            store.keep(id, key, input: input, output: output, response: response)
        }

        /// Deletes a response: for this process at once, and then for those after it.
        ///
        /// - Returns: whether it was there.
        /// - Throws: when it may be there again after a restart. Then it may be deleted once more.
        func erase(_ id: String) async throws -> Bool { try await store.erase(id, key) }
    }

    /// - Parameter key: something that stands for the client's key and for no other, without a line break.
    func shelf(of key: String) -> Shelf { Shelf(store: self, key: key) }

    /// Responses that are kept, and their bytes.
    var size: (count: Int, bytes: Int) { state.withLock { ($0.kept.count, $0.bytes) } }

    private static func name(_ id: String, _ key: String) -> String { key + "\n" + id }
    private static func document(_ name: String) -> ResponseArchive.Name {
        ResponseArchive.Name(kind: .response, id: String(name.drop { $0 != "\n" }.dropFirst()), key: key(in: name))
    }
    private static func key(in name: String) -> String { String(name.prefix { $0 != "\n" }) }

    private func kept(_ id: String, _ key: String) -> Kept? {
        let (name, now) = (Self.name(id, key), time.now())
        return change { state in
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

    private func item(_ id: String, _ key: String) -> Item? {
        let now = time.now()
        return change { state in
            let name = Self.name(id, key)
            // Those that have expired go, so that nobody looks at them twice.
            while let place = state.items[name]?.newest, state.kept[place.response]?.expires ?? now <= now {
                guard state.kept[place.response] != nil else { return nil }
                Self.drop(place.response, key, from: &state)
            }
            guard let place = state.items[name]?.newest, let kept = state.kept[place.response] else { return nil }
            state.uses += 1
            state.kept[place.response]?.use = state.uses
            let count = kept.input.count
            return place.index < count ? kept.input[place.index] : kept.output[place.index - count]
        }
    }

    private func keep(_ id: String, _ key: String, input: [Item], output: [Item], response: [UInt8]) {
        let (name, now) = (Self.name(id, key), time.now())
        let (limits, archive) = state.withLock { ($0.limits, $0.archive) }
        let kept = Kept(input: input, output: output, response: response, expires: now + limits.timeToLive)
        guard limits.isOn, kept.bytes <= limits.bytes / Self.shareOfOne else { return }
        // First, so that whoever deletes what is here deletes it there as well.
        archive?.keep(Self.document(name), kept.encoded, limits.timeToLive)
        change { state in
            guard state.limits.isOn else { return state.gone.append(name) }
            put(kept, name, key, in: &state)
            makeRoom(for: key, in: &state)
        }
    }

    private func put(_ kept: Kept, _ name: String, _ key: String, in state: inout State) {
        var kept = kept
        state.uses += 1
        kept.use = state.uses
        if state.kept[name] != nil {
            Self.drop(name, key, from: &state)
            // The archive has it under the same name.
            state.gone.removeLast()
        }
        state.kept[name] = kept
        state.bytes += kept.bytes
        state.bytesByKey[key, default: 0] += kept.bytes
        for (index, item) in (kept.input + kept.output).enumerated() {
            let place = Self.name(item.id, key)
            if state.items[place]?.add(name, index) == nil {
                state.items[place] = Places(newest: (name, index))
            }
        }
    }

    /// One response may take an eighth of all, and one key a half.
    private static let shareOfOne = 8

    /// A tenth goes at once, so that to look for the oldest is seldom needed.
    private func makeRoom(for key: String? = nil, in state: inout State) {
        let limits = state.limits
        if let key, state.bytesByKey[key, default: 0] > limits.bytes / 2 {
            let own = state.kept.filter { $0.key.hasPrefix(key + "\n") }
            dropOldest(of: own, in: &state) { $0.bytesByKey[key, default: 0] > limits.bytes * 9 / 20 }
        }
        guard state.kept.count > limits.count || state.bytes > limits.bytes else { return }
        let (count, bytes) = (limits.count - limits.count / 10, limits.bytes - limits.bytes / 10)
        dropOldest(of: state.kept, in: &state) { $0.kept.count > count || $0.bytes > bytes }
    }

    private func dropOldest(of kept: [String: Kept], in state: inout State, while isFull: (State) -> Bool) {
        let byUse = kept.map { (name: $0.key, use: $0.value.use) }.sorted { $0.use < $1.use }
        for (name, _) in byUse.dropLast() {
            guard isFull(state) else { return }
            Self.drop(name, Self.key(in: name), from: &state)
        }
    }

    /// Deleted ones of which it is not sure that the archive has followed. Beyond that they are not known any more.
    private static let mostLeaving = 10_000

    private func erase(_ id: String, _ key: String) async throws -> Bool {
        let name = Self.name(id, key)
        let (isKnown, archive) = change { state in
            if state.kept[name] != nil {
                Self.drop(name, key, from: &state)
                if state.archive != nil, state.leaving.count < Self.mostLeaving { state.leaving.insert(name) }
                return (true, state.archive)
            }
            return (state.leaving.contains(name), state.archive)
        }
        guard isKnown else { return false }
        try await archive?.erase(Self.document(name))
        state.withLock { _ = $0.leaving.remove(name) }
        return true
    }

    private static func drop(_ name: String, _ key: String, from state: inout State) {
        guard let kept = state.kept.removeValue(forKey: name) else { return }
        state.gone.append(name)
        state.bytes -= kept.bytes
        let left = state.bytesByKey[key, default: 0] - kept.bytes
        state.bytesByKey[key] = left > 0 ? left : nil
        for item in kept.input + kept.output {
            let place = Self.name(item.id, key)
            if state.items[place]?.remove(name) == false { state.items[place] = nil }
        }
    }
}
