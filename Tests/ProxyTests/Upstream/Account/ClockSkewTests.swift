import Testing

@testable import Proxy

@Suite struct ClockSkewTests {
    private static let noon: Int64 = 2_020_109_500

    @Test(arguments: [(-61, 61), (61, -61), (600, -600), (-60, nil), (60, nil), (0, nil)] as [(Int64, Int64?)])
    func `A difference of more than a minute is skew`(theirs: Int64, skew: Int64?) {
        let date = HTTPDate.format(Self.noon + theirs)
        #expect(ClockSkew(date: date, sent: Self.noon, received: Self.noon)?.seconds == skew)
    }

    @Test func `A slow answer is no skew`() {
        #expect(ClockSkew(date: HTTPDate.format(Self.noon + 5), sent: Self.noon, received: Self.noon + 200) == nil)
        #expect(
            ClockSkew(date: HTTPDate.format(Self.noon + 261), sent: Self.noon, received: Self.noon + 200)?.seconds
                == -61)
    }

    @Test(arguments: [nil, "", "yesterday"])
    func `An answer without a date says nothing`(date: String?) {
        #expect(ClockSkew(date: date, sent: 0, received: 0) == nil)
    }

    @Test func `The hint says by how much and in which direction`() {
        let ahead = ClockSkew(date: HTTPDate.format(Self.noon - 723), sent: Self.noon, received: Self.noon)
        #expect(ahead?.hint.hasPrefix("This machine's clock is 12m3s ahead of OCI's") == true)
        let behind = ClockSkew(date: HTTPDate.format(Self.noon + 90), sent: Self.noon, received: Self.noon)
        #expect(behind?.hint.hasPrefix("This machine's clock is 1m30s behind OCI's") == true)
    }

    @Test func `Warnings come once an hour for each subject`() {
        let warnings = PacedWarnings(interval: .seconds(3600))
        #expect(warnings.isDue("a", at: .zero))
        #expect(warnings.isDue("b", at: .zero))
        #expect(!warnings.isDue("a", at: .seconds(3599)))
        #expect(warnings.isDue("a", at: .seconds(3600)))
        #expect(!warnings.isDue("a", at: .seconds(3601)))
    }
}

@Suite struct PolicyHintTests {
    @Test(arguments: [
        (404, #"{"code":"NotAuthorizedOrNotFound","message":"x"}"#, true),
        (404, #"{"code":"404","message":"Authorization failed or requested resource not found."}"#, true),
        (404, #"{"code":"NotFound","message":"x"}"#, false), (404, "<html>", false), (404, "", false),
        (400, #"{"code":"NotAuthorizedOrNotFound","message":"x"}"#, false),
    ])
    func `Only an answer that may mean a missing right is taken for one`(status: Int, body: String, mayHelp: Bool) {
        #expect(PolicyHint.mayHelp(status: status, body: Array(body.utf8)) == mayHelp)
    }

    @Test(arguments: [
        (AuthKind.apiKey, "allow group <group> to use generative-ai-family in compartment id ocid1.compartment.oc1..c"),
        (.securityToken, "allow group <group> to use generative-ai-family in compartment id ocid1.compartment.oc1..c"),
        (
            .instancePrincipal,
            "allow dynamic-group <dynamic group> to use generative-ai-family in compartment id ocid1.compartment.oc1..c"
        ),
        (
            .resourcePrincipal,
            "allow dynamic-group <dynamic group> to use generative-ai-family in compartment id ocid1.compartment.oc1..c"
        ),
    ])
    func `The statement fits the kind of principal`(kind: AuthKind, statement: String) {
        #expect(PolicyHint.statement(kind, compartment: "ocid1.compartment.oc1..c") == statement)
    }

    @Test func `The root compartment is the tenancy`() {
        #expect(
            PolicyHint.statement(.apiKey, compartment: "ocid1.tenancy.oc1..t")
                == "allow group <group> to use generative-ai-family in tenancy")
        #expect(
            PolicyHint.statement(.okeWorkloadIdentity, compartment: "ocid1.tenancy.oc1..t").contains(
                "request.principal.type = 'workload'"))
    }
}
