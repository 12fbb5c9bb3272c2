/// `model_list`.
extension LiteLLMImport {
    mutating func readModelList(_ section: YAMLMember) {
        guard let entries = section.value.elements else {
            return fates.drop(section, "it is \(section.value.kindName), not a list of models")
        }
        var odd: [Int] = []
        for entry in entries {
            if let members = entry.members { readEntry(members) } else { odd.append(entry.line) }
        }
        if let first = odd.first {
            fates.change(
                section,
                "\(odd.count == 1 ? "an entry" : "\(odd.count) entries") of the list \(odd.count == 1 ? "is" : "are") no mapping and left out, first in line \(first)"
            )
        } else if entries.isEmpty {
            fates.take(section, "it is empty")
        }
    }

    private mutating func readEntry(_ entry: [YAMLMember]) {
        guard let nameMember = entry["model_name"], let name = nameMember.value.text, !name.isEmpty else {
            return lose(entry, "the entry has no model_name")
        }
        guard let parameters = entry["litellm_params"], let own = parameters.value.members else {
            return lose(entry, "the entry has no litellm_params", name: name)
        }
        let all = withCredential(own)
        guard let modelMember = all["model"], let written = written(modelMember) else {
            return lose(entry, "litellm_params has no model", name: name)
        }
        guard case .text(let model) = written, !model.isEmpty else {
            fates.drop(
                modelMember, "the model comes from a variable, so the import cannot tell whose it is; write it out")
            return lose(entry, "its model comes from a variable", name: name)
        }
        readParameters(all, of: Name(text: name, member: nameMember), model, modelMember, entry)
        readInformation(entry, all, name)
        for member in entry where !["model_name", "litellm_params", "model_info"].contains(member.key) {
            drop(member)
        }
    }

    /// `model_name`.
    struct Name {
        let text: String
        let member: YAMLMember
    }

    /// The parameters, and what `litellm_credential_name` adds to them.
    private mutating func withCredential(_ own: [YAMLMember]) -> [YAMLMember] {
        guard let member = own["litellm_credential_name"], let name = member.value.text else { return own }
        guard let shared = credentials[name] else {
            fates.drop(member, "credential_list has no such entry")
            return own
        }
        fates.take(member, "its values are written out")
        let names = Set(own.map(\.key))
        return own + shared.filter { !names.contains($0.key) }
    }

    // MARK: What is left out

    /// Leaves an entry out, with all that stands in it.
    private mutating func lose(_ entry: [YAMLMember], _ reason: String, name: String? = nil) {
        if let name, lost[name] == nil { lost[name] = reason }
        for member in entry where fates.notes[member.id] == nil {
            fates.drop(
                member, member.key == "model_name" ? "\(reason), so it is left out" : "with its entry: \(reason)")
        }
    }

    /// Leaves a parameter of a deployment out that stays.
    private mutating func drop(_ member: YAMLMember, isOCI: Bool = false) {
        // What `order` comes to is known when all of a name are.
        guard fates.notes[member.id] == nil, member.key != "order" else { return }
        if member.value.isNull {
            fates.take(member, "it is empty")
        } else if let pending = PendingSetting.ofProvider[member.key] {
            fates.drop(member, pending.reason(isOCI: isOCI))
        } else if let reason = LiteLLMReasons.parameters[member.key] {
            fates.drop(member, reason)
        } else if LiteLLMReasons.foreignParameters.contains(where: member.key.hasPrefix) {
            fates.drop(member, "it is for another vendor")
        }
    }

    // MARK: Whose the model is

