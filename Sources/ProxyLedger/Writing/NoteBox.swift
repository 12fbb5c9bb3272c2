import ProxyAccounting
import Synchronization

/// Memory and documents that wait to be written: the latest of a name wins, and stays here until it is on the disk.
final class NoteBox: Sendable {
    enum Note: Sendable {
        case memory([UInt8])
        case document(StoredDocument)
        case forgotten
    }
    enum Name: Hashable, Sendable {
        case memory(String)
        case document(String)
    }
    struct Waiting: Sendable {
        var note: Note
        /// Tells a note from a later one of its name.
        var version: Int
    }
    private struct State {
        var notes: [Name: Waiting] = [:]
        var bytes = 0
        var version = 0
    }

    /// Names that wait, whatever their size.
    private static let countBound = 100_000
    /// How much goes into one transaction.
    private static let batchCount = 512
    private static let batchBytes = 8 << 20

    private let byteBound: Int
    private let state = Mutex(State())

    init(byteBound: Int) { self.byteBound = byteBound }

    /// - Returns: false when there is no room for it.
    func put(_ note: Note, as name: Name) -> Bool {
        state.withLock { state in
            let bytes = state.bytes - (state.notes[name]?.note.size ?? 0) + note.size
            guard bytes <= byteBound || note.size == 0, state.notes.count < Self.countBound || state.notes[name] != nil
            else { return false }
            state.version += 1
            state.notes[name] = Waiting(note: note, version: state.version)
            state.bytes = bytes
            return true
        }
    }

    subscript(name: Name) -> Note? { state.withLock { $0.notes[name]?.note } }

    /// All that waits.
    var all: [Note] { state.withLock { $0.notes.values.map(\.note) } }

    /// The documents that wait, and the ids of those that are to be forgotten.
    var documents: [String: StoredDocument?] {
        state.withLock { state in
            var found: [String: StoredDocument?] = [:]
            for case (.document(let id), let waiting) in state.notes {
                if case .document(let document) = waiting.note {
                    found[id] = .some(document)
                } else {
                    found[id] = .some(nil)
                }
            }
            return found
        }
    }

    /// Some that wait. They stay until `remove`.
    func some() -> [Name: Waiting] {
        state.withLock { state in
            guard !state.notes.isEmpty else { return [:] }
            var taken: [Name: Waiting] = [:]
            var bytes = 0
            for (name, waiting) in state.notes {
                taken[name] = waiting
                bytes += waiting.note.size
                if taken.count >= Self.batchCount || bytes >= Self.batchBytes { break }
            }
            return taken
        }
    }

    /// Lets go of what has been written, but for what has come in its place.
    func remove(_ written: [Name: Waiting]) {
        state.withLock { state in
            for (name, waiting) in written where state.notes[name]?.version == waiting.version {
                state.notes[name] = nil
                state.bytes -= waiting.note.size
            }
        }
    }
}

extension NoteBox.Note {
    fileprivate var size: Int {
        switch self {
        case .memory(let bytes): bytes.count
        case .document(let document): document.bytes.count
        case .forgotten: 0
        }
    }
}
