import Foundation
import Synchronization
import Testing

/// A program of this package, or of the system, as a process, with all that it prints.
final class Program: Sendable {
    private let transcript = Transcript()
    let pid: Int32
    private let isToldToStop = Atomic(false)

    /// Starts the program. A thread of its own reads what it prints and waits for its end: Foundation's `Process` loses the
    /// end of one now and then when many are started at once.
    ///
    /// - Parameters:
    ///   - name: of a program of this package, or the path of another.
    ///   - environment: variables to set beside those of this process.
    ///   - sockets: descriptors that the program finds at 3, 4 and so on, as a service manager hands them over.
    ///   - prelude: what the shell does before it becomes the program; `$$` is the program's process id.
    init(
        _ name: String, _ arguments: [String], in directory: URL? = nil, environment: [String: String] = [:],
        sockets: [Int32] = [],
        prelude: String = ":"
    ) throws {
        let directory = directory?.path ?? FileManager.default.currentDirectoryPath
        let variables = environment.isEmpty ? [] : ["/usr/bin/env"] + environment.map { "\($0)=\($1)" }
        let path = name.hasPrefix("/") ? name : Self.products.appending(path: name).path
        let command =
            ["/bin/bash", "-c", Self.wrapper(keeping: sockets.count, prelude), directory] + variables + [path]
            + arguments
        let (child, output) = try Self.spawn(command, sockets: sockets)
        pid = child
        let transcript = transcript
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(output, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                transcript.change { $0.output += String(decoding: buffer[..<count], as: UTF8.self) }
            }
            close(output)
            var code: Int32 = 0
            while waitpid(child, &code, 0) < 0, errno == EINTR {}
            // A signal counts as 128 and its number, as in a shell.
            let signal = code & 0x7F
            transcript.change { $0.exitCode = signal == 0 ? (code >> 8) & 0xFF : 128 + signal }
        }
    }

    /// Closes what the process inherits before it becomes the program. The tests' sockets are not marked to be closed on
    /// exec, and a connection of which a bystander holds a copy does not end when its test hangs up.
    private static func wrapper(keeping count: Int, _ prelude: String) -> String {
        #"""
        for entry in /proc/$$/fd/*; do fd=${entry##*/}; if ((fd > \#(2 + count))); then eval "exec $fd>&-"; fi; done
        \#(prelude)
        cd "$0" && exec "$@"
        """#
    }

    /// Starts a process whose output can be read from the descriptor.
    private static func spawn(_ command: [String], sockets: [Int32]) throws -> (pid: pid_t, output: Int32) {
        // One at a time: a process that is started between a pipe's making and its marking would keep it open.
        try lock.withLock { _ in
            var descriptors: [Int32] = [0, 0]
            try #require(pipe(&descriptors) == 0)
            for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, descriptors[1], 1)
            posix_spawn_file_actions_adddup2(&actions, descriptors[1], 2)
            // Copies out of the way of the numbers that they are to get, one of which may be an original's.
            let copies = sockets.map { fcntl($0, F_DUPFD_CLOEXEC, 500) }
            defer { for copy in copies { close(copy) } }
            for (index, copy) in copies.enumerated() {
                posix_spawn_file_actions_adddup2(&actions, copy, Int32(3 + index))
            }
            var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            var pid: pid_t = 0
            let status = posix_spawn(&pid, command[0], &actions, nil, &words, environ)
            close(descriptors[1])
            try #require(status == 0, "\(command[0]) cannot be started: \(String(cString: strerror(status)))")
            return (pid, descriptors[0])
        }
    }

    private static let lock = Mutex(())

    /// Everything printed so far.
    var output: String { transcript.output }

    /// Tells the program to stop, once.
    func terminate() {
        if !isToldToStop.load(ordering: .acquiring) { send(SIGTERM) }
    }

    func send(_ signal: Int32) {
        if signal == SIGTERM || signal == SIGINT { isToldToStop.store(true, ordering: .releasing) }
        if transcript.exitCode == nil { kill(pid, signal) }
    }

    /// SIGHUP: read the configuration again.
    func hangUp() {
        send(SIGHUP)
    }

    /// Waits for the end; by then all of the output is there.
    func exitCode() async -> Int32 {
        await transcript.wait { $0.exitCode != nil }
        return transcript.exitCode ?? -1
    }

    /// Does `body` while the program runs, and ends the program after it. Unless `body` has failed, it has to end well.
    func serve(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            _ = await wholeOutput()
            throw error
        }
        terminate()
        #expect(await exitCode() == 0, "\(output)")
    }

    /// All that it prints until it has ended, to which it is told. The log is written behind the answers: only then is nothing missing.
    func wholeOutput() async -> String {
        terminate()
        _ = await exitCode()
        return output
    }

    /// Returns when the output contains `text`.
    func printed(_ text: String) async throws {
        await transcript.wait { $0.output.contains(text) || $0.exitCode != nil }
        try #require(output.contains(text), "the program ended without printing \(text):\n\(output)")
    }

    /// The port that the program says it listens on.
    func port() async throws -> Int {
        await transcript.wait { Self.port(in: $0.output) != nil || $0.exitCode != nil }
        return try #require(Self.port(in: output), "the program did not start:\n\(output)")
    }

    private static func port(in output: String) -> Int? {
        output.firstMatch(of: /https?:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
    }

    /// Where the package's programs are built: beside the tests.
    private static let products = Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(filePath: ".")
}

/// What a process has said and how it ended, for those who wait for it.
private final class Transcript: Sendable {
    struct Content {
        var output = ""
        var exitCode: Int32?
    }

    private struct State {
        var content = Content()
        var watchers: [(condition: @Sendable (Content) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var output: String { state.withLock { $0.content.output } }
    var exitCode: Int32? { state.withLock { $0.content.exitCode } }

    func change(_ body: (inout Content) -> Void) {
        let served = state.withLock { state in
            body(&state.content)
            let content = state.content
            let served = state.watchers.filter { $0.condition(content) }.map(\.continuation)
            state.watchers.removeAll { $0.condition(content) }
            return served
        }
        for continuation in served { continuation.resume() }
    }

    func wait(until condition: @escaping @Sendable (Content) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if condition(state.content) { return true }
                state.watchers.append((condition, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