    private mutating func readParameters(
        _ all: [YAMLMember], of name: Name, _ model: String, _ modelMember: YAMLMember, _ entry: [YAMLMember]
    ) {
        let custom = all["custom_llm_provider"]
        let (vendorName, upstreamName) = split(model, custom: custom?.value.text)
        guard let vendorName else {
            let reason =
                "LiteLLM would guess whose model this is; write it with its vendor, such as openai/\(SourceKeys.shown(model))"
            fates.drop(modelMember, reason)
            return lose(entry, "it is not said whose model it is", name: name.text)
        }
        if let custom { fates.take(custom, "the vendor is \(SourceKeys.shown(vendorName))") }
        defer { finish(all, isOCI: vendorName == "oci") }
        if vendorName == "oci" {
            if !readOCI(all, of: name, upstreamName, modelMember) {
                lose(entry, "its account cannot be made", name: name.text)
            }
            return
        }
        guard let vendor = Vendor.named(vendorName) else {
            let shown = SourceKeys.shown(vendorName)
            fates.drop(
                modelMember,
                "\(shown) is unknown to the import; if its API is like OpenAI's, write openai/ in place of \(shown)/, with api_base"
            )
            return lose(entry, "its vendor \(shown) is unknown", name: name.text)
        }
        switch vendor.access {
        case .foreign(let reason):
            fates.drop(modelMember, "\(vendor.label) is left out: \(reason)")
            lose(entry, "the proxy cannot ask \(vendor.label)", name: name.text)
        case .compatible(let access):
            if !readProvider(all, of: name, upstreamName, modelMember, vendor.label, access) {
                lose(entry, "its address cannot be told", name: name.text)
            }
        }
    }

    private func split(_ model: String, custom: String?) -> (vendor: String?, model: String) {
        if let custom, !custom.isEmpty {
            return (custom, model.hasPrefix(custom + "/") ? String(model.dropFirst(custom.utf8.count + 1)) : model)
        }
        if let slash = model.firstIndex(of: "/") {
            let vendor = String(model[..<slash])
            return (vendor, String(model[model.index(after: slash)...]))
        }
        return (Vendor.ofModel(model), model)
    }

    /// Tells of the parameters of which nobody has told.
    private mutating func finish(_ all: [YAMLMember], isOCI: Bool) {
        for member in all {
            if member.key == "drop_params" || member.key == "additional_drop_params"
                || member.key == "allowed_openai_params"
            {
                fates.change(
                    member,
                    isOCI
                        ? "parameters that a model of OCI does not take are left out in any case"
                        : "requests to providers pass unchanged")
            } else if member.key == "stream" {
                fates.drop(member, "whether an answer is streamed is for the client to say; see force_non_stream")
            }
            drop(member, isOCI: isOCI)
        }
    }

    // MARK: OCI

    private mutating func readOCI(
        _ all: [YAMLMember], of name: Name, _ written: String, _ modelMember: YAMLMember
    ) -> Bool {
        guard let identity = identity(all) else { return false }
        let account: Int
        if let known = accountIDs[identity] {
            account = known
        } else {
            account = accounts.count
            accountIDs[identity] = account
            accounts.append(AccountUse(identity: identity, line: modelMember.line))
        }
        readShare(all, of: account)
        var model = written
        if let mode = all["oci_serving_mode"] {
            let isDedicated = mode.value.text?.uppercased() == "DEDICATED"
            fates.take(mode, isDedicated ? "the name stands for the endpoint" : "as always for a model's id")
            if let endpoint = all["oci_endpoint_id"], let id = self.written(endpoint)?.value {
                if isDedicated {
                    model = id
                    fates.take(endpoint, "what the name stands for in [MODELS]")
                } else {
                    fates.drop(endpoint, "oci_serving_mode is not DEDICATED")
                }
            }
        }
        add(name, model, modelMember, .oci(account: account), all)
        return true
    }

    /// `weight` and `max_parallel_requests`, which an account of the proxy has.
    private mutating func readShare(_ all: [YAMLMember], of account: Int) {
        if let member = all["weight"] {
            if let weight = member.value.integer, (1...1000).contains(weight) {
                let other = accounts[account].weight
                accounts[account].weight = max(weight, other ?? 0)
                if let other, other != weight {
                    fates.change(member, "weight of the account, which has the largest of its models' weights")
                } else {
                    fates.change(member, "weight of the account, for all its models")
                }
            } else {
                fates.drop(member, "a weight of the proxy is a whole number from 1 to 1000")
            }
        }
        if let member = all["max_parallel_requests"] {
            if let count = member.value.integer, (1...100_000).contains(count) {
                accounts[account].maxConcurrency = max(count, accounts[account].maxConcurrency ?? 0)
                fates.change(member, "max_concurrency of the account, for all its models together")
            } else {
                fates.drop(member, "max_concurrency is a whole number from 1 to 100000")
            }
        }
    }

