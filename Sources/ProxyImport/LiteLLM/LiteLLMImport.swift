/// LiteLLM's `config.yaml`.
struct LiteLLMImport {
    var fates = KeyFates()
    var references = References()
    var plan = ConfigurationPlan()
    /// What is left to do besides giving variables.
    var steps: [String] = []

    /// Says once what is left to do.
    mutating func remind(_ step: String) {
        if reminders.insert(step).inserted { steps.append(step) }
    }

    private var reminders: Set<String> = []

    /// `environment_variables`.
    var environment: [String: YAMLMember] = [:]
    /// `credential_list`: what stands in an entry, by its name.
    var credentials: [String: [YAMLMember]] = [:]

    var deployments: [Deployment] = []
    var endpoints: [ProviderUse] = []
    var endpointIDs: [ProviderEndpoint: Int] = [:]
    var accounts: [AccountUse] = []
    var accountIDs: [OCIIdentity: Int] = [:]
    /// Prices so far, by names.
    var priceOf: [String: String] = [:]
    /// Of accounts and providers, which must not have the same.
    var names = UniqueNames()
    /// Names of `model_list` that are left out, with the reason.
    var lost: [String: String] = [:]

    /// - Throws: `ImportFailure` when the file is no YAML, or no configuration of LiteLLM.
    static func read(_ bytes: [UInt8]) throws(ImportFailure) -> ImportResult {
        let document = try YAMLReader.read(bytes)
        guard let root = document.root.members else {
            throw ImportFailure(
                line: document.root.line, "the file is \(document.root.kindName), not a mapping",
                document.root.elements == nil
                    ? "name LiteLLM's config.yaml, which begins with model_list:"
                    : "name LiteLLM's config.yaml; a list of regions is one for import oci-gateway")
        }
        guard root.contains(where: { sections.contains($0.key) }) else {
            throw ImportFailure(
                line: document.root.line, "the file has none of \(sections.joined(separator: ", "))",
                "name LiteLLM's config.yaml")
        }
        var reader = LiteLLMImport()
        reader.read(root)
        return reader.result(document.keys)
    }

    private static let sections = ["model_list", "litellm_settings", "router_settings", "general_settings"]

    private mutating func read(_ root: [YAMLMember]) {
        if let variables = root["environment_variables"] { readEnvironment(variables) }
        if let list = root["credential_list"] { readCredentials(list) }
        if let list = root["model_list"] { readModelList(list) }
        writeAccounts()
        let providers = nameProviders()
        writeProviders(providers)
        readSettings(root)
        writeModels(NamedModels(deployments, endpoints: endpoints, providers: providers), root)
        for member in credentials.values.joined() where fates.notes[member.id] == nil {
            fates.drop(member, "no model needs it")
        }
        for member in root {
            switch member.key {
            case "environment_variables", "credential_list", "model_list": break
            case let key where Self.sections.contains(key):
                if member.value.members == nil, !member.value.isNull {
                    fates.drop(member, "it is \(member.value.kindName), not a mapping")
                } else if member.value.members?.isEmpty ?? true {
                    fates.take(member, "it is empty")
                }
            case let key: if let reason = LiteLLMReasons.sections[key] { fates.drop(member, reason) }
            }
        }
    }

    private mutating func result(_ keys: SourceKeys) -> ImportResult {
        plan.preface = [
            "Made by ociai-proxy import litellm. What is different from LiteLLM, and what was left out, stands in the report of that run.",
            "Secrets stand here as ${NAME}: the proxy takes them from its environment.",
            "LiteLLM listens on 0.0.0.0:4000 unless told otherwise; for the same address set host and port in [GLOBAL].",
        ]
        let hasUpstreams = plan.hasUpstreams
        return ImportResult(
            configuration: hasUpstreams ? INIText.text(plan) : nil,
            report: ImportReport(keys, fates, steps: hasUpstreams ? references.steps(program: "LiteLLM") + steps : []))
    }

    // MARK: What stands beside the models

    private mutating func readEnvironment(_ section: YAMLMember) {
        guard let members = section.value.members else {
            return fates.drop(section, "it is \(section.value.kindName), not a mapping")
        }
        for member in members {
            guard member.value.text != nil else {
                fates.drop(member, "it is \(member.value.kindName), and no value of a variable")
                continue
            }
            environment[member.key] = member
            fates.change(
                member,
                "the proxy sets no variables for itself: where one is referred to as a secret, it has to be in its environment"
            )
        }
        references.set = environment
    }

    private mutating func readCredentials(_ section: YAMLMember) {
        guard let entries = section.value.elements else {
            return fates.drop(section, "it is \(section.value.kindName), not a list")
        }
        for entry in entries {
            guard let members = entry.members, let name = members["credential_name"], let text = name.value.text,
                let values = members["credential_values"]
            else { continue }
            credentials[text] = values.value.members ?? []
            fates.take(name, "written out where it is used")
            if let information = members["credential_info"] { fates.drop(information, "it is for people") }
        }
    }

    // MARK: Values

    /// A value as the configuration may write it.
    enum Written {
        case text(String)
        /// `${NAME}`.
        case reference(String)

        var value: String {
            switch self {
            case .text(let text), .reference(let text): text
            }
        }
    }

    /// What a member says. Nil, with the reason noted, when that is no text, or no name of a variable.
    mutating func written(_ member: YAMLMember, isSecret: Bool = false) -> Written? {
        guard let text = member.value.text else {
            if member.value.isNull {
                fates.take(member, "it is empty")
            } else {
                fates.drop(member, "it is \(member.value.kindName), not a text")
            }
            return nil
        }
        guard References.isReference(text) else {
            guard INIText.isValue(text) else {
                fates.drop(member, "it has line breaks, or both kinds of quotes")
                return nil
            }
            return .text(text)
        }
        guard let name = References.name(in: text) else {
            fates.drop(member, "what it refers to is no name of a variable")
            return nil
        }
        if !isSecret, let set = environment[name], let value = set.value.text, !References.isReference(value),
            INIText.isValue(value)
        {
            fates.take(set, "written out where it is referred to")
            return .text(value)
        }
        return .reference(references.environment(name))
    }
}
