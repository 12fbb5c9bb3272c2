import Foundation
import Testing

@testable import Proxy

/// What accounts list, and what becomes of it: the golden map of two regions, and the rules one by one.
@Suite struct DiscoveredModelsTests {
    private static let now: Int64 = 1_780_272_000  // 2026-06-01T00:00:00Z

    private func fixture(_ name: String) throws -> Golden.Object {
        try #require(Golden.cases("oci/models").first { $0.name == name }?.object)
    }

    /// All models of a region's pages.
    private func models(_ region: String) throws -> [ModelSummary] {
        let pages = try #require(try fixture("page_\(region).json")["pages"] as? [Golden.Object])
        return try pages.flatMap { page in
            let body = try #require(page["body"])
            return try #require(ModelSummary.page(Array(try JSONSerialization.data(withJSONObject: body))))
        }
    }

    private func model(_ name: String, capabilities: Set<String> = ["CHAT"]) -> ModelSummary {
        ModelSummary(
            displayName: name, ocid: "ocid1.generativeaimodel.oc1.us-chicago-1.\(name)", capabilities: capabilities,
            isActive: true, isBase: true)
    }

    private func account(_ region: String, _ models: [ModelSummary]?) -> ModelCatalog.Account {
        .init(region: region, models: models)
    }

    @Test func `Two regions give the expected map`() throws {
        let regions = ["us-chicago-1", "eu-frankfurt-1"]
        let catalog = ModelCatalog(aliases: [], accounts: try regions.map { account($0, try models($0)) }, at: Self.now)
        let expected = try #require(try fixture("expected_map.json")["expected"] as? [String: Golden.Object])
        #expect(Set(catalog.entries.map(\.name)) == Set(expected.keys))
        for entry in catalog.entries {
            #expect(entry.target.serving.id == expected[entry.name]?["oci_model_id"] as? String)
            #expect(
                Set(entry.target.accepts.map { regions[$0] })
                    == Set(expected[entry.name]?["regions"] as? [String] ?? []), "\(entry.name)")
            #expect(entry.created == 1_747_785_600 || entry.created != nil)
        }
        let excluded = try #require(try fixture("expected_map.json")["expected_excluded"] as? [String: String])
        for id in excluded.keys { #expect(!catalog.entries.contains { $0.target.serving.id == id }, "\(id)") }
    }

    @Test func `Names are short and clashes are settled whatever the order`() throws {
        let fixture = try fixture("friendly_names.json")
        let ids = try #require(fixture["input"] as? [String])
        let expected = try #require(fixture["expected"] as? [String: String])
        for order in [ids, ids.reversed(), ids.shuffled()] {
            #expect(Dictionary(uniqueKeysWithValues: FriendlyNames.assign(order).map { ($0.name, $0.id) }) == expected)
        }
    }

    @Test(arguments: [["a.x", "b.x", "z.b.x"], ["x", "a.x"], ["a.b.c", "b.c"]])
    func `The full ID of one is never the name of another`(ids: [String]) throws {
        let names = FriendlyNames.assign(ids)
        #expect(Set(names.map(\.name)).count == ids.count)
        let catalog = ModelCatalog(aliases: [], accounts: [account("r", ids.map { model($0) })])
        for id in ids {
            let target = try catalog.resolve(id)
            #expect(target.serving.id == id)
        }
    }

    @Test(arguments: [
        ("meta.llama-3-70b-instruct", "llama-3-70b"), ("a.", "a."), ("-instruct", "-instruct"), ("x", "x"),
        ("a.-instruct", "-instruct"), ("", ""),
    ])
    func `Odd names stay names`(id: String, name: String) {
        #expect(FriendlyNames.short(id) == name)
    }

    @Test func `A custom alias always wins`() throws {
        let catalog = ModelCatalog(
            aliases: [("grok-4", "xai.grok-4-fast"), ("mine", "xai.grok-4")],
            accounts: [account("us-chicago-1", [model("xai.grok-4"), model("xai.grok-4-fast")])])
        #expect(try catalog.resolve("grok-4").serving.id == "xai.grok-4-fast")
        #expect(try catalog.resolve("mine").serving.id == "xai.grok-4")
        #expect(try catalog.resolve("xai.grok-4").serving.id == "xai.grok-4")
        #expect(catalog.entries.map(\.name) == ["grok-4", "mine", "grok-4-fast"])
    }

