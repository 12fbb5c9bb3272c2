import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What upstreams refuse is noted beside the catalogue, which is not made anew for it.
@Suite struct ModelRefusalsTests {
    private func listed(_ id: String) -> ModelSummary {
        ModelSummary(displayName: id, ocid: "ocid.\(id)", capabilities: ["CHAT"], isActive: true, isBase: true)
    }

    private func directory(_ filter: ModelFilter = ModelFilter()) -> ModelDirectory {
        let directory = ModelDirectory(
            aliases: [("mine", "xai.alias")],
            accounts: [
                .init(region: "r"), .init(region: "r"), .init(form: .openAI, provider: "acme"),
                .init(form: .openAI, provider: "silent"),
            ],
            names: .init(ociPrefix: "oci/", filter: filter), time: ManualTime().source)
        _ = directory.update([
            0: [listed("xai.grok-4")], 1: [listed("xai.grok-4")],
            2: [ModelSummary(ofProvider: "m"), ModelSummary(ofProvider: "n")],
        ])
        return directory
    }

    @Test func `A refusal makes no new catalogue`() throws {
        let directory = directory()
        let before = directory.catalog
        directory.refuse("xai.grok-4", at: 0)
        #expect(directory.catalog === before)
        #expect(try Array(directory.catalog.resolve("oci/grok-4").accepts) == [1])
        #expect(try Array(directory.catalog.resolve("xai.grok-4").accepts) == [1])
        directory.refuse("xai.alias", at: 1)
        #expect(
            try Array(directory.catalog.resolve("mine").accepts) == [0], "what the configuration names counts as listed"
        )
    }

    @Test func `What clients make up is not noted`() throws {
        var filter = ModelFilter()
        try filter.add("grok|acme|made-up|silent|alias")
        let directory = directory(filter)
        let before = directory.catalog
        let work = filter.work
        for number in 0..<3000 {
            directory.refuse("xai.made-up-\(number)", at: number % 2)
            directory.refuse("made-up-\(number)", at: 2)
            directory.refuse("made-up-\(number)", at: 3)
        }
        #expect(directory.catalog === before && filter.work == work, "nor does it make anybody search expressions")
        #expect(try Array(directory.catalog.resolve("oci/xai.made-up-0").accepts) == [0, 1])
        #expect(try Array(directory.catalog.resolve("silent/made-up-3").accepts) == [3])
        directory.refuse("xai.grok-4", at: 7)
        directory.refuse("xai.grok-4", at: -1)
        #expect(try Array(directory.catalog.resolve("xai.grok-4").accepts) == [0, 1])
    }

    @Test func `A provider's model is refused by its name`() throws {
        let accounts: [ModelCatalog.Account] = (0..<2).map { _ in
            .init(models: [ModelSummary(ofProvider: "m")], form: .openAI, provider: "acme")
        }
        let catalog = ModelCatalog(aliases: [("alias", "acme/m")], accounts: accounts)
        catalog.refuse("m", at: 1)
        #expect(try Array(catalog.resolve("acme/m").accepts) == [0] && Array(catalog.resolve("alias").accepts) == [0])
        catalog.refuse("m", at: 0)
        #expect(try Array(catalog.resolve("acme/m").accepts) == [0, 1])
        #expect(catalog.entries.isEmpty, "it is not offered until the next list, though its name works")
    }

    @Test func `The set is bounded and forgets by upstream`() {
        let refusals = ModelRefusals()
        #expect(refusals.areNone)
        for number in 0..<ModelRefusals.most { refusals.note("m\(number)", at: 0) }
        #expect(Array(refusals.willing(UpstreamSet([0, 1]), for: "m0")) == [1])
        refusals.note("one more", at: 0)
        #expect(Array(refusals.willing(UpstreamSet([0, 1]), for: "m0")) == [0, 1])
        refusals.note("m", at: 0)
        refusals.note("m", at: 1)
        refusals.forget([0])
        #expect(Array(refusals.willing(UpstreamSet([0, 1]), for: "m")) == [0])
        let kept = ModelRefusals(of: refusals) { $0 == 1 }
        #expect(kept.isRefused("m", byAllOf: UpstreamSet([1])) && !kept.isRefused("m", byAllOf: UpstreamSet([0, 1])))
        refusals.forget([1])
        #expect(refusals.areNone && ModelRefusals(of: kept) { $0 == 0 }.areNone)
    }

    /// A list is a stranger's as well.
    @Test func `A list is cut to what can be asked for`() {
        let directory = directory()
        let long = String(repeating: "a", count: 300)
        _ = directory.update([
            2: [ModelSummary(ofProvider: long), ModelSummary(ofProvider: "ok")]
                + (0..<20_000).map { ModelSummary(ofProvider: "m\($0)") }
        ])
        let names = directory.catalog.names(at: 2)
        #expect(names.count == ModelDirectory.mostModels && names.first == "acme/ok")
    }

    @Test func `A refusal outlives a reload for those who stay`() throws {
        let time = ManualTime()
        let router = try Router.fixture(time: time.source, accounts: 3)
        func directory(_ places: [Int], after: ModelDirectory?) -> ModelDirectory {
            ModelDirectory(
                aliases: [], upstreams: places.map { router.upstreams[$0] }, places: 3, after: after, names: .init(),
                time: time.source)
        }
        let before = directory([0, 1], after: nil)
        _ = before.update([0: [listed("xai.grok-4")], 1: [listed("xai.grok-4")]])
        before.refuse("xai.grok-4", at: 0)
        before.refuse("xai.grok-4", at: 1)
        #expect(Array(try directory([0, 2], after: before).catalog.resolve("xai.grok-4").accepts) == [2])
    }
}
