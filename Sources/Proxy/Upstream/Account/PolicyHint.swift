/// The policy that is probably missing when OCI answers 404: a missing right and a missing thing look alike there (OCI wire
/// notes 1.10).
enum PolicyHint {
    /// Whether an answer is of that kind.
    static func mayHelp(status: Int, body: [UInt8]) -> Bool {
        guard status == 404, let root = try? JSONDocument(parsing: body).root else { return false }
        if root["code"]?.equals("NotAuthorizedOrNotFound") == true { return true }
        return root["message"]?.string?.hasPrefix("Authorization failed or requested resource not found") == true
    }

    /// A sentence for the operator.
    static func text(_ kind: AuthKind, compartment: String) -> String {
        "If the region and the compartment are correct, an IAM policy is missing. An administrator can add it: \(statement(kind, compartment: compartment))"
    }

    /// The policy's statement, in Oracle's language for them.
    static func statement(_ kind: AuthKind, compartment: String) -> String {
        let place =
            compartment.lowercased().hasPrefix("ocid1.tenancy.") ? "in tenancy" : "in compartment id \(compartment)"
        let grant = "to use generative-ai-family \(place)"
        return switch kind {
        case .apiKey, .securityToken: "allow group <group> \(grant)"
        case .instancePrincipal, .resourcePrincipal: "allow dynamic-group <dynamic group> \(grant)"
        case .okeWorkloadIdentity:
            "allow any-user \(grant) where all {request.principal.type = 'workload', request.principal.namespace = '<namespace>', "
                + "request.principal.service_account = '<service account>', request.principal.cluster_id = '<cluster OCID>'}"
        case .bearer: "allow any-user \(grant) where all {request.principal.type = 'generativeaiapikey'}"
        }
    }
}
