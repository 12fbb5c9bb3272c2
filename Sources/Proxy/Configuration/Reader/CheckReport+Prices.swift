import ProxyAccounting

extension CheckReport {
    /// Where prices come from, and which of the models that the file names have none.
    static func prices(_ prices: PriceTable, _ settings: Settings) -> [String] {
        guard settings.ledger.directory != .off || settings.hasMoneyBudget else { return [] }
        func count(_ origin: PriceTable.Origin) -> Int { prices.entries.count { $0.origin == origin } }
        var origins = ["\(count(.builtIn)) built in (table of \(BuiltInPrices.version))"]
        if settings.ledger.pricesFile != nil { origins.append("\(count(.file)) of the prices file") }
        if count(.configuration) > 0 { origins.append("\(count(.configuration)) of the configuration") }
        let unpriced = settings.models(without: prices)
        guard !unpriced.isEmpty else { return ["prices: \(origins.joined(separator: ", "))"] }
        let shown = unpriced.prefix(mostNames).joined(separator: ", ")
        let rest = unpriced.count > mostNames ? " and \(unpriced.count - mostNames) more" : ""
        return [
            "prices: \(origins.joined(separator: ", "))",
            "  models without a price: \(shown)\(rest) (their costs are unknown, and budgets in USD do not count them: see [PRICES])",
        ]
    }

    private static let mostNames = 20
}

extension Settings {
    /// A key has a budget in money.
    fileprivate var hasMoneyBudget: Bool {
        (clientKeys + [generatedKey]).contains { key in
            (key.limits.hardBudgets + key.limits.softBudgets).contains {
                if case .money = $0.amount { true } else { false }
            }
        }
    }

    /// The models that the file names, as it does, and that have no price. What upstreams will list is not known here.
    fileprivate func models(without prices: PriceTable) -> [String] {
        var seen: Set<String> = []
        var found: [String] = []
        func look(at name: String, asked: String?, as title: String) {
            guard seen.insert(title).inserted, !isPriced(name, asked: asked, prices) else { return }
            found.append(title)
        }
        for alias in models {
            let target = alias.target
            // Any name stands for it, so that none can have a price of its own.
            if alias.name == "*" {
                lookUnlessAliased(target)
            } else {
                look(at: target, asked: alias.name, as: alias.name == target ? target : "\(alias.name) (\(target))")
            }
        }
        for provider in providers {
            for model in provider.models ?? [] {
                let name = "\(provider.name)/\(model)"
                if supportedModels.admits(name) { look(at: name, asked: name, as: name) }
            }
        }
        for chain in fallbacks {
            for name in [chain.model] + chain.alternatives { lookUnlessAliased(name) }
        }
        /// What is neither an alias nor an id is a name that discovery will explain.
        func lookUnlessAliased(_ name: String) {
            guard !models.contains(where: { $0.name == name }), name.contains(".") || name.contains("/") else { return }
            look(at: name, asked: nil, as: name)
        }
        return found
    }

    private func isPriced(_ name: String, asked: String?, _ prices: PriceTable) -> Bool {
        var (id, provider) = (name, nil as String?)
        if let slash = name.firstIndex(of: "/") {
            let first = String(name[..<slash])
            if providers.contains(where: { $0.name == first }) { provider = first }
            if provider != nil || first == "oci" { id = String(name[name.index(after: slash)...]) }
        }
        return prices.price(asked: asked, id: id, provider: provider) != nil
    }
}
