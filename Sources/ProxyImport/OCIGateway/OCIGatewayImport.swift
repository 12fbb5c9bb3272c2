/// The OCI GenAI access gateway: its `models.yaml`, and `config.py` or `.env` beside it.
struct OCIGatewayImport {
    private var fates = KeyFates()
    private var references = References()
    private var plan = ConfigurationPlan()
    private var steps: [String] = []
    private var names = UniqueNames()

    /// How the gateway signs, for all its accounts.
    private var credentials = Credentials.profile("DEFAULT")
    /// In place of the region's own endpoint, with `{region}` in it.
    private var template: String?
    private var places: [Place: Int] = [:]
    private var targets: [String: String] = [:]

    private enum Credentials {
        case profile(String)
        case auth(String)
    }

    private struct Place: Hashable {
        let region: String
        let compartment: String
    }

    /// - Throws: `ImportFailure` when a file cannot be read, or is another one.
    static func read(_ file: [UInt8]?, settings: [UInt8]?) throws(ImportFailure) -> ImportResult {
        var keys = SourceKeys()
        var root: YAMLValue?
        if let file {
            let document = try YAMLReader.read(file)
            guard document.root.elements != nil else {
                throw ImportFailure(
                    line: document.root.line, "the file is \(document.root.kindName), not a list of regions",
                    document.root.members?["model_list"] == nil
                        ? "name the gateway's models.yaml" : "this is a file for import litellm")
            }
            (root, keys) = (document.root, document.keys)
        }
        var reader = OCIGatewayImport()
        let members = try settings.map { bytes throws(ImportFailure) in try SettingsFile.read(bytes, &keys) } ?? []
        reader.readSettings(members, isGiven: settings != nil)
        for entry in root?.elements ?? [] { reader.readRegion(entry) }
        return reader.result(keys)
    }

    private mutating func result(_ keys: SourceKeys) -> ImportResult {
        plan.preface = [
            "Made by ociai-proxy import oci-gateway. What is different from the gateway, and what was left out, stands in the report of that run.",
            "Models that the accounts have need not be listed: they are found.",
        ]
        if plan.hasUpstreams, case .profile(let name) = credentials {
            steps.insert(
                "see that the profile \(name) stands in the proxy's ~/.oci/config, or in the file that OCI_CONFIG_FILE names",
                at: 0)
        }
        return ImportResult(
            configuration: plan.hasUpstreams ? INIText.text(plan) : nil,
            report: ImportReport(
                keys, fates, steps: plan.hasUpstreams ? references.steps(program: "the gateway") + steps : []))
    }

    // MARK: Regions

    private mutating func readRegion(_ entry: YAMLValue) {
        guard let members = entry.members else {
            return steps.append("line \(entry.line) of the list is \(entry.kindName), and no region: it was left out")
        }
        guard let region = members["region"], let regionText = region.value.text, IdentityText.isRegion(regionText)
        else {
            return lose(members, "it has no region such as us-chicago-1")
        }
        guard let compartment = members["compartment_id"] else { return lose(members, "it has no compartment_id") }
        let models = members["models"]
        guard hasOCIModels(models) else {
            fates.drop(region, "nothing of this region is asked by the Generative AI service")
            fates.drop(compartment, "nothing of this region is asked by the Generative AI service")
            return readModels(models)
        }
        let isKnown = addAccount(region: regionText.lowercased(), compartment: compartmentText(compartment))
        fates.take(region, isKnown ? "the account that is there already" : "region of an account")
        if let provider = members["provider"] { fates.drop(provider, "the proxy tells the vendor by the model") }
        readModels(models)
    }

    /// A placeholder stands for one that the operator has to give.
    private mutating func compartmentText(_ member: YAMLMember) -> String {
        if let text = member.value.text, IdentityText.isIdentifier(text) {
            fates.take(member, "compartment of an account")
            return text
        }
        fates.change(member, "compartment of an account, by reference: it does not look like an OCID")
        return references.assumed(
            "OCI_COMPARTMENT", because: "the OCID of the compartment, which line \(member.line) does not look like")
    }

    private func hasOCIModels(_ models: YAMLMember?) -> Bool {
        models?.value.members?.contains { $0.key != "datascience" && !($0.value.elements ?? []).isEmpty } ?? true
    }

    /// - Returns: whether it was there already.
    @discardableResult
    private mutating func addAccount(region: String, compartment: String) -> Bool {
        let place = Place(region: region, compartment: compartment)
        guard places[place] == nil else { return true }
        places[place] = plan.accounts.count
        var entries = [ConfigurationPlan.Entry("id", names.name(region))]
        switch credentials {
        case .profile(let name): entries.append(.init("profile", name))
        case .auth(let kind): entries.append(.init("auth", kind))
        }
        entries += [.init("region", region), .init("compartment", compartment)]
        if let template { entries.append(.init("endpoint", template.replacing("{region}", with: region))) }
        plan.accounts.append(.init(entries: entries))
        return false
    }

