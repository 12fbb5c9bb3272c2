/// Identities of OCI.
extension LiteLLMImport {
    /// Who an `oci/` model is asked as. Nil, with the reason noted, when it cannot be written.
    mutating func identity(_ all: [YAMLMember]) -> OCIIdentity? {
        guard var identity = all["oci_config_profile"].map({ profile($0, all) }) ?? signer(all) else { return nil }
        if let member = all["api_base"] ?? all["base_url"], let written = written(member) {
            switch written {
            case .reference(let reference):
                identity.endpoint = reference
                fates.take(member, "endpoint of an account")
            case .text(let text):
                if let base = ProviderAddress.normal(text) {
                    identity.endpoint = base
                    fates.take(member, "endpoint of an account")
                } else {
                    fates.drop(
                        member, "it is no address that the proxy takes: http or https, without user, query or fragment")
                }
            }
        }
        if let key = all["api_key"] {
            fates.drop(key, "OCI is asked with a signature, and not with a key of this kind")
        }
        return identity
    }

    private mutating func signer(_ all: [YAMLMember]) -> OCIIdentity? {
        var identity = OCIIdentity(
            user: identifier(all["oci_user"], "OCI_USER", "the OCID of the user"),
            fingerprint: checked(
                all["oci_fingerprint"], "OCI_FINGERPRINT", "the fingerprint of the API key", IdentityText.isFingerprint),
            tenancy: identifier(all["oci_tenancy"], "OCI_TENANCY", "the OCID of the tenancy"),
            region: region(all["oci_region"]) ?? standardRegion(),
            compartment: identifier(all["oci_compartment_id"], "OCI_COMPARTMENT_ID", "the OCID of the compartment"))
        readKey(all, into: &identity)
        return identity
    }

    /// An identity that stands in `~/.oci/config`.
    private mutating func profile(_ member: YAMLMember, _ all: [YAMLMember]) -> OCIIdentity? {
        guard let name = written(member)?.value else { return nil }
        guard IdentityText.isIdentifier(name) || References.isReference(name) else {
            fates.drop(member, "it is no name of a profile")
            return nil
        }
        fates.take(member, "profile of an account, in ~/.oci/config")
        let step =
            "see that the profile \(name) stands in the proxy's ~/.oci/config, or in the file that OCI_CONFIG_FILE names"
        remind(step)
        for key in ["oci_user", "oci_fingerprint", "oci_tenancy", "oci_key", "oci_key_file"] {
            if let member = all[key] { fates.drop(member, "the profile says it") }
        }
        let compartment = all["oci_compartment_id"].map {
            checked($0, "OCI_COMPARTMENT_ID", "the OCID of the compartment", IdentityText.isIdentifier)
        }
        return OCIIdentity(
            user: "", fingerprint: "", tenancy: "", region: region(all["oci_region"]) ?? "",
            compartment: compartment ?? "",
            profile: name)
    }

    private mutating func readKey(_ all: [YAMLMember], into identity: inout OCIIdentity) {
        if let member = all["oci_key_file"], member.value.text?.contains("-----BEGIN") == true {
            // The key itself, in the place of its path.
            identity.keyText = "line \(member.line) (oci_key_file)"
            fates.change(member, "key_file of an account: the file has the key itself in place of its path")
        } else if let member = all["oci_key_file"], let path = written(member)?.value {
            fates.take(member, "key_file of an account")
            identity.keyFile = path
            if let text = all["oci_key"] { fates.drop(text, "oci_key_file says the same") }
        } else if let member = all["oci_key"], !member.value.isNull {
            // The text of the key is a secret of several lines, which belongs into a file.
            if let text = member.value.text, let name = References.name(in: text) {
                identity.keyText = "the variable \(name)"
            } else {
                identity.keyText = "line \(member.line) (oci_key)"
            }
            fates.change(member, "key_file of an account: the proxy reads the key from a file, and not as a text")
        } else {
            identity.keyFile = references.assumed(
                "OCI_KEY_FILE", because: "the path of the private key, of which LiteLLM's file says nothing")
        }
    }

    private mutating func identifier(_ member: YAMLMember?, _ variable: String, _ what: String) -> String {
        checked(member, variable, what, IdentityText.isIdentifier)
    }

    /// What LiteLLM takes where nothing is said.
    private mutating func standardRegion() -> String {
        let step =
            "see that us-ashburn-1, which LiteLLM takes where no oci_region is said, is where the account has its models"
        remind(step)
        return "us-ashburn-1"
    }

    private mutating func region(_ member: YAMLMember?) -> String? {
        guard let member, !member.value.isNull else { return nil }
        return checked(member, "OCI_REGION", "the region", IdentityText.isRegion)
    }

    /// The value where it is one, else a reference that the operator has to fill.
    private mutating func checked(
        _ member: YAMLMember?, _ variable: String, _ what: String, _ isValid: (String) -> Bool
    ) -> String {
        let setting = variable.dropFirst("OCI_".count).lowercased().replacing("_id", with: "")
        guard let member, !member.value.isNull else {
            return references.assumed(variable, because: "\(what), of which LiteLLM's file says nothing")
        }
        guard let written = written(member) else {
            return references.assumed(variable, because: "\(what); what the file has is no text")
        }
        if case .text(let text) = written, !isValid(text) {
            fates.change(member, "\(setting) of an account, by reference: it does not look like \(what)")
            return references.assumed(variable, because: "\(what), which line \(member.line) does not look like")
        }
        fates.take(member, "\(setting) of an account")
        return written.value
    }

    mutating func writeAccounts() {
        var models = [[String]](repeating: [], count: accounts.count)
        for deployment in deployments {
            if case .oci(let account) = deployment.upstream {
                models[account].append(SourceKeys.shown(deployment.name))
            }
        }
        for (index, account) in accounts.enumerated() {
            let identity = account.identity
            let isPlain = !identity.region.isEmpty && !References.isReference(identity.region)
            let id = names.name(isPlain ? identity.region.lowercased() : "oci")
            var entries = [ConfigurationPlan.Entry("id", id)]
            if let profile = identity.profile {
                entries.append(.init("profile", profile))
            } else {
                let file = "oci_key_\(index + 1).pem"
                if let place = identity.keyText {
                    steps.append(
                        "save the private key of \(place) as \(file) beside the configuration, and run chmod 600 on it")
                }
                entries += [
                    .init("user", identity.user), .init("fingerprint", identity.fingerprint),
                    .init("key_file", identity.keyFile ?? file), .init("tenancy", identity.tenancy),
                ]
            }
            if !identity.region.isEmpty { entries.append(.init("region", identity.region)) }
            if !identity.compartment.isEmpty { entries.append(.init("compartment", identity.compartment)) }
            if let endpoint = identity.endpoint { entries.append(.init("endpoint", endpoint)) }
            if let weight = account.weight { entries.append(.init("weight", "\(weight)")) }
            if let limit = account.maxConcurrency { entries.append(.init("max_concurrency", "\(limit)")) }
            plan.accounts.append(
                .init(entries: entries, comment: "For \(Self.few(models[index])), and whatever else the account has."))
        }
    }

    /// Some names for people.
    static func few(_ all: [String]) -> String {
        var seen: Set<String> = []
        let names = all.filter { seen.insert($0).inserted }
        guard names.count > 3 else { return names.joined(separator: ", ") }
        return names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more"
    }
}
