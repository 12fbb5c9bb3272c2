/// `model_info`, of which the proxy takes the prices.
extension LiteLLMImport {
    private static let rates: [(key: String, label: String)] = [
        ("input_cost_per_token", "in"), ("cache_read_input_token_cost", "cached"),
        ("cache_creation_input_token_cost", "written"), ("output_cost_per_token", "out"),
        ("output_cost_per_reasoning_token", "reasoning"),
    ]

    mutating func readInformation(_ entry: [YAMLMember], _ parameters: [YAMLMember], _ name: String) {
        let information = entry["model_info"]
        let members = information?.value.members ?? []
        readPrice(members + parameters, name)
        if let information, information.value.members == nil, !information.value.isNull {
            fates.drop(information, "it is \(information.value.kindName), not a mapping")
        }
        for member in members where fates.notes[member.id] == nil {
            if let reason = LiteLLMReasons.modelInfo[member.key] {
                fates.drop(member, reason)
            } else if member.key.hasPrefix("supports_") || member.key.hasPrefix("supported_") {
                fates.drop(member, "upstreams and providers say themselves what their models are")
            } else if member.key.contains("_cost_per_") || member.key.contains("_token_cost") {
                fates.drop(member, "prices of the import are those of input, output, cache and reasoning by token")
            }
        }
    }

    private mutating func readPrice(_ members: [YAMLMember], _ name: String) {
        let found = Self.rates.compactMap { rate in members[rate.key].map { (rate.label, $0) } }
        guard !found.isEmpty else { return }
        var parts: [String] = []
        for (label, member) in found {
            guard let text = member.value.number.flatMap(TokenPriceText.perMillion) else {
                fates.drop(member, "it is no price")
                continue
            }
            parts.append("\(text) \(label)")
        }
        let labels = Set(found.map(\.0))
        guard parts.count == found.count, labels.contains("in") || labels.contains("out"), INIText.isKey(name) else {
            for (_, member) in found where fates.notes[member.id] == nil {
                fates.drop(member, "a price needs what input or output costs, and a name that can stand in [PRICES]")
            }
            return
        }
        // Embeddings have no output.
        if !labels.contains("out") { parts.append("0 out") }
        if !labels.contains("in") { parts.insert("0 in", at: 0) }
        let isFree = parts.allSatisfy { $0.hasPrefix("0 ") }
        let price = isFree ? "free" : parts.joined(separator: " ") + " per 1M tokens"
        let other = priceOf[name]
        if other == nil {
            priceOf[name] = price
            plan.prices.append(.init(name, price))
        }
        for (_, member) in found {
            if let other, other != price {
                fates.drop(member, "[PRICES] has one price for each name, that of the first entry")
            } else {
                fates.take(member, "[PRICES]")
            }
        }
    }
}
