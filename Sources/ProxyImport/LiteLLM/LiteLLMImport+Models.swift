/// `[MODELS]` and `[FALLBACKS]`.
extension LiteLLMImport {
    mutating func writeModels(_ named: NamedModels, _ root: [YAMLMember]) {
        var chains = FallbackChains(openProviders: named.openProviders)
        for group in named.groups { write(group, into: &chains, named) }
        readAliases(root, into: &chains)
        readFallbacks(root, into: &chains)
        plan.fallbacks = chains.entries
        for deployment in deployments {
            guard let order = deployment.orderMember, fates.notes[order.id] == nil else { continue }
            if case .oci = deployment.upstream {
                fates.drop(order, "accounts of the proxy have no order")
            } else if let pending = PendingSetting.ofProvider[order.key] {
                fates.drop(order, pending.reason())
            }
        }
    }

    // MARK: Names

    private mutating func write(_ group: NamedModels.Group, into chains: inout FallbackChains, _ named: NamedModels) {
        if group.name.contains("*"), group.name != "*" || group.members.allSatisfy(\.deployment.isWildcard) {
            return writePattern(group, named)
        }
        let plain = group.members.filter { !$0.deployment.isWildcard }
        for member in group.members where member.deployment.isWildcard {
            fates.change(
                member.deployment.nameMember,
                "one name cannot stand for all models; they are called \(called(member)) here")
        }
        guard let first = plain.first else {
            lost[group.name] = "it stood for all models of a provider"
            return
        }
        for member in plain { tellModel(member) }
        let targets = group.members.filter { !$0.deployment.isWildcard }.reduce(into: [String]()) { targets, member in
            if !targets.contains(member.target) { targets.append(member.target) }
        }
        guard alias(group.name, first.target, first.deployment.nameMember, &chains) else { return }
        for member in plain {
            tell(member, of: group.name, first: first.target, count: targets.count)
        }
        chains.add(targets.dropFirst().filter { !$0.contains(",") }, to: group.name)
    }

    /// Puts a name into `[MODELS]`.
    ///
    /// - Returns: false, with the reason noted, when it cannot stand there.
    private mutating func alias(
        _ name: String, _ target: String, _ member: YAMLMember, _ chains: inout FallbackChains
    ) -> Bool {
        guard INIText.isKey(name) else {
            fates.drop(
                member,
                "a name in [MODELS] has no = and begins with no bracket or sign of a comment; the model is called \(SourceKeys.shown(target))"
            )
            lost[name] = "its name cannot stand in [MODELS]"
            return false
        }
        guard IdentityText.isModelTarget(target) else {
            fates.drop(
                member,
                "the name cannot stand for \(SourceKeys.shown(target)), which has other characters than letters, digits and ._-:/@; it goes by that name"
            )
            lost[name] = "its model goes by another name"
            return false
        }
        guard chains.define(name, as: target) else {
            fates.drop(member, "another name differs from it in case alone, and comes first")
            lost[name] = "its name differs from another one in case alone"
            return false
        }
        if name != target { plan.models.append(.init(name, target)) }
        return true
    }

    private mutating func tell(_ member: NamedModels.Member, of name: String, first: String, count: Int) {
        let deployment = member.deployment
        if member.target == first {
            fates.take(
                deployment.nameMember, name == first ? "the model's name here, too" : "stands for \(first) in [MODELS]")
        } else {
            fates.change(
                deployment.nameMember,
                "\(member.target) takes over when \(first) fails, in [FALLBACKS]: different models are no pool, and not balanced"
            )
        }
        if let order = deployment.orderMember, count > 1 {
            fates.change(order, member.target == first ? "asked first" : "the place in [FALLBACKS]")
        }
    }

    private mutating func tellModel(_ member: NamedModels.Member) {
        let deployment = member.deployment
        switch deployment.upstream {
        case .oci where member.isShared:
            fates.change(
                deployment.modelMember,
                "asked at any account that has the model; LiteLLM asked the accounts of this name alone")
        case .provider where member.isShared:
            fates.change(
                deployment.modelMember,
                "\(member.target), for which the whole pool answers; LiteLLM asked the keys of this name alone")
        case .oci: fates.take(deployment.modelMember, "model of the accounts")
        case .provider: fates.take(deployment.modelMember, "\(member.target), in model_list of a provider")
        }
    }