    // MARK: Providers

    private mutating func readProvider(
        _ all: [YAMLMember], of modelName: Name, _ written: String, _ modelMember: YAMLMember, _ label: String,
        _ access: Vendor.Compatible
    ) -> Bool {
        guard let (base, isOwn) = address(all, label, access) else { return false }
        // A server of one's own behind a well-known API is not that vendor.
        let isElsewhere = isOwn && access.base != nil && access.path.isEmpty
        let name = isElsewhere || label == "custom" ? ProviderAddress.host(base) ?? label : label
        let token = token(all, name, access, isElsewhere: isElsewhere)
        let endpoint = ProviderEndpoint(label: name, base: base, token: token)
        let index: Int
        if let known = endpointIDs[endpoint] {
            index = known
        } else {
            index = endpoints.count
            endpointIDs[endpoint] = index
            endpoints.append(ProviderUse(endpoint, line: modelMember.line))
        }
        if !isElsewhere {
            for dialect in access.dialects where !endpoints[index].dialects.contains(dialect) {
                endpoints[index].dialects.append(dialect)
            }
        }
        if let version = all["api_version"] {
            fates.change(version, "the path /openai/v1 has no versions")
        }
        var model = written
        if label == "fireworks", !model.hasPrefix("accounts/"), !model.contains("*") {
            model = "accounts/fireworks/models/\(model)"
        }
        if label == "huggingface", !isOwn { model = routed(model) }
        if model.contains("*") {
            endpoints[index].servesAll = true
            let prefix = modelName.text.hasSuffix("/*") ? String(modelName.text.dropLast(2)) : nil
            if let prefix, IdentityText.isIdentifier(prefix), prefix.utf8.count <= 64, endpoints[index].prefix == nil {
                endpoints[index].prefix = prefix
            }
        } else if model.contains(",") || !INIText.isValue(model) {
            fates.drop(
                modelMember, "its name has a comma or a control character in it, which a list of models cannot hold")
            return false
        } else {
            endpoints[index].add(model)
        }
        readPending(all, of: index)
        add(modelName, model, modelMember, .provider(endpoint: index), all)
        return true
    }

    /// The router of Hugging Face wants the provider behind the model: `together/meta-llama/X` is `meta-llama/X:together` there.
    private func routed(_ model: String) -> String {
        let parts = model.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 ? "\(parts[1])/\(parts[2]):\(parts[0])" : model
    }

    /// Where the provider is, and whether the file says so itself. Nil, with the reason noted, when nobody knows.
    private mutating func address(
        _ all: [YAMLMember], _ label: String, _ access: Vendor.Compatible
    ) -> (base: String, isOwn: Bool)? {
        if let second = all["base_url"], all["api_base"] != nil { fates.drop(second, "api_base says the same") }
        guard let member = all["api_base"] ?? all["base_url"], !member.value.isNull else {
            if let base = access.base { return (base, false) }
            guard let variable = access.address else { return nil }
            guard access.path.isEmpty else {
                return (
                    references.assumed(variable, because: "the address of \(label), with \(access.path) at its end"),
                    false
                )
            }
            return (references.assumed(variable, because: "the address of \(label), as LiteLLM had it"), false)
        }
        guard let written = written(member) else { return nil }
        switch written {
        case .reference(let reference):
            if access.path.isEmpty {
                fates.take(member, "baseurl of a provider")
            } else {
                fates.change(member, "baseurl of a provider; the variable has to have \(access.path) at its end")
                steps.append("see that the address in \(reference) ends with \(access.path)")
            }
            return (reference, true)
        case .text(let text):
            guard var base = ProviderAddress.normal(text) else {
                fates.drop(
                    member, "it is no address that the proxy takes: http or https, without user, query or fragment")
                return nil
            }
            if let known = access.base, ProviderAddress.host(known) == ProviderAddress.host(base), access.path.isEmpty {
                if base == known {
                    fates.take(member, "baseurl of a provider")
                } else {
                    fates.change(member, "baseurl of a provider, with the path where its API is like OpenAI's")
                }
                return (known, false)
            }
            let before = base
            if !access.path.isEmpty, !base.hasSuffix(access.path) {
                if let path = base.range(ofPath: "/openai"), access.path == "/openai/v1" {
                    base = String(base[..<path])
                }
                base += access.path
            }
            if base == before {
                fates.take(member, "baseurl of a provider")
            } else {
                fates.change(member, "baseurl of a provider, with \(access.path), where its API is like OpenAI's")
            }
            return (base, true)
        }
    }

