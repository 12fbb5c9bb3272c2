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
        /// Documents for which there was no room: there is nothing on the disk to forget. They are no more than their owners remember.
        var refused: Set<Name> = []
    }

    /// How much goes into one transaction.
    private static let batchCount = 512
    private static let batchBytes = 8 << 20

    private let byteBound: Int
    private let countBound: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - byteBound: bytes that wait at most.
    ///   - countBound: names that wait, whatever their size. Those that are to be forgotten come on top: as many as are on the disk.
    init(byteBound: Int, countBound: Int = 100_000) {
        self.byteBound = byteBound
        self.countBound = countBound
    }

    /// - Returns: false when there is no room for it. For what is to be forgotten there always is.
    func put(_ note: Note, as name: Name) -> Bool {
        state.withLock { state in
            let before = state.notes[name]
            let bytes = state.bytes - (before?.note.size ?? 0) + note.size
            if case .forgotten = note {
                if state.refused.remove(name) != nil, before == nil { return true }
            } else {
                guard bytes <= byteBound || note.size == 0, state.notes.count < countBound || before != nil else {
                    if case .document = note { state.refused.insert(name) }
                    return false
                }
                state.refused.remove(name)
            }
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