    private mutating func lose(_ members: [YAMLMember], _ reason: String) {
        for member in members { fates.drop(member, "the entry is left out: \(reason)") }
    }

    // MARK: Models

    private mutating func readModels(_ member: YAMLMember?) {
        guard let member else { return }
        guard let kinds = member.value.members else {
            if !member.value.isNull { fates.drop(member, "it is \(member.value.kindName), not a mapping") }
            return
        }
        for kind in kinds {
            guard let models = kind.value.elements else {
                if kind.value.isNull {
                    fates.take(kind, "it is empty")
                } else {
                    fates.drop(kind, "it is \(kind.value.kindName), not a list")
                }
                continue
            }
            if models.isEmpty {
                fates.take(kind, "it is empty")
                continue
            }
            switch kind.key {
            case "ondemand", "embedding": for model in models { readModel(model, target: "model_id") }
            case "dedicated": for model in models { readModel(model, target: "endpoint") }
            case "datascience":
                fates.drop(
                    kind,
                    "model deployments of OCI Data Science are no models of the Generative AI service, and their address takes signed requests of its own"
                )
            default: fates.drop(kind, "the gateway has ondemand, embedding, dedicated and datascience")
            }
        }
    }

    private mutating func readModel(_ value: YAMLValue, target key: String) {
        guard let members = value.members else { return }
        let name = members["name"]
        let target = members[key] ?? members["model_id"]
        if let target, var text = target.value.text {
            // Older files write an endpoint's OCID as an address.
            if key == "endpoint", text.lowercased().hasPrefix("https://ocid1.") { text.removeFirst("https://".count) }
            readAlias(name, text, target)
        } else if let name {
            fates.drop(name, "it has no \(key)")
        }
        for member in members where fates.notes[member.id] == nil {
            switch member.key {
            case "description": fates.drop(member, "it is for people")
            case "tool_call", "stream_tool_call", "multimodal":
                fates.drop(member, "the proxy knows what its models take, and learns what they refuse")
            case "provider": fates.drop(member, "the proxy tells the vendor by the model")
            case "name": fates.drop(member, "it is \(member.value.kindName)")
            default: break
            }
        }
    }

    private mutating func readAlias(_ name: YAMLMember?, _ target: String, _ member: YAMLMember) {
        guard IdentityText.isModelTarget(target) else {
            fates.drop(member, "it is no id or OCID of a model")
            if let name { fates.drop(name, "it stands for nothing that the proxy could ask for") }
            return
        }
        guard let name, let text = name.value.text else {
            return fates.take(member, "the model is found, and goes by this name, too")
        }
        guard INIText.isKey(text) else {
            fates.drop(name, "a name in [MODELS] has no = and begins with no bracket or sign of a comment")
            return fates.take(member, "the model is found, and goes by this name")
        }
        if let other = targets[text.lowercased()] {
            if other == target {
                fates.take(name, "[MODELS]: the same in several regions, which then share the requests")
                fates.take(member, "[MODELS]")
            } else {
                fates.drop(name, "the name stands for another model already, which comes first")
                fates.take(member, "the model is found, and goes by this name")
            }
            return
        }
        targets[text.lowercased()] = target
        plan.models.append(.init(text, target))
        fates.take(name, "[MODELS]")
        fates.take(member, "[MODELS]: what the name stands for")
    }

    // MARK: Settings

    private mutating func readSettings(_ members: [YAMLMember], isGiven: Bool) {
        var region: YAMLMember?
        var compartment: YAMLMember?
        var profile: YAMLMember?
        for member in members {
            let text = member.value.text ?? ""
            switch member.key {
            case "AUTH_TYPE": readAuth(member, text)
            case "OCI_CONFIG_FILE_KEY": profile = member
            case "OCI_CONFIG_FILE":
                if ["", "~/.oci/config"].contains(text) {
                    fates.take(member, "where profiles are looked for, too")
                } else {
                    fates.change(member, "OCI_CONFIG_FILE has to be in the proxy's environment")
                    steps.append("give the proxy OCI_CONFIG_FILE as in line \(member.line) of the settings")
                }
            case "INFERENCE_ENDPOINT_TEMPLATE": readTemplate(member, text)
            case "DEFAULT_API_KEYS": readKeys(member, text)
            case "PORT": readPort(member)
            case "DEBUG":
                let isOn = ["true", "1", "yes"].contains(text.lowercased())
                if isOn { plan.setGlobal("log_level", "debug") }
                fates.change(member, "log_level = \(isOn ? "debug" : "info"), which shows no prompts and answers")
            case "API_ROUTE_PREFIX":
                if text == "/v1" {
                    fates.take(member, "the proxy serves at /v1, too")
                } else {
                    fates.drop(member, "the proxy serves at /v1: change the address in the clients")
                }
            case "OCI_REGION", "REGION": region = member
            case "OCI_COMPARTMENT": compartment = member
            case "RELOAD": fates.drop(member, "SIGHUP and POST /v1/reload read the file again")
            case "EMBED_TRUNCATE": fates.drop(member, "the proxy has no setting for it")
            case "TITLE", "SUMMARY", "VERSION", "DESCRIPTION": fates.drop(member, "it is for people")
            default: break
            }
        }
        if let profile { readProfile(profile) }
        readEasyMode(region, compartment)
        if !isGiven {
            steps.append(
                "see whether the gateway's config.py or environment had other keys, another profile or AUTH_TYPE: -settings reads them"
            )
        }
    }

