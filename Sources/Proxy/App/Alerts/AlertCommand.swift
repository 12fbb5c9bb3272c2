#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Runs the operator's own command for an alert, which gets the JSON document on its standard input.
struct AlertCommand: Sendable {
    /// How long it may take; then it is killed, and what it has started.
    var limit = Duration.seconds(30)
    private static let look = Duration.milliseconds(50)

    /// - Parameter line: for `/bin/sh -c`.
    /// - Throws: `AlertFailure` when it cannot be started, fails, or does not end in time.
    func run(_ line: String, _ document: [UInt8], on time: TimeSource) async throws {
        let process = try Self.start(line, document)
        let end = time.now() + limit
        while true {
            var status: Int32 = 0
            let ended = unsafe waitpid(process, &status, WNOHANG)
            // Where whoever started this process has children looked after by nobody, how it ended is not told.
            if ended < 0, errno == ECHILD { return }
            if ended == process {
                let (signal, code) = (status & 0x7F, status >> 8 & 0xFF)
                guard signal == 0 else { throw AlertFailure("it was ended by signal \(signal)") }
                guard code == 0 else { throw AlertFailure("it ended with status \(code)") }
                return
            }
            guard ended == 0, time.now() < end, (try? await time.sleep(for: Self.look)) != nil else {
                kill(-process, SIGKILL)
                await Self.reap(process, on: time)
                throw AlertFailure("it did not end within \(limit.components.seconds) s, and was killed")
            }
        }
    }

    /// What was killed is gone soon, unless a file system holds it: then nobody waits for it.
    private static func reap(_ process: pid_t, on time: TimeSource) async {
        for _ in 0..<20 {
            var status: Int32 = 0
            guard unsafe waitpid(process, &status, WNOHANG) == 0 else { return }
            // In a task of its own, since this one may have been cancelled.
            await Task { try? await time.sleep(for: look) }.value
        }
    }

    /// In a process group of its own, with nothing open but its input and `/dev/null`: what it leaves behind must not hold a listener or a client's connection.
    private static func start(_ line: String, _ document: [UInt8]) throws -> pid_t {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw AlertFailure("a pipe could not be made") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { for end in ends { close(end) } }
        // The document is smaller than a pipe: nobody waits for the command to read it.
        let isWritten = unsafe document.withUnsafeBytes { bytes in
            unsafe write(ends[1], bytes.baseAddress, min(bytes.count, 60_000)) == bytes.count
        }
        guard isWritten else { throw AlertFailure("the alert is too long") }
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        unsafe closeOthers(&actions)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var process: pid_t = 0
        let arguments = unsafe texts(["/bin/sh", "-c", line])
        let environment = unsafe texts(["PATH=/usr/local/bin:/usr/bin:/bin"])
        defer { unsafe release(arguments + environment) }
        let result = unsafe posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environment)
        guard result == 0 else { throw AlertFailure("/bin/sh could not be started (error \(result))") }
        return process
    }

    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// Not all that is open here closes by itself in another program: NIO's sockets do not.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        // glibc hides it behind a macro, and not every C library has it.
        if let symbol = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            _ = unsafe unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
            return
        }
        for descriptor in 3..<Int32(clamping: max(sysconf(Int32(_SC_OPEN_MAX)), 3))
        where fcntl(descriptor, F_GETFD) >= 0 {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
    }

    /// As C wants them, to be freed one by one.
    private static func texts(_ list: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe list.map { text in unsafe strdup(text) } + [nil]
    }

    private static func release(_ texts: [UnsafeMutablePointer<CChar>?]) {
        for index in unsafe texts.indices { unsafe free(texts[index]) }
    }
}
