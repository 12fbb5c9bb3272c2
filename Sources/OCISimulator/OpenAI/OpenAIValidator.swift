/// Decides whether the OpenAI-compatible path would take a chat request, and what it would answer if not (OCI wire
/// notes 7).
package struct OpenAIValidator: Sendable {
    private let catalogue: Catalogue
    private let refusesLlamaToolsAfterSystem: Bool

    package init(_ catalogue: Catalogue, refusesLlamaToolsAfterSystem: Bool = false) {
        self.catalogue = catalogue
        self.refusesLlamaToolsAfterSystem = refusesLlamaToolsAfterSystem
    }

    /// `region` is that of the account that asks.
    package func validate(_ body: JSON, region: String) throws(ChatValidator.Refusal) -> ChatValidator.Accepted {
        if let mismatch = OpenAIShapes.chat.mismatch(body) {
            throw .init(error: .wrongFormat, detail: mismatch)
        }
        let model = try model(body["model"]?.string ?? "", in: region)
        do {
            try OpenAIRules.check(body, model: model.habitsOf)
            if refusesLlamaToolsAfterSystem {
                try OpenAIRules.checkLlamaSystemMessage(body, model: model.habitsOf)
            }
        } catch {
            throw .init(error: error, detail: error.message)
        }
        return .init(call: ChatCall(openAI: body), model: model)
    }

    /// Display names only: neither dedicated endpoints nor Cohere's models are served here.
    package func model(_ id: String, in region: String) throws(ChatValidator.Refusal) -> CatalogueModel {
        guard !id.hasPrefix("ocid1.generativeaiendpoint.") else {
            throw .init(
                error: .invalidParameter("Dedicated endpoints are not supported by this API."),
                detail: "DEDICATED is not served on this path")
        }
        guard ModelFamily(model: id) != .cohere else {
            throw .init(
                error: .invalidParameter("Model \(id) is not supported by this API."),
                detail: "Cohere's models are not served on this path")
        }
        guard let model = catalogue.models(in: region).first(where: { $0.name == id }), model.isOnOpenAIPath else {
            throw .init(error: .notFound, detail: "no model '\(id)' on this path in \(region)")
        }
        guard !model.isRetired else {
            throw .init(error: .retired(model.name, version: model.version), detail: "\(model.name) is retired")
        }
        return model
    }
}

extension CatalogueModel {
    /// Whether the OpenAI-compatible path knows this model: base models that chat, on demand, of the vendors that Oracle
    /// names for it (OCI wire notes 7; Gemini is not among them).
    package var isOnOpenAIPath: Bool {
        guard kind == .base, !isDedicatedOnly, lifecycleState == "ACTIVE", capabilities.contains("CHAT") else {
            return false
        }
        switch ModelFamily(model: name) {
        case .grok, .llama, .gptOSS, .openAI, .other: return true
        case .gemini, .cohere: return false
        }
    }
}