    private mutating func readAuth(_ member: YAMLMember, _ text: String) {
        switch text.uppercased() {
        case "API_KEY", "": fates.take(member, "a profile of ~/.oci/config")
        case "INSTANCE_PRINCIPAL", "RESOURCE_PRINCIPAL":
            credentials = .auth(text.lowercased())
            fates.take(member, "auth = \(text.lowercased())")
        default: fates.drop(member, "the proxy has no auth of this kind; the profile DEFAULT is written in its place")
        }
    }

    private mutating func readProfile(_ member: YAMLMember) {
        guard case .profile = credentials else { return fates.drop(member, "AUTH_TYPE needs no profile") }
        guard let name = member.value.text, IdentityText.isIdentifier(name) else {
            return fates.drop(member, "it is no name of a profile; DEFAULT is written in its place")
        }
        credentials = .profile(name)
        fates.take(member, "profile of the accounts")
    }

    private mutating func readTemplate(_ member: YAMLMember, _ text: String) {
        let version = "/20231130"
        var base = text
        if base.hasSuffix(version) { base.removeLast(version.count) }
        guard base != "https://inference.generativeai.{region}.oci.oraclecloud.com" else {
            return fates.take(member, "the endpoint of a region, as without it")
        }
        guard ProviderAddress.normal(base.replacing("{region}", with: "us-chicago-1")) != nil else {
            return fates.drop(member, "it is no address that the proxy takes")
        }
        template = base
        fates.take(member, "endpoint of the accounts")
    }

    private mutating func readKeys(_ member: YAMLMember, _ text: String) {
        let keys = text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
        guard !keys.isEmpty else { return fates.take(member, "it is empty, so the proxy makes a key") }
        let written = keys.map {
            references.written($0, as: "DEFAULT_API_KEYS", at: "DEFAULT_API_KEYS", .settings, member.line)
        }
        plan.clientKeys = .init("api_key", written.joined(separator: ", "), "What clients send.")
        fates.change(member, "api_key, by reference: the settings have the keys themselves")
        if keys.contains(where: { $0.utf8.count < 16 }) {
            steps.append(
                "choose a longer key in place of the one in line \(member.line) of the settings: the proxy refuses keys of fewer than 16 characters when it listens to the network"
            )
        }
    }

    private mutating func readPort(_ member: YAMLMember) {
        guard let port = member.value.integer, (0...65535).contains(port) else {
            return fates.drop(member, "a port is a number from 0 to 65535")
        }
        plan.setGlobal("port", "\(port)")
        fates.take(member, "port; the address is 127.0.0.1 unless host says otherwise")
    }

    /// A region and a compartment in the settings: the gateway then looked at no models.yaml.
    private mutating func readEasyMode(_ region: YAMLMember?, _ compartment: YAMLMember?) {
        let regionText = region?.value.text ?? ""
        let compartmentText = compartment?.value.text ?? ""
        guard !regionText.isEmpty, !compartmentText.isEmpty else {
            for member in [region, compartment].compactMap(\.self) {
                fates.drop(member, "the gateway takes OCI_REGION and OCI_COMPARTMENT together")
            }
            return
        }
        guard IdentityText.isRegion(regionText), IdentityText.isIdentifier(compartmentText) else {
            for member in [region, compartment].compactMap(\.self) {
                fates.drop(member, "they do not look like a region and an OCID")
            }
            return
        }
        addAccount(region: regionText.lowercased(), compartment: compartmentText)
        if let region {
            fates.change(
                region, "region of an account; the gateway looked at no models.yaml beside it, and the proxy has both")
        }
        if let compartment { fates.take(compartment, "compartment of an account") }
    }
}