    /// What goes to the provider as its key. Nil for none.
    private mutating func token(
        _ all: [YAMLMember], _ label: String, _ access: Vendor.Compatible, isElsewhere: Bool
    ) -> String? {
        guard let member = all["api_key"], !member.value.isNull else {
            guard let key = access.key else { return nil }
            guard !isElsewhere else {
                remind(
                    "see whether \(label) wants a key: where no api_key is said, LiteLLM sends \(key), and the proxy none"
                )
                return nil
            }
            return references.assumed(key, because: "the key of \(label), which LiteLLM takes from there by itself")
        }
        guard let text = member.value.text else {
            fates.drop(member, "it is \(member.value.kindName), not a text")
            return nil
        }
        if Self.placeholders.contains(text.lowercased()) {
            fates.change(member, "it stands for no key, so none is sent")
            return nil
        }
        if References.isReference(text) {
            guard let written = written(member, isSecret: true) else { return nil }
            fates.take(member, "token of a provider")
            return written.value
        }
        let name = isElsewhere ? nil : access.key
        fates.change(member, "token of a provider, by reference: the file has the key itself")
        return references.written(text, as: name ?? "\(variable(label))_API_KEY", at: "api_key", .main, member.line)
    }

    /// What people write where a server asks for no key.
    private static let placeholders: Set<String> = [
        "", "none", "null", "empty", "dummy", "fake", "fake-key", "fake_key", "dummy-key", "no-key", "nokey",
        "not-needed",
        "not_needed", "not-required", "n/a", "na", "anything", "unused", "sk-no-key-required", "ollama", "lm-studio",
        "placeholder", "noop",
    ]

    private func variable(_ label: String) -> String {
        let text = String(
            label.uppercased().unicodeScalars.map { scalar in
                ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
            })
        return ("0"..."9").contains(text.first ?? "0") ? "PROVIDER_\(text)" : text
    }

    private mutating func readPending(_ all: [YAMLMember], of endpoint: Int) {
        for member in all {
            guard let pending = PendingSetting.ofProvider[member.key], pending.isSupported, !member.value.isNull else {
                continue
            }
            guard let text = pending.text(member.value) else {
                fates.drop(member, "the proxy's \(pending.setting) cannot be \(member.value.kindName) of this form")
                continue
            }
            if endpoints[endpoint].set(pending.setting, text) {
                fates.change(member, "\(pending.setting) of the provider, for all its models")
            } else {
                fates.drop(member, "\(pending.setting) of the provider has another value already")
            }
        }
    }

    private mutating func add(
        _ name: Name, _ model: String, _ modelMember: YAMLMember, _ upstream: Deployment.Upstream, _ all: [YAMLMember]
    ) {
        let order = all["order"]
        deployments.append(
            Deployment(
                name: name.text, nameMember: name.member, modelMember: modelMember, upstream: upstream, model: model,
                order: order?.value.number ?? .infinity, orderMember: order))
    }
}

extension String {
    /// Where a path component begins behind the host: `/openai` of `https://host/openai/deployments/x`.
    fileprivate func range(ofPath part: String) -> String.Index? {
        var index = startIndex
        while index < endIndex {
            let rest = self[index...]
            if rest.hasPrefix(part) {
                let behind = rest.dropFirst(part.count)
                if behind.isEmpty || behind.hasPrefix("/") { return index }
            }
            index = self.index(after: index)
        }
        return nil
    }
}
