/// A model of the simulated service.
package struct CatalogueModel: Sendable {
    package enum Kind: String, Sendable {
        case base = "BASE"
        case custom = "CUSTOM"
    }

    /// `displayName` of the listing.
    package var name: String
    package var vendor: String
    /// Last part of the OCID; the rest depends on the region.
    package var ocidSuffix: String
    package var capabilities: [String] = ["CHAT"]
    package var lifecycleState = "ACTIVE"
    package var version = "1.0.0"
    package var kind = Kind.base
    package var timeCreated = "2025-05-21T00:00:00Z"
    package var timeDeprecated: String?
    package var timeOnDemandRetired: String?
    /// What answers of it say in `model-retirement-info`.
    package var retirementInfo: String?
    /// Chat is refused as retired, whatever the listing says (OCI wire notes 5.6).
    package var isRetired = false
    /// Only through an endpoint.
    package var isDedicatedOnly = false
    /// Nil: everywhere.
    package var regions: [String]?
    /// Public name of the base model, for custom ones.
    package var base: String?

    package init(_ name: String, vendor: String, _ ocidSuffix: String) {
        self.name = name
        self.vendor = vendor
        self.ocidSuffix = ocidSuffix
    }

    package func with(_ change: (inout CatalogueModel) -> Void) -> CatalogueModel {
        var copy = self
        change(&copy)
        return copy
    }

    package func ocid(in region: String) -> String {
        "ocid1.generativeaimodel.oc1.\(region).amaaaaaask7dceya\(ocidSuffix)"
    }

    /// The model whose habits this one has.
    package var habitsOf: String { base ?? name }

    /// `ModelSummary` of the management API (OCI wire notes 6). Nil members are left out.
    package func summary(in region: String, compartment: String) -> JSON {
        var summary: JSON = [
            "id": .string(ocid(in: region)),
            "capabilities": .array(capabilities.map(JSON.string)),
            "lifecycleState": .string(lifecycleState),
            "displayName": .string(name),
            "vendor": .string(vendor),
            "version": .string(version),
            "timeCreated": .string(timeCreated),
            "type": .string(kind.rawValue),
            "isLongTermSupported": false,
            "freeformTags": [:],
            "definedTags": [:],
        ]
        if let timeDeprecated { summary["timeDeprecated"] = .string(timeDeprecated) }
        if let timeOnDemandRetired { summary["timeOnDemandRetired"] = .string(timeOnDemandRetired) }
        if kind == .custom {
            summary["compartmentId"] = .string(compartment)
            if let base {
                summary["baseModelId"] = .string(
                    "ocid1.generativeaimodel.oc1.\(region).amaaaaaask7dceya\(base.filter(\.isLetter))")
            }
        }
        return summary
    }
}

/// The models of the simulated service, by region.
package struct Catalogue: Sendable {
    package var models: [CatalogueModel]

    package init(_ models: [CatalogueModel] = Catalogue.usual) { self.models = models }

    package func models(in region: String) -> [CatalogueModel] {
        models.filter { $0.regions?.contains(region) ?? true }
    }

    /// By display name or by OCID of that region.
    package func model(_ id: String, in region: String) -> CatalogueModel? {
        models(in: region).first { $0.name == id || $0.ocid(in: region) == id }
    }

    /// Each custom model has one endpoint in each of its regions.
    package func endpoints(in region: String) -> [(id: String, model: CatalogueModel)] {
        models(in: region).filter { $0.kind == .custom || $0.isDedicatedOnly }.map { model in
            (id: Self.endpointID(for: model, in: region), model: model)
        }
    }

    package static func endpointID(for model: CatalogueModel, in region: String) -> String {
        "ocid1.generativeaiendpoint.oc1.\(region).amaaaaaaendpoint\(model.ocidSuffix)"
    }

    private static let american = ["us-chicago-1", "us-ashburn-1", "us-phoenix-1"]

    /// Every family, every capability, and each kind of model that cannot be used: retired, deprecated, being made,
    /// custom, absent from a region.
    package static let usual: [CatalogueModel] = [
        CatalogueModel("xai.grok-4", vendor: "xai", "grok4").with { $0.regions = american },
        CatalogueModel("xai.grok-4-fast-non-reasoning", vendor: "xai", "grok4fast").with { $0.regions = american },
        CatalogueModel("xai.grok-4.3", vendor: "xai", "grok43").with { $0.regions = american },
        CatalogueModel("xai.grok-3", vendor: "xai", "grok3").with { $0.regions = american },
        CatalogueModel("xai.grok-3-mini", vendor: "xai", "grok3mini").with { $0.regions = american },
        CatalogueModel("meta.llama-3.3-70b-instruct", vendor: "meta", "llama33").with {
            $0.capabilities = ["CHAT", "FINE_TUNE"]
        },
        CatalogueModel("meta.llama-4-maverick-17b-128e-instruct-fp8", vendor: "meta", "maverick").with {
            $0.regions = ["us-chicago-1"]
        },
        CatalogueModel("openai.gpt-oss-120b", vendor: "openai", "gptoss"),
        CatalogueModel("openai.gpt-5", vendor: "openai", "gpt5").with { $0.regions = american },
        CatalogueModel("openai.gpt-4.1", vendor: "openai", "gpt41").with { $0.regions = american },
        CatalogueModel("google.gemini-2.5-pro", vendor: "google", "gemini"),
        CatalogueModel("google.gemini-2.5-flash", vendor: "google", "geminiflash"),
        CatalogueModel("cohere.command-a-03-2025", vendor: "cohere", "cmda"),
        CatalogueModel("cohere.command-a-vision-07-2025", vendor: "cohere", "cmdavision").with {
            $0.regions = ["us-chicago-1", "eu-frankfurt-1"]
        },
        CatalogueModel("cohere.command-a-reasoning-08-2025", vendor: "cohere", "cmdareasoning"),
        CatalogueModel("cohere.command-r-plus-08-2024", vendor: "cohere", "cmdrplus08").with {
            $0.timeDeprecated = "2026-10-01T00:00:00Z"
        },
        CatalogueModel("cohere.command-r-plus", vendor: "cohere", "cmdrplus").with {
            $0.timeDeprecated = "2024-10-31T00:00:00Z"
            $0.timeOnDemandRetired = "2025-01-16T00:00:00Z"
            $0.isRetired = true
        },
        // Listed as if nothing were wrong, as has been seen at the real service.
        CatalogueModel("meta.llama-3.1-70b-instruct", vendor: "meta", "llama31").with { $0.isRetired = true },
        CatalogueModel("meta.llama-3-70b-instruct", vendor: "meta", "llama370b").with {
            $0.timeDeprecated = "2024-11-12T00:00:00Z"
        },
        CatalogueModel("meta.llama-9-8b-instruct", vendor: "meta", "creating").with { $0.lifecycleState = "CREATING" },
        CatalogueModel("my-support-bot", vendor: "meta", "custom0001").with {
            $0.kind = .custom
            $0.base = "meta.llama-3.3-70b-instruct"
        },
        CatalogueModel("cohere.embed-v4.0", vendor: "cohere", "embed4").with {
            $0.capabilities = ["TEXT_EMBEDDINGS"]
        },
        CatalogueModel("cohere.embed-multilingual-v3.0", vendor: "cohere", "embedmulti3").with {
            $0.capabilities = ["TEXT_EMBEDDINGS"]
        },
        CatalogueModel("cohere.rerank.v3-5", vendor: "cohere", "rerank35").with { $0.capabilities = ["TEXT_RERANK"] },
    ]
}
