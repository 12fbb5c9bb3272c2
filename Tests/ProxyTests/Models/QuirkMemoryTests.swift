import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What models have taught, over a restart.
@Suite struct QuirkMemoryTests {
    private static let wall: Int64 = 2_000_000_000

    private func refusal(of parameter: String) -> Failure { Failure(.parameterRefused, "no", field: parameter) }

    private func learnt() -> ModelQuirks {
        let quirks = ModelQuirks(wallClock: { Self.wall })
        for parameter in ["temperature", "max_tokens"] {
            _ = quirks.learn(
                from: refusal(of: parameter), of: "xai.new", in: .generic, as: quirks.family(of: "xai.new"))
        }
        _ = quirks.learn(
            from: Failure(.formatRefused, "no"), of: "ocid1.endpoint", in: .generic,
            as: quirks.family(of: "ocid1.endpoint"))
        quirks.note(
            ProviderQuirks(
                leftOut: ["user", "model"], hasOtherTokenLimit: true, mostTokens: 4096, systemPlace: .beginning),
            of: "acme/m")
        quirks.note(takesUsageOption: false, "acme/m")
        quirks.notePrefillRefused(by: "acme/n", now: .seconds(100))
        quirks.noteNoResponses(of: "xai.grok-4", at: "one", now: .seconds(100))
        return quirks
    }

    private func reread(_ memories: [QuirkMemory], after seconds: Int64 = 0) throws -> [QuirkMemory] {
        try memories.compactMap { memory in
            var writer = JSONWriter()
            memory.write(to: &writer, at: Self.wall)
            return QuirkMemory(try JSONDocument(parsing: writer.bytes).root, at: Self.wall + seconds)
        }
    }

    @Test func `Everything comes back from the document as it was`() throws {
        let memories = learnt().memory(at: .seconds(100))
        #expect(memories.map(\.model) == ["acme/m", "acme/n", "ocid1.endpoint", "xai.grok-4", "xai.new"])
        #expect(try reread(memories) == memories)
    }

    @Test func `The next process knows it without asking`() throws {
        let quirks = ModelQuirks(wallClock: { Self.wall })
        quirks.restore(try reread(learnt().memory(at: .seconds(100))), at: .zero)
        let family = quirks.family(of: "xai.new")
        #expect(family.refuses.contains(.temperature) && family.tokenLimit == .maxCompletionTokens)
        #expect(quirks.format(of: "ocid1.endpoint") == .cohere)
        #expect(quirks.provider(of: "acme/m").mostTokens == 4096)
        #expect(quirks.takesUsageOption("acme/m") == false && quirks.takesUsageOption("acme/n") == nil)
        // What nobody may leave out stays, whatever a file says.
        #expect(quirks.provider(of: "acme/m").leftOut == ["user"])
        #expect(quirks.refusesPrefill("acme/n", now: .seconds(3599)))
        #expect(!quirks.refusesPrefill("acme/n", now: .seconds(3601)))
        #expect(quirks.refusesResponses("xai.grok-4", at: "one", now: .seconds(599)))
        #expect(!quirks.refusesResponses("xai.grok-4", at: "two", now: .zero))
    }

    @Test func `Times go on while nobody runs, and lessons are forgotten after a week`() throws {
        let memories = learnt().memory(at: .seconds(100))
        let later = try reread(memories, after: 1000)
        #expect(later.first { $0.model == "acme/n" }?.prefillRefused == .seconds(2600))
        #expect(!later.contains { $0.model == "xai.grok-4" })
        #expect(try reread(memories, after: QuirkMemory.lifetime).count == 3)
        #expect(try reread(memories, after: QuirkMemory.lifetime + 1).isEmpty)
        // A clock that was wrong.
        #expect(try reread(memories, after: -10).isEmpty)
    }

    @Test func `What is known here already stays`() throws {
        let quirks = ModelQuirks(wallClock: { Self.wall })
        quirks.note(
            ProviderQuirks(leftOut: ["seed"], hasOtherTokenLimit: false, mostTokens: nil, systemPlace: .anywhere),
            of: "acme/m")
        quirks.restore(learnt().memory(at: .zero), at: .zero)
        #expect(quirks.provider(of: "acme/m").leftOut == ["seed"])
    }

    @Test func `The first list after a start says nothing of what was refused before it, the second does`() throws {
        let directory = ModelDirectory(
            aliases: [("mine", "xai.alias")], accounts: [.init(region: "r"), .init(region: "r")],
            time: ManualTime().source)
        directory.restoreRefusal(of: "xai.alias", at: UpstreamSet([0]))
        #expect(try Array(directory.catalog.resolve("mine").accepts) == [1])
        _ = directory.update([0: [], 1: []])
        #expect(try Array(directory.catalog.resolve("mine").accepts) == [1])
        #expect(directory.refusedModels.keys.sorted() == ["xai.alias"])
        // What is refused now is decided by the next list, as ever.
        directory.refuse("xai.alias", at: 1)
        _ = directory.update([1: []])
        #expect(directory.refusedModels["xai.alias"].map(Array.init) == [0])
        _ = directory.update([0: []])
        #expect(directory.refusedModels.isEmpty)
    }
}