    @Test func `Who lists a model is asked for it`() throws {
        let catalog = ModelCatalog(
            aliases: [("everywhere", "xai.grok-4")],
            accounts: [
                account("us-chicago-1", [model("xai.grok-4")]), account("eu-frankfurt-1", []),
                account("uk-london-1", nil),
            ])
        // The third has not said anything yet: it may have it.
        #expect(try Array(catalog.resolve("everywhere").accepts) == [0, 2])
        #expect(try Array(catalog.resolve("grok-4").accepts) == [0, 2])
        #expect(catalog.names(at: 1) == [] && catalog.names(at: 2) == ["everywhere", "grok-4"])
    }

    @Test func `An ID that nobody lists is tried in its region or everywhere`() throws {
        let accounts = [account("us-chicago-1", [model("xai.grok-4")]), account("eu-frankfurt-1", [])]
        let catalog = ModelCatalog(
            aliases: [("mine", "ocid1.generativeaiendpoint.oc1.eu-frankfurt-1.aaaa")], accounts: accounts)
        #expect(try Array(catalog.resolve("mine").accepts) == [1])
        #expect(try Array(catalog.resolve("ocid1.generativeaimodel.oc1.us-chicago-1.unlisted").accepts) == [0])
        #expect(try Array(catalog.resolve("meta.brand-new").accepts) == [0, 1])
        #expect(try Array(catalog.resolve("ocid1.generativeaiendpoint.oc1.mars-1.a").accepts) == [0, 1])
    }

    @Test func `An OCID that is listed keeps its model's habits`() throws {
        let catalog = ModelCatalog(aliases: [], accounts: [account("us-chicago-1", [model("xai.grok-4")])])
        let target = try catalog.resolve("ocid1.generativeaimodel.oc1.us-chicago-1.xai.grok-4")
        #expect(
            target.modelID == "xai.grok-4"
                && target.serving == .onDemand(modelID: "ocid1.generativeaimodel.oc1.us-chicago-1.xai.grok-4"))
    }

    @Test func `Embedding models are usable but not listed`() throws {
        let catalog = ModelCatalog(
            aliases: [],
            accounts: [account("us-chicago-1", [model("cohere.embed-v4.0", capabilities: ["TEXT_EMBEDDINGS"])])])
        #expect(catalog.entries.isEmpty)
        #expect(try catalog.resolve("embed-v4.0").serving.id == "cohere.embed-v4.0")
    }

    @Test func `A refused model is looked for elsewhere`() throws {
        let accounts = [account("us-chicago-1", [model("xai.grok-4")]), account("us-chicago-1", [model("xai.grok-4")])]
        let catalog = ModelCatalog(aliases: [], accounts: accounts)
        catalog.refuse("xai.grok-4", at: 0)
        #expect(try Array(catalog.resolve("grok-4").accepts) == [1])
        #expect(catalog.entries.map { Array($0.target.accepts) } == [[1]] && catalog.names(at: 0).isEmpty)
        catalog.refuse("xai.grok-4", at: 1)
        #expect(catalog.entries.isEmpty, "it is not offered any more")
        #expect(try Array(catalog.resolve("grok-4").accepts) == [0, 1], "but whoever asks for it hears what OCI says")
    }

    @Test(arguments: ["", "[]", "{}", #"{"items":{}}"#, "<html>"])
    func `What is no list is none`(body: String) {
        #expect(ModelSummary.page(Array(body.utf8)) == nil)
    }

    @Test func `Items may lack almost everything`() {
        let page = ModelSummary.page(
            Array(
                #"{"items":[{"displayName":"a.b"},{"id":"x"},7,{"displayName":""},{"displayName":"c","type":"NEW","capabilities":["CHAT",1],"lifecycleState":"ACTIVE"}]}"#
                    .utf8))
        #expect(page?.map(\.displayName) == ["a.b", "c"])
        #expect(page?[0].serves(.chat, at: 0) == false && page?[1].serves(.chat, at: 0) == false)
    }
}