    /// A name that stands for many: `openai/*`, `*`.
    private mutating func writePattern(_ group: NamedModels.Group, _ named: NamedModels) {
        for member in group.members {
            let deployment = member.deployment
            guard deployment.isWildcard else {
                tellModel(member)
                fates.drop(
                    deployment.nameMember,
                    "a pattern is no name; the model is called \(SourceKeys.shown(member.target))")
                continue
            }
            let names = called(member)
            if case .provider = deployment.upstream, deployment.model == "*" {
                fates.take(deployment.modelMember, "all models that the provider lists")
            } else if case .provider = deployment.upstream {
                fates.change(deployment.modelMember, "all models that the provider lists, whatever they are called")
            } else {
                fates.change(deployment.modelMember, "all models that the accounts have")
            }
            if group.name == names {
                fates.take(deployment.nameMember, "the models are called so here, too")
            } else {
                fates.change(deployment.nameMember, "the models are called \(names) here")
            }
        }
    }

    private func called(_ member: NamedModels.Member) -> String {
        guard case .provider = member.deployment.upstream else { return "as the accounts have them, such as grok-4" }
        return String(member.target.prefix { $0 != "/" }) + "/*"
    }

    // MARK: Aliases

    private mutating func readAliases(_ root: [YAMLMember], into chains: inout FallbackChains) {
        for section in ["router_settings", "litellm_settings"] {
            for key in ["model_group_alias", "model_alias_map"] {
                guard let member = root[section]?.value.members?[key] else { continue }
                guard let aliases = member.value.members else {
                    if !member.value.isNull { fates.drop(member, "it is \(member.value.kindName), not a mapping") }
                    continue
                }
                for alias in aliases { readAlias(alias, into: &chains) }
            }
        }
    }

    private mutating func readAlias(_ member: YAMLMember, into chains: inout FallbackChains) {
        var target = member.value.text
        if let parts = member.value.members {
            target = parts["model"]?.value.text
            if let part = parts["model"] { fates.take(part, "what the alias stands for") }
            if let hidden = parts["hidden"] { fates.drop(hidden, "GET /v1/models lists all names") }
        }
        guard let target, let known = chains.target(of: target) else {
            let reason = target.flatMap { lost[$0] }.map { ": \($0)" } ?? ""
            return fates.drop(member, "there is no model named \(SourceKeys.shown(target ?? ""))\(reason)")
        }
        guard alias(member.key, known, member, &chains) else { return }
        fates.take(member, "stands for \(known) in [MODELS]")
        chains.copy(from: target, to: member.key)
    }

    // MARK: Fallbacks

    private mutating func readFallbacks(_ root: [YAMLMember], into chains: inout FallbackChains) {
        // As in LiteLLM, the router's come before the others.
        for kind in ["fallbacks", "context_window_fallbacks"] {
            for section in ["router_settings", "litellm_settings"] {
                guard let member = root[section]?.value.members?[kind] else { continue }
                readRules(member, isForLength: kind != "fallbacks", into: &chains)
            }
        }
        for section in ["router_settings", "litellm_settings"] {
            guard let member = root[section]?.value.members?["default_fallbacks"] else { continue }
            chains.addEverywhere(alternatives(member, of: "the others", chains))
        }
    }

    /// A list of mappings, each from a model to others.
    private mutating func readRules(_ member: YAMLMember, isForLength: Bool, into chains: inout FallbackChains) {
        if member.value.isNull { return fates.take(member, "it is empty") }
        let entries = member.value.elements ?? [member.value]
        guard !entries.isEmpty else { return fates.take(member, "it is empty") }
        var everywhere: [String] = []
        var odd = 0
        for entry in entries {
            guard let rules = entry.members else {
                odd += 1
                continue
            }
            for rule in rules {
                guard rule.key == "*" || chains.target(of: rule.key) != nil else {
                    let reason = lost[rule.key].map { ": \($0)" } ?? ""
                    fates.drop(rule, "there is no model of this name\(reason)")
                    continue
                }
                let others = alternatives(rule, of: rule.key, chains, isForLength: isForLength)
                if rule.key == "*" { everywhere += others } else { chains.add(others, to: rule.key) }
            }
        }
        chains.addEverywhere(everywhere)
        if odd > 0 { fates.change(member, "\(odd) of its entries \(odd == 1 ? "is" : "are") no mapping, and left out") }
    }

