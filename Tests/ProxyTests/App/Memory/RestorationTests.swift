import LedgerTestSupport
import Logging
import NIOPosix
import ProxyAccounting
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// One process after the other over one ledger.
@Suite(.timeLimit(.minutes(5))) struct RestorationTests {
    private let ledger = KeptLedger()

    private struct Process {
        let directory: TemporaryDirectory
        let time: ManualTime
        let book = LogBook()
        let keeper = GenerationKeeper()
        let state: ProcessState
        let reloader: Reloader

        /// - Parameter seconds: of the wall clock.
        init(_ text: String, ledger: KeptLedger, at seconds: Int64) async throws {
            directory = try TemporaryDirectory()
            time = ManualTime(wallClock: 2_000_000_000 + seconds)
            let source = ConfigurationSource(
                file: try directory.write(text, to: "c.conf"), overrides: .init(), environment: [:],
                workingDirectory: directory.path)
            state = ProcessState(
                transports: TransportCache(group: MultiThreadedEventLoopGroup.singleton), proxies: .none,
                notifier: ServiceNotifier(nil), time: time.source, output: nil, logger: book.logger, descriptors: 4096,
                ledger: ledger)
            reloader = Reloader(source: source, state: state, keeper: keeper)
            _ = try await reloader.begin(with: try source.read())
        }

        var generation: Generation { get throws { try #require(keeper.present) } }

        func memoryKeeper(_ ledger: KeptLedger) async throws -> MemoryKeeper {
            MemoryKeeper(
                ledger: ledger, state: state, keeper: keeper, secret: try #require(await reloader.secret))
        }

        func upstream(_ id: String) async throws -> UpstreamState {
            try #require(await state.router.snapshot().upstreams.first { $0.upstream.id == id }).state
        }

        func fail(_ outcome: AttemptOutcome) async throws {
            let request = RouteRequest(
                ticket: state.router.ticket(), terms: .init(accepts: UpstreamSet([0]), model: "m"),
                deadline: .seconds(300))
            await state.router.end(try await state.router.admit(request).get(), AttemptEnding(outcome))
        }
    }

    private static func file(key: String = "k", region: String = "us-chicago-1", more: String = "") -> String {
        """
        api_key = \(FrontDoor.key)
        \(more)
        [ACCOUNT_1]
        id = one
        auth = bearer
        bearer_key = \(key)
        compartment = ocid1.compartment.oc1..c
        region = \(region)
        """
    }

    private func learn() async throws {
        let process = try await Process(Self.file(), ledger: ledger, at: 0)
        try await process.fail(.rateLimited(retryAfter: 100))
        try process.generation.directory.restoreRefusal(of: "xai.gone", at: UpstreamSet([0]))
        process.state.quirks.note(
            ProviderQuirks(leftOut: ["user"], hasOtherTokenLimit: false, mostTokens: nil, systemPlace: .anywhere),
            of: "acme/m")
        _ = await (try process.memoryKeeper(ledger)).save(after: nil)
    }

    @Test func `A restart forgets nothing that was learnt`() async throws {
        try await learn()
        let next = try await Process(Self.file(), ledger: ledger, at: 40)
        let state = try await next.upstream("one")
        #expect(state.availability(of: "m", at: .seconds(59)) != .available)
        #expect(state.availability(of: "m", at: .seconds(61)) == .available)
        #expect(try next.generation.directory.refusedModels.keys.sorted() == ["xai.gone"])
        #expect(next.state.quirks.provider(of: "acme/m").leftOut == ["user"])
        #expect(next.book.lines.contains { $0.message.contains("Going on") && $0.metadata["upstreams"] == "1" })
        // And the one after that knows it from this one.
        _ = await (try next.memoryKeeper(ledger)).save(after: nil)
        let third = try await Process(Self.file(), ledger: ledger, at: 50)
        #expect(try await third.upstream("one").availability(of: "m", at: .seconds(49)) != .available)
    }

    @Test func `The router leaves alone who has asked for it before the start`() async throws {
        let file =
            Self.file() + "\n"
            + Self.file().split(separator: "\n").dropFirst().joined(separator: "\n")
            .replacing("ACCOUNT_1", with: "ACCOUNT_2").replacing("= one", with: "= two")
        let first = try await Process(file, ledger: ledger, at: 0)
        try await first.fail(.rateLimited(retryAfter: 100))
        _ = await (try first.memoryKeeper(ledger)).save(after: nil)
        let next = try await Process(file, ledger: ledger, at: 40)
        for model in ["m", "m", "m"] {
            let request = RouteRequest(
                ticket: next.state.router.ticket(), terms: .init(accepts: UpstreamSet([0, 1]), model: model),
                deadline: .seconds(300))
            #expect(try await next.state.router.admit(request).get().upstream.id == "two")
        }
    }

    @Test(arguments: [file(key: "another"), file(region: "eu-frankfurt-1")])
    func `With other credentials or at another place it is another account`(text: String) async throws {
        try await learn()
        let next = try await Process(text, ledger: ledger, at: 1)
        #expect(try await next.upstream("one").availability(of: "m", at: .zero) == .available)
        #expect(try next.generation.directory.refusedModels.isEmpty)
        #expect(next.state.quirks.provider(of: "acme/m").leftOut == ["user"])
    }

    @Test func `How much an account may be given makes no other of it`() async throws {
        try await learn()
        let next = try await Process(
            Self.file() + "\nmax_concurrency = 3\nweight = 7", ledger: ledger, at: 1)
        #expect(try await next.upstream("one").availability(of: "m", at: .zero) != .available)
    }

    @Test func `It is written when it has changed, and now and then`() async throws {
        let process = try await Process(Self.file(), ledger: ledger, at: 0)
        let keeper = try await process.memoryKeeper(ledger)
        let first = await keeper.save(after: nil)
        let document = try await ledger.memory(LearntMemory.name)
        process.time.advance(by: .seconds(5))
        #expect(await keeper.save(after: first) == first)
        #expect(try await ledger.memory(LearntMemory.name) == document)
        try await process.fail(.rateLimited(retryAfter: 100))
        let second = await keeper.save(after: first)
        #expect(second != first && second?.at == 2_000_000_005)
        // Time alone makes no news of a cooldown.
        process.time.advance(by: .seconds(5))
        #expect(await keeper.save(after: second) == second)
        process.time.advance(by: .seconds(4000))
        #expect(await keeper.save(after: second)?.at == 2_000_004_010)
    }

    @Test func `What nobody can read is learnt anew, and said`() async throws {
        ledger.remember(Array("{".utf8), as: LearntMemory.name)
        let process = try await Process(Self.file(), ledger: ledger, at: 0)
        #expect(process.book.lines.contains { $0.level == .warning && $0.message.contains("learnt anew") })
    }

    @Test func `Other built-in prices than before are told once`() async throws {
        ledger.remember(LearntMemory(prices: "2020-01-01").document(at: 0, savedAt: 0), as: LearntMemory.name)
        let process = try await Process(Self.file(), ledger: ledger, at: 0)
        #expect(process.book.lines.contains { $0.level == .notice && $0.message.contains("2020-01-01") })
        _ = await (try process.memoryKeeper(ledger)).save(after: nil)
        let next = try await Process(Self.file(), ledger: ledger, at: 10)
        #expect(!next.book.lines.contains { $0.message.contains("2020-01-01") })
    }

    @Test func `Where nothing is to be stored, nothing of before is`() async throws {
        let sealed = SealedDocuments(
            ledger, secret: try await ledger.secret().secret, time: ManualTime(wallClock: 2_000_000_000).source)
        sealed.archive.keep(.init(kind: .response, id: "r", key: "a"), Array("x".utf8), .seconds(1000))
        let process = try await Process(Self.file(more: "responses_store = off"), ledger: ledger, at: 1)
        #expect(process.state.responses.size.count == 0 && ledger.documents.isEmpty)
    }
}
