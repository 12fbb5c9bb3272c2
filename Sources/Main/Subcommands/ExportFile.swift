import Proxy
import Synchronization

/// The file of an export, which says how far it is, where a person looks.
final class ExportFile: Sendable {
    private struct State {
        let file: OutputFile
        var lines = 0
        var bytes = 0
        var due = ContinuousClock.now
    }

    private let path: String
    private let state: Mutex<State>

    /// - Throws: `ExitError` when it cannot be made.
    init(_ path: String) throws {
        self.path = path
        state = Mutex(State(file: try OutputFile(path)))
    }

    /// - Throws: `ExitError` when not all of it could be written.
    func add(_ piece: [UInt8]) throws {
        try state.withLock { state in
            try state.file.write(piece)
            guard Console.isWatched else { return }
            state.bytes += piece.count
            state.lines += piece.count { $0 == UInt8(ascii: "\n") }
            guard ContinuousClock.now >= state.due else { return }
            state.due = ContinuousClock.now + .milliseconds(200)
            Console.note("\r\(text(state.lines, state.bytes))")
        }
    }

    /// All has been written: gives the file its name.
    ///
    /// - Throws: `ExitError` when that cannot be.
    func finish() throws {
        try state.withLock { state in
            try state.file.finish()
            if Console.isWatched { Console.note("\r\(text(state.lines, state.bytes))\n") }
        }
    }

    private func text(_ lines: Int, _ bytes: Int) -> String { "\(path): \(lines) lines, \(bytes >> 10) KiB" }
}