    /// The names behind a model, without those that are not there. Tells what becomes of them.
    private mutating func alternatives(
        _ rule: YAMLMember, of model: String, _ chains: FallbackChains, isForLength: Bool = false
    ) -> [String] {
        let listed = rule.value.elements ?? (rule.value.isNull ? [] : [rule.value])
        var known: [String] = []
        var missing: [String] = []
        for element in listed {
            guard let name = element.text ?? element.members?["model"]?.value.text else {
                missing.append(element.kindName)
                continue
            }
            if chains.target(of: name) != nil, !name.contains(","), INIText.isValue(name) {
                known.append(name)
            } else {
                missing.append(SourceKeys.shown(name) + (lost[name].map { " (\($0))" } ?? ""))
            }
        }
        let without = missing.isEmpty ? "" : ", without \(Self.few(missing)): not there"
        if known.isEmpty {
            fates.drop(rule, listed.isEmpty ? "it is empty" : "none of them is there: \(Self.few(missing))")
        } else if isForLength {
            fates.change(rule, "[FALLBACKS], which are asked for other failures as well\(without)")
        } else if model == "the others" || model == "*" {
            fates.change(rule, "[FALLBACKS], written out for each model that has none\(without)")
        } else if missing.isEmpty {
            fates.take(rule, "[FALLBACKS]")
        } else {
            fates.change(rule, "[FALLBACKS]\(without)")
        }
        return known
    }
}

/// `[FALLBACKS]` while it is put together.
struct FallbackChains: Sendable {
    private let openProviders: Set<String>
    /// In the order in which they were defined.
    private var names: [String] = []
    private var targets: [String: String] = [:]
    private var lowered: Set<String> = []
    private var chains: [String: [String]] = [:]
    private var everywhere: [String] = []
    /// Other names of a model, which has the fallbacks.
    private var models: [String: String] = [:]

    init(openProviders: Set<String>) { self.openProviders = openProviders }

    /// - Returns: false when a name that differs in case alone is there.
    mutating func define(_ name: String, as target: String) -> Bool {
        guard lowered.insert(name.lowercased()).inserted else { return false }
        names.append(name)
        targets[name] = target
        return true
    }

    /// What a name stands for; nil for one that the proxy would not know.
    func target(of name: String) -> String? {
        if let target = targets[name] { return target }
        guard let slash = name.firstIndex(of: "/"), openProviders.contains(String(name[..<slash])) else { return nil }
        return name
    }

    mutating func add(_ alternatives: [String], to name: String) {
        guard !alternatives.isEmpty else { return }
        if targets[name] == nil, chains[name] == nil { names.append(name) }
        chains[name, default: []] += alternatives
    }

    mutating func addEverywhere(_ alternatives: [String]) { everywhere += alternatives }

    /// The name has the fallbacks of the model, where it has none itself.
    mutating func copy(from model: String, to name: String) {
        models[name] = model
    }

    var entries: [ConfigurationPlan.Entry] {
        names.compactMap { name in
            guard INIText.isKey(name) else { return nil }
            // Where a model is its own fallback, or two names stand for one model, asking again would change nothing.
            var seen: Set = [targets[name] ?? name, name]
            let chain = (chains[name] ?? models[name].flatMap { chains[$0] } ?? everywhere).filter { alternative in
                seen.insert(targets[alternative] ?? alternative).inserted
                    && alternative.lowercased() != name.lowercased()
            }
            return chain.isEmpty ? nil : .init(name, chain.joined(separator: ", "))
        }
    }
}
