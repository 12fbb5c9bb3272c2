/// Decides whether the service would take a ChatDetails body, and what it would answer if not.
package struct ChatValidator: Sendable {
    /// A request that was taken.
    package struct Accepted: Sendable {
        package let call: ChatCall
        package let model: CatalogueModel
    }

    /// A refusal, and the detail that the service keeps to itself.
    package struct Refusal: Error, Equatable {
        package let error: ServiceError
        package let detail: String
    }

    private let catalogue: Catalogue

    package init(_ catalogue: Catalogue) { self.catalogue = catalogue }

    /// `region` and the compartments are those of the account that signed. An empty list takes any compartment.
    package func validate(
        _ body: JSON, region: String, compartments: [String]
    ) throws(Refusal) -> Accepted {
        if let mismatch = ChatShapes.chat.mismatch(body) {
            throw Refusal(error: .wrongFormat, detail: mismatch)
        }
        let model = try ServingMode(catalogue).resolve(body, region: region, compartments: compartments)
        guard let request = body["chatRequest"], let call = ChatCall(request) else {
            throw Refusal(error: .wrongFormat, detail: "chatRequest.apiFormat")
        }
        guard model.capabilities.contains("CHAT"), ChatFormat.accepted(by: model.habitsOf).contains(call.format)
        else {
            throw Refusal(
                error: .formatDoesNotFitModel, detail: "\(model.name) does not take \(call.format.rawValue)")
        }
        do {
            try FamilyRules.check(request, format: call.format, model: model.habitsOf)
        } catch {
            throw Refusal(error: error, detail: error.message)
        }
        return Accepted(call: call, model: model)
    }
}

/// Finds the model that `servingMode` names (OCI wire notes 3.1 and 5.6).
package struct ServingMode: Sendable {
    private let catalogue: Catalogue

    package init(_ catalogue: Catalogue) { self.catalogue = catalogue }

    package func resolve(
        _ body: JSON, region: String, compartments: [String]
    ) throws(ChatValidator.Refusal) -> CatalogueModel {
        let compartment = body["compartmentId"]?.string ?? ""
        guard compartments.isEmpty ? compartment.hasPrefix("ocid1.") : compartments.contains(compartment) else {
            throw .init(error: .notAuthorizedOrNotFound, detail: "foreign compartment '\(compartment)'")
        }
        let mode = body["servingMode"]
        if let endpoint = mode?["endpointId"]?.string {
            guard let found = catalogue.endpoints(in: region).first(where: { $0.id == endpoint }) else {
                throw .init(error: .notAuthorizedOrNotFound, detail: "no endpoint '\(endpoint)' in \(region)")
            }
            return found.model
        }
        let id = mode?["modelId"]?.string ?? ""
        guard let model = catalogue.model(id, in: region), model.lifecycleState == "ACTIVE", model.kind == .base,
            !model.isDedicatedOnly
        else { throw .init(error: .notFound, detail: "no model '\(id)' on demand in \(region)") }
        guard !model.isRetired else {
            throw .init(error: .retired(model.name, version: model.version), detail: "\(model.name) is retired")
        }
        return model
    }
}
