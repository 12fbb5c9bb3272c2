import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Models that will go, and who takes over.
@Suite struct RetirementTests {
    @Test(
        arguments: [
            ("2027-01-31", "2027-01-31T00:00:00Z"), ("Model retires on 2027-01-31.", "2027-01-31T00:00:00Z"),
            ("retirementDate=2027-01-31T12:30:00Z;x", "2027-01-31T12:30:00Z"),
            ("2027-01-31T12:30:00.123+02:00", "2027-01-31T10:30:00Z"),
            ("deprecated 2026-12-01, gone 2027-06-01", "2026-12-01T00:00:00Z"),
            ("on 2027-02-30 or 2027-03-01", "2027-03-01T00:00:00Z"),
            ("{\"date\":\"2027-01-31\"}", "2027-01-31T00:00:00Z"), ("2027-01-31Tomorrow", "2027-01-31T00:00:00Z"),
            ("soon", nil), ("", nil), ("12027-01-31", nil), ("2027-1-31", nil), ("2027-01-311", nil), ("20270131", nil),
        ] as [(String, String?)])
    func `Any date in the header counts`(words: String, moment: String?) {
        #expect(ModelRetirements.date(in: words).map { RFC3339.format($0) } == moment)
    }

    @Test func `Words are kept, short and printable, for so many models`() {
        let retirements = ModelRetirements()
        retirements.note("ends \u{1B}[31m" + String(repeating: "x", count: 1000), of: "m")
        #expect(retirements["m"]?.words.contains("\u{1B}") == false)
        #expect((retirements["m"]?.words.count ?? 0) < 400)
        for number in 0..<5000 { retirements.note("2027-01-31", of: "made-up-\(number)") }
        #expect(retirements["made-up-10"] != nil && retirements["made-up-4999"] == nil)
    }

    private func summary(_ name: String, retired: Int?) -> ModelSummary {
        ModelSummary(
            displayName: name, ocid: "", vendor: nil, capabilities: ["CHAT"], isActive: true, isBase: true,
            created: nil, retired: retired)
    }

    private func catalog(
        _ models: [ModelSummary], _ successors: [String: String], _ retirements: ModelRetirements = ModelRetirements(),
        at now: Int64, aliases: [(name: String, target: String)] = [], refusals: ModelRefusals = ModelRefusals()
    ) -> ModelCatalog {
        ModelCatalog(
            aliases: aliases, accounts: [ModelCatalog.Account(region: "r", models: models)], refusals: refusals,
            successors: Successors(successors, retirements: retirements, wallClock: { now }), at: now)
    }

    @Test(arguments: ["grok-3", "xai.grok-3", "fast"]) func `A successor takes over on the day, and not before`(
        name: String
    ) throws {
        let models = [summary("xai.grok-3", retired: 1000), summary("xai.grok-4", retired: nil)]
        for (now, id) in [(999, "xai.grok-3"), (1000, "xai.grok-4"), (5000, "xai.grok-4")] as [(Int64, String)] {
            let catalog = catalog(models, [name: "grok-4"], at: now, aliases: [("fast", "xai.grok-3")])
            #expect(try catalog.resolve(name, for: .chat, by: nil).serving.id == id, "\(now)")
        }
    }

    @Test func `What the header says counts, too`() throws {
        let retirements = ModelRetirements()
        let models = [summary("xai.grok-3", retired: nil), summary("xai.grok-4", retired: nil)]
        retirements.note("2027-01-01", of: "xai.grok-3")
        let end = try #require(retirements["xai.grok-3"]?.at)
        for (now, id) in [(end - 1, "xai.grok-3"), (end, "xai.grok-4")] {
            let catalog = catalog(models, ["grok-3": "grok-4"], retirements, at: now)
            #expect(try catalog.resolve("grok-3", for: .chat, by: nil).serving.id == id)
        }
    }

    @Test func `A model that all have refused as gone is followed by its successor`() throws {
        let refusals = ModelRefusals()
        let models = [summary("xai.grok-3", retired: nil), summary("xai.grok-4", retired: nil)]
        let catalog = catalog(models, ["grok-3": "grok-4"], at: 0, refusals: refusals)
        #expect(try catalog.resolve("grok-3", for: .chat, by: nil).serving.id == "xai.grok-3")
        catalog.refuse("xai.grok-3", at: 0)
        #expect(try catalog.resolve("grok-3", for: .chat, by: nil).serving.id == "xai.grok-4")
    }

    @Test func `A chain is followed to its end, and a circle ends`() throws {
        let models = [
            summary("xai.a", retired: 1), summary("xai.b", retired: 2), summary("xai.c", retired: nil),
        ]
        let chain = catalog(models, ["xai.a": "xai.b", "xai.b": "xai.c"], at: 5)
        #expect(try chain.resolve("xai.a", for: .chat, by: nil).serving.id == "xai.c")
        let circle = catalog(models, ["xai.a": "xai.b", "xai.b": "xai.a"], at: 5)
        _ = try? circle.resolve("xai.a", for: .chat, by: nil)
    }

    @Test func `When a model goes is shown as long as it is there`() throws {
        let retirements = ModelRetirements()
        let catalog = catalog(
            [summary("xai.grok-3", retired: 1_800_000_000), summary("xai.grok-4", retired: nil)], ["grok-3": "grok-4"],
            retirements, at: 0)
        let (old, new) = (try #require(catalog["grok-3"]), try #require(catalog["grok-4"]))
        #expect(catalog.retirement(of: old, retirements) == .init(at: 1_800_000_000, successor: "grok-4"))
        #expect(catalog.retirement(of: new, retirements) == nil)
        retirements.note("retires soon", of: "xai.grok-4")
        #expect(catalog.retirement(of: new, retirements) == .init(words: "retires soon"))
        #expect(catalog.successor(answeringFor: "grok-3") == nil)
    }

    @Test func `What is known of a successor is not told of the model that it stands for`() throws {
        let retirements = ModelRetirements()
        retirements.note("retires on 2099-01-31", of: "xai.grok-4")
        let catalog = catalog(
            [summary("xai.grok-3", retired: 1_800_000_000), summary("xai.grok-4", retired: nil)], ["grok-3": "grok-4"],
            retirements, at: 1_800_000_001)
        #expect(catalog.successor(answeringFor: "grok-3") == "grok-4")
        #expect(catalog.successor(answeringFor: "grok-4") == nil)
        // As /v1/models/grok-3 has it.
        let old = ModelCatalog.Entry(name: "grok-3", target: try catalog.resolve("grok-3", for: .chat, by: nil))
        #expect(catalog.retirement(of: old, retirements) == .init(successor: "grok-4"))
    }
}
