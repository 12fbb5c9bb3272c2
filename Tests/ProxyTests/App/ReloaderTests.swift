import Foundation
import Logging
import NIOPosix
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy
@testable import ProxyRouting

/// One configuration after the other, out of files of the test's. One test after the other: what hangs in the kernel
/// takes room that all reloads of a process share.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ReloaderTests {
    /// A proxy without its listener, its configuration file, and time that stands still.
    private struct Bench {
        let directory: TemporaryDirectory
        let time = ManualTime()
        let book = LogBook()
        let keeper = GenerationKeeper()
        let source: ConfigurationSource
        let state: ProcessState
        let reloader: Reloader
        private let waits = Waits()

        init(_ text: String) throws {
            directory = try TemporaryDirectory()
            source = ConfigurationSource(
                file: try directory.write(text, to: "c.conf"), overrides: .init(), environment: [:],
                workingDirectory: directory.path)
            let (waits, clock) = (waits, time.source)
            let counted = TimeSource(
                now: clock.now,
                sleep: { instant in
                    waits.count()
                    try await clock.sleep(instant)
                }, wallClock: clock.wallClock)
            state = ProcessState(
                transports: TransportCache(group: MultiThreadedEventLoopGroup.singleton), proxies: .none,
                notifier: ServiceNotifier(nil), time: counted, output: try LogOutput(LoggingSettings()),
                logger: book.logger, descriptors: 4096)
            reloader = Reloader(source: source, state: state, keeper: keeper)
        }

        func write(_ text: String) throws { _ = try directory.write(text, to: "c.conf") }

        /// Puts the file into service.
        @discardableResult
        func begin() async throws -> CurrentFrontDoor { try await reloader.begin(with: try source.read()) }

        /// What is in service.
        var present: Generation { get throws { try #require(keeper.present) } }

        var upstreams: [String] { get throws { try present.members.map(\.upstream.id) } }

        /// What the log says at that level.
        func lines(_ text: String) -> [LogBook.Line] { book.lines.filter { $0.message.contains(text) } }

        /// How often work with files has been begun, since each is waited for with a limit.
        var work: Int { waits.number }

        /// Returns when the file work of that number, counted from zero, hangs: all that came before has ended.
        func hang(at number: Int) async throws {
            while waits.number <= number || time.sleepers == 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }

        /// A pipe that nobody reads: to open it for writing, as a log file is, is to hang in the kernel.
        func pipe() throws -> HangingPipe { try HangingPipe(in: directory) }
    }

    private final class Waits: Sendable {
        private let begun = Atomic(0)
        var number: Int { begun.load(ordering: .acquiring) }
        func count() { begun.wrappingAdd(1, ordering: .releasing) }
    }

    private final class HangingPipe {
        let path: String
        /// It has to be there when the pipe is let go.
        private let directory: TemporaryDirectory
        private var reader: Int32 = -1

        init(in directory: TemporaryDirectory) throws {
            self.directory = directory
            path = "\(directory.path)/pipe"
            try #require(mkfifo(path, 0o600) == 0)
        }

        /// Whoever hangs goes on, and nobody hangs from now on.
        func release() {
            if reader < 0 { reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        }

        deinit {
            release()
            guard reader >= 0 else { return }
            // Those that have been let go have to be gone before the other end goes.
            while FileWork.configuration.count > 0 { sched_yield() }
            close(reader)
        }
    }

    /// A file with these accounts.
    ///
    /// - Parameter more: lines above them.
    private static func file(_ accounts: [String], more: String = "") -> String {
        "api_key = \(FrontDoor.key)\n\(more)\n" + accounts.enumerated().map { account($1, number: $0 + 1) }.joined()
    }

    private static func account(_ id: String, number: Int, key: String? = nil, more: String = "") -> String {
        """
        [ACCOUNT_\(number)]
        id = \(id)
        auth = bearer
        bearer_key = \(key ?? "key-of-\(id)")
        compartment = ocid1.compartment.oc1..c
        region = us-chicago-1
        \(more)

        """
    }

    private func failure(_ result: Result<ReloadReport, ConfigurationError>?) -> ConfigurationError? {
        if case .failure(let error)? = result { error } else { nil }
    }

    // MARK: The first

    @Test func `A good file is put into service`() async throws {
        let bench = try Bench(Self.file(["one", "two"], more: "port = 4711"))
        let door = try await bench.begin()
        let present = try bench.present
        #expect(door.value === present.door)
        #expect(try bench.upstreams == ["one", "two"] && bench.state.router.upstreams.map(\.id) == ["one", "two"])
        #expect(
            present.settings.server.port == 4711
                && present.settings.clientKeys.map { $0.value.reveal() } == [FrontDoor.key])
        #expect(bench.lines("Loaded").map(\.level) == [.info])
    }

    @Test func `A file that names what cannot be used is none to begin with`() async throws {
        let bench = try Bench(Self.file(["one"], more: "ca_file = authorities.pem"))
        let authorities = try bench.directory.write("no certificate", to: "authorities.pem")
        let error = await #expect(throws: ExitError.self) { try await bench.begin() }
        #expect(error?.code == .badConfiguration && error?.description.contains(authorities) == true)
        #expect(bench.keeper.present == nil)
    }

    @Test func `Before the first there is nothing to reload`() async throws {
        let bench = try Bench(Self.file(["one"]))
        #expect(failure(await bench.reloader.reload())?.description.contains("not started") == true)
    }

    // MARK: The next

    @Test func `Accounts that stay keep their actor, and it what it knows`() async throws {
        let bench = try Bench(Self.file(["one", "two", "three"]))
        let door = try await bench.begin()
        let before = bench.state.router.upstreams
        let request = RouteRequest(
            ticket: bench.state.router.ticket(), terms: .init(accepts: UpstreamSet([0]), model: "m"),
            deadline: .seconds(300))
        await bench.state.router.end(try await bench.state.router.admit(request).get(), AttemptEnding(.failed))
        let inFlight = try await bench.state.router.admit(request).get()

        try bench.write(
            "api_key = \(FrontDoor.key)\n" + Self.account("three", number: 1, key: "another")
                + Self.account("one", number: 2, more: "max_concurrency = 7\nweight = 3")
                + Self.account("four", number: 3))
        let report = try await bench.reloader.reload().get()
        #expect(report.accounts == 3 && report.providers == 0 && report.restart.isEmpty)
        let members = try bench.present.members.map(\.upstream)
        #expect(members.map(\.id) == ["three", "one", "four"])
        #expect(members[1] === before[0] && members[0] !== before[2])
        #expect(door.value === (try bench.present.door))
        let snapshot = await bench.state.router.snapshot()
        #expect(snapshot.upstreams[0].state.statistics.failed == 1 && snapshot.permits.inUse == 1)
        #expect(snapshot.settings[0].maxConcurrency == 7 && snapshot.settings[0].weight == 3)
        let told = try #require(bench.lines("Configuration reloaded").first)
        #expect(told.level == .notice && told.metadata["unchanged"] == "1" && told.metadata["new"] == "2")

        await bench.state.router.end(inFlight, AttemptEnding(.succeeded))
        #expect(await bench.state.router.snapshot().upstreams[0].state.statistics.succeeded == 1)
    }

    /// Ways in which a file, or what it names, can be wrong.
    enum Fault: CaseIterable, Sendable {
        case value, missing, account, noAccount, logFile, authorities
    }

    @Test(arguments: Fault.allCases)
    func `A file with errors changes nothing, and the errors are told`(fault: Fault) async throws {
        let bench = try Bench(Self.file(["one", "two"]))
        let door = try await bench.begin()
        let (before, beforeDoor) = (try bench.present, door.value)
        let words: String
        switch fault {
        case .value:
            words = "c.conf:2"
            try bench.write(Self.file(["one", "three"], more: "port = 99999"))
        case .missing:
            words = "no such file"
            try FileManager.default.removeItem(atPath: bench.source.file)
        case .account:
            words = "bearer_key"
            try bench.write(Self.file(["one"]) + Self.account("two", number: 2, key: "a key with blanks"))
        case .noAccount:
            words = "enabled"
            try bench.write(Self.file([]) + Self.account("one", number: 1, more: "enabled = false"))
        case .logFile:
            words = "log_file"
            try bench.write(Self.file(["one", "three"], more: "log_file = \(bench.directory.path)/none/log"))
        case .authorities:
            words = "ca_file"
            try bench.write(Self.file(["one", "three"], more: "ca_file = \(bench.source.file)"))
        }
        let error = try #require(failure(await bench.reloader.reload()))
        #expect(error.errors.contains { $0.description.contains(words) }, "\(error)")
        let present = try bench.present
        #expect(present.door === before.door && door.value === beforeDoor)
        #expect(present.settings == before.settings && bench.state.router.upstreams.map(\.id) == ["one", "two"])
        let told = bench.book.lines.filter { $0.level == .error }.map(\.message)
        #expect(told == error.errors.map(\.description) + ["Reload failed; the current configuration stays in use"])

        // And the next good one is taken.
        try bench.write(Self.file(["two", "three"]))
        #expect(try await bench.reloader.reload().get().accounts == 2)
        #expect(
            try bench.upstreams == ["two", "three"] && bench.present.members[0].upstream === before.members[1].upstream)
    }

    @Test func `An account that was lost before is no reason to refuse the rest`() async throws {
        let lost = Self.account("two", number: 2, key: "a key with blanks")
        let bench = try Bench(Self.file(["one"]) + lost)
        try await bench.begin()
        #expect(try bench.upstreams == ["one"] && bench.present.accountList.broken.map(\.id) == ["two"])
        try bench.write(Self.file(["one"], more: "port = 4712") + lost + Self.account("three", number: 3))
        #expect(try await bench.reloader.reload().get().accounts == 3, "the lost one is counted")
        #expect(try bench.upstreams == ["one", "three"])
    }

    @Test func `What needs a restart is told, measured by what the process began with`() async throws {
        let bench = try Bench(Self.file(["one"], more: "port = 4711"))
        try await bench.begin()
        try bench.write(Self.file(["one"], more: "port = 4712\nhost = ::1"))
        for _ in 0..<2 { #expect(try await bench.reloader.reload().get().restart == ["host", "port"]) }
        #expect(bench.lines("host, port changed").map(\.level) == [.warning, .warning])
        try bench.write(Self.file(["one"], more: "port = 4711\nlog_level = debug"))
        #expect(try await bench.reloader.reload().get().restart == [])
        #expect(bench.lines("changed: restart").count == 2)
    }

    // MARK: The generated key

    @Test func `A key that was generated stays`() async throws {
        let text = Self.account("one", number: 1)
        let bench = try Bench("api_key = auto_generated_key\n" + text)
        try await bench.begin()
        let key = try #require(try bench.present.settings.clientKeys.first?.value.reveal())
        #expect(key.count == 32)
        #expect(try String(contentsOfFile: bench.source.file, encoding: .utf8) == "api_key = \(key)\n" + text)
        for _ in 0..<2 {
            _ = try await bench.reloader.reload().get()
            #expect(try bench.present.settings.clientKeys.map { $0.value.reveal() } == [key])
        }
        // Somebody takes it out of the file again.
        try bench.write(text)
        _ = try await bench.reloader.reload().get()
        #expect(try bench.present.settings.clientKeys.map { $0.value.reveal() } == [key])
        #expect(bench.lines("Generated a client key").count == 1)
    }

    @Test func `A key that could not be written stays as well`() async throws {
        let text = Self.account("one", number: 1)
        let bench = try Bench(text)
        let configuration = try bench.source.read()
        try FileManager.default.removeItem(atPath: bench.source.file)
        _ = try await bench.reloader.begin(with: configuration)
        let key = try #require(try bench.present.settings.clientKeys.first?.value.reveal())
        try bench.write(text)
        _ = try await bench.reloader.reload().get()
        #expect(try bench.present.settings.clientKeys.map { $0.value.reveal() } == [key])
        #expect(try String(contentsOfFile: bench.source.file, encoding: .utf8) == text)
    }

    // MARK: Turns

    /// Reads the file, and waits for a pipe before it takes anything over.
    private static func hangingFile(_ accounts: [String], at pipe: HangingPipe) -> String {
        file(accounts, more: "log_file = \(pipe.path)")
    }

    @Test func `Reloads come one after the other, and each reads the file as it is at its turn`() async throws {
        let bench = try Bench(Self.file(["one"]))
        try await bench.begin()
        let (pipe, work, reloader) = (try bench.pipe(), bench.work, bench.reloader)
        try bench.write(Self.hangingFile(["one", "two"], at: pipe))
        let first = Pending { try await reloader.reload().get() }
        try await bench.hang(at: work + 1)
        let second = Pending { try await reloader.reload().get() }
        await reloader.pass()
        try bench.write(Self.file(["one", "two", "three"]))
        #expect(bench.work == work + 2 && !first.isOver, "the second has begun nothing")
        #expect(try bench.upstreams == ["one"])
        pipe.release()
        #expect(try await first.value().accounts == 2)
        #expect(try await second.value().accounts == 3)
        #expect(try bench.upstreams == ["one", "two", "three"])
        let told = bench.lines("Configuration reloaded").map { $0.metadata["accounts"] }
        #expect(told == ["2", "3"])
    }

    @Test func `Who asks while one is under way joins the next`() async throws {
        let bench = try Bench(Self.file(["one"]))
        try await bench.begin()
        let (pipe, work, reloader) = (try bench.pipe(), bench.work, bench.reloader)
        try bench.write(Self.hangingFile(["one", "two"], at: pipe))
        let first = Pending { try await reloader.reloadOnRequest()?.get().accounts }
        try await bench.hang(at: work + 1)
        let others = (0..<5).map { _ in Pending { try await reloader.reloadOnRequest()?.get().accounts } }
        await reloader.pass()
        try bench.write(Self.file(["one", "two", "three"]))
        pipe.release()
        #expect(try await first.value() == 2)
        for other in others { #expect(try await other.value() == 3) }
        #expect(bench.lines("Configuration reloaded").count == 2)
    }

    // MARK: Files that hang

    @Test func `A file that hangs is given up, and nothing has changed`() async throws {
        let bench = try Bench(Self.file(["one"]))
        let door = try await bench.begin()
        let (pipe, work, reloader) = (try bench.pipe(), bench.work, bench.reloader)
        let (before, beforeDoor) = (try bench.present, door.value)
        try bench.write(Self.hangingFile(["one", "two"], at: pipe))
        let reload = Pending { await reloader.reload() }
        try await bench.hang(at: work + 1)
        bench.time.advance(by: ConfigurationSource.patience - .milliseconds(1))
        for _ in 0..<200 { await Task.yield() }
        #expect(!reload.isOver)
        bench.time.advance(by: .milliseconds(1))
        let error = try #require(failure(try await reload.value()))
        #expect(error.description.contains("could not be read within 10 s"))
        #expect(try bench.present.door === before.door && door.value === beforeDoor)
        #expect(bench.state.router.upstreams.map(\.id) == ["one"])
        #expect(bench.lines("stays in use").count == 1)

        // What hangs still does so, and stands in nobody's way.
        #expect(FileWork.configuration.count == 1)
        try bench.write(Self.file(["one", "three"]))
        #expect(try await reloader.reload().get().accounts == 2)
        #expect(try bench.upstreams == ["one", "three"])
        withExtendedLifetime(pipe) {}
    }

    @Test func `When too much hangs already a reload says so at once`() async throws {
        let bench = try Bench(Self.file(["one"]))
        try await bench.begin()
        let (pipe, source, time) = (try bench.pipe(), bench.source, bench.state.time)
        var logging = LoggingSettings()
        logging.file = pipe.path
        let hanging = (0..<4).map { [logging] _ in
            Pending {
                try await source.patiently(on: time) { () throws(ConfigurationError) in
                    _ = try? LogOutput.open(logging)
                }
            }
        }
        while FileWork.configuration.count < hanging.count {
            try Task.checkCancellation()
            await Task.yield()
        }
        try bench.write(Self.file(["one", "two"]))
        #expect(failure(await bench.reloader.reload())?.description.contains("could not be read") == true)
        #expect(try bench.upstreams == ["one"] && hanging.allSatisfy { !$0.isOver })
        pipe.release()
        for work in hanging { try await work.value() }
        #expect(try await bench.reloader.reload().get().accounts == 2)
    }

    @Test func `The end of the process does not wait for a file that hangs`() async throws {
        let bench = try Bench(Self.file(["one"]))
        try await bench.begin()
        let (pipe, work, reloader) = (try bench.pipe(), bench.work, bench.reloader)
        try bench.write(Self.hangingFile(["one", "two"], at: pipe))
        let reload = Pending { await reloader.reload() }
        try await bench.hang(at: work + 1)
        reload.cancel()
        #expect(failure(try await reload.value())?.description.contains("the proxy is shutting down") == true)
        #expect(try bench.upstreams == ["one"])
        withExtendedLifetime(pipe) {}
    }
}

extension Reloader {
    /// Returns when all that was asked of it before has been begun.
    fileprivate func pass() {}
}
