/// From endpoints to `[PROVIDER_n]`.
extension LiteLLMImport {
    /// The name of each endpoint's provider. Endpoints that serve a model under one name are a pool, and have the same; others do not, so that no
    /// request goes to a key that was not meant for it.
    mutating func nameProviders() -> [String] {
        var pools = DisjointSets(count: endpoints.count)
        var first: [ServedModel: Int] = [:]
        for deployment in deployments {
            guard case .provider(let endpoint) = deployment.upstream else { continue }
            let served = ServedModel(name: deployment.name, model: deployment.model)
            if let other = first[served] { pools.join(other, endpoint) } else { first[served] = endpoint }
        }
        var labels: [Int: [String]] = [:]
        var prefixes: [Int: String] = [:]
        var order: [Int] = []
        for (index, use) in endpoints.enumerated() {
            let pool = pools.leader(of: index)
            if labels[pool] == nil { order.append(pool) }
            if !labels[pool, default: []].contains(use.endpoint.label), labels[pool, default: []].count < 3 {
                labels[pool, default: []].append(use.endpoint.label)
            }
            if prefixes[pool] == nil { prefixes[pool] = use.prefix }
        }
        var nameOf: [Int: String] = [:]
        for pool in order {
            let labels = labels[pool, default: []]
            // Names of hosts would make one too long.
            let joined = labels.contains { $0.contains(".") } ? labels[0] : labels.joined(separator: "-")
            let wanted = prefixes[pool] ?? joined
            nameOf[pool] = names.name(String(wanted.prefix(56)))
        }
        return endpoints.indices.map { nameOf[pools.leader(of: $0)] ?? "provider" }
    }

    private struct ServedModel: Hashable {
        let name: String
        let model: String
    }

    mutating func writeProviders(_ names: [String]) {
        for (name, use) in zip(names, endpoints) {
            var entries = [
                ConfigurationPlan.Entry("provider", name), .init("baseurl", use.endpoint.base),
            ]
            if let token = use.endpoint.token { entries.append(.init("token", token)) }
            if !use.servesAll { entries.append(.init("model_list", use.models.joined(separator: ", "))) }
            if !use.dialects.isEmpty { entries.append(.init("dialects", use.dialects.joined(separator: ", "))) }
            entries += use.settings
            let comment = use.servesAll ? "All models that it lists." : nil
            plan.providers.append(.init(entries: entries, comment: comment))
        }
    }
}

/// Who belongs together.
private struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    mutating func leader(of element: Int) -> Int {
        var element = element
        while parents[element] != element {
            parents[element] = parents[parents[element]]
            element = parents[element]
        }
        return element
    }

    mutating func join(_ one: Int, _ two: Int) {
        let (one, two) = (leader(of: one), leader(of: two))
        // The first of them leads, so that the order is that of the file.
        parents[max(one, two)] = min(one, two)
    }
}
