import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct ModelCatalogTests {
    private let catalog = ModelCatalog(aliases: [
        ("grok-4", "xai.grok-4"), ("fast", "xai.grok-4-fast-non-reasoning"),
        ("mine", "ocid1.generativeaiendpoint.oc1.us-chicago-1.aaaa"),
        ("llama-3.3-70b", "meta.llama-3.3-70b-instruct"),
    ])

    @Test func `An alias stands for its model`() throws {
        #expect(try catalog.resolve("fast").serving == .onDemand(modelID: "xai.grok-4-fast-non-reasoning"))
    }

    @Test func `An endpoint is served by its cluster`() throws {
        #expect(
            try catalog.resolve("mine").serving
                == .dedicated(endpointID: "ocid1.generativeaiendpoint.oc1.us-chicago-1.aaaa"))
    }

    @Test(arguments: [
        "xai.grok-3", "meta.llama-4-scout-17b-16e-instruct", "ocid1.generativeaimodel.oc1.us-chicago-1.x",
    ])
    func `Full IDs always work`(id: String) throws {
        #expect(try catalog.resolve(id).serving == .onDemand(modelID: id))
    }

    @Test func `An unknown name comes back with its neighbours`() {
        let error = #expect(throws: Failure.self) { try catalog.resolve("grok4", for: .chat, by: nil) }
        #expect(error?.status == 404 && error?.code == "model_not_found" && error?.param == "model")
        #expect(error?.message.contains("'grok-4'") == true)
        #expect(throws: Failure.self) { try catalog.resolve("") }
        #expect(throws: Failure.self) { try catalog.resolve("xai.") }
    }

    /// Gemini's own spelling is a path of another interface (docs/decisions/0023).
    @Test func `A path is no name`() {
        let catalog = ModelCatalog(aliases: [("gemini-2.5-pro", "google.gemini-2.5-pro")])
        let error = #expect(throws: Failure.self) { try catalog.resolve("models/gemini-2.5-pro", for: .chat, by: nil) }
        #expect(
            error?.status == 404 && error?.message.contains("'gemini-2.5-pro'") == true, "\(error.debugDescription)")
    }

    @Test func `No more than three neighbours are named`() {
        let many = ModelCatalog(aliases: (0..<10).map { ("grok-\($0)", "xai.grok-\($0)") })
        let error = #expect(throws: Failure.self) { try many.resolve("grok", for: .chat, by: nil) }
        #expect(error?.message.components(separatedBy: "'grok-").count == 4)
    }

    @Test func `An alias may stand for a provider's model`() throws {
        let catalog = ModelCatalog(
            aliases: [("fast", "groq/meta/llama-3"), ("mine", "xai.grok-4")],
            accounts: [
                ModelCatalog.Account(region: "r"),
                ModelCatalog.Account(
                    models: [ModelSummary(ofProvider: "meta/llama-3", created: 7)], form: .openAI, provider: "groq"),
            ], names: ModelCatalog.Names(ociPrefix: "oci/"))
        let target = try catalog.resolve("fast", for: .chat, by: nil)
        #expect(target.modelID == "meta/llama-3" && Array(target.accepts) == [1])
        #expect(catalog["fast"]?.owner == "groq" && catalog["fast"]?.created == 7)
        #expect(Array(try catalog.resolve("mine", for: .chat, by: nil).accepts) == [0])
    }

    @Test func `The name of a model without its provider is near`() {
        let names = ["zhipu/glm-4.6", "zhipu/glm-4.5-air", "oci/grok-4"]
        #expect(NearestName.several(to: "glm-4.6", among: names, limit: 3).first == "zhipu/glm-4.6")
        #expect(NearestName.several(to: "grok-4", among: names, limit: 3).first == "oci/grok-4")
    }
}
