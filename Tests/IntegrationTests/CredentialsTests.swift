import Foundation
import OCISimulator
import Testing

/// Every way in which an account can authenticate, whole: the real binary, the services that give out tokens, and signatures that
/// are checked.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CredentialsTests {
    typealias Place = CredentialProxy.Place

    private func identity(_ auth: String, _ place: Place) -> String {
        "auth = \(auth)\nregion = \(place.account.region)\ncompartment = \(place.account.compartment ?? place.account.tenancy)"
    }

    private func instance(_ place: Place) -> (account: String, environment: [String: String]) {
        (
            identity("instance_principal", place),
            [
                "OCI_METADATA_BASE_URL": place.simulator.endpoint + "/opc/v2",
                "OCI_SDK_AUTH_CLIENT_REGION_URL": place.simulator.endpoint,
            ]
        )
    }

    private func session(_ place: Place) throws -> (account: String, environment: [String: String]) {
        let session = try place.session()
        return (
            identity("security_token", place)
                + "\nsecurity_token_file = \(session.tokenFile)\nkey_file = \(session.keyFile)", [:]
        )
    }

    // MARK: Session tokens

    @Test func `A session token serves and a refused one is read anew without the client noticing`() async throws {
        try await CredentialProxy.run(prepare: session) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            #expect(try await proxy.chat(streams: true).text == "You said: Say hello.")
            let first = try #require(proxy.chatSigners.last)
            #expect(first.hasPrefix("ST$ey"))
            // What `oci session refresh` does, after the old token has been revoked.
            place.simulator.revokeTokens()
            let renewed = try place.session().token
            #expect(try await proxy.chat().status == 200)
            #expect(proxy.chatSigners.last == "ST$" + renewed)
            let log = await proxy.process.wholeOutput()
            #expect(!log.contains(renewed) && !log.contains(first.dropFirst(3)))
        }
    }

    @Test func `A session that is renewed in time is taken over while the old token is still valid`() async throws {
        try await CredentialProxy.run(prepare: session) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            let renewed = "ST$" + (try place.session().token)
            while proxy.chatSigners.last != renewed { #expect(try await proxy.chat().status == 200) }
            #expect(!proxy.simulator.requests.contains { $0.status == 401 })
        }
    }

    @Test func `A revoked session is the operator's business`() async throws {
        try await CredentialProxy.run(prepare: session) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            place.simulator.revokeTokens()
            let answer = try await proxy.chat()
            #expect(answer.status == 502)
            #expect(answer.error("code") == "upstream_auth_failed")
        }
    }

    // MARK: Principals

    @Test func `An instance exchanges its certificate for a token and replaces a refused one`() async throws {
        try await CredentialProxy.run(prepare: instance) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            #expect(try await proxy.chat(streams: true).status == 200)
            #expect(place.simulator.tokensIssued == 1)
            let paths = proxy.simulator.requests.filter { $0.kind == .metadata || $0.kind == .token }.map(\.target)
            #expect(
                paths == [
                    "/opc/v2/identity/cert.pem", "/opc/v2/identity/key.pem", "/opc/v2/identity/intermediate.pem",
                    "/v1/x509",
                ])
            place.simulator.revokeTokens()
            #expect(try await proxy.chat().status == 200)
            #expect(place.simulator.tokensIssued == 2)
            #expect(Set(proxy.chatSigners).count == 2)
            let log = await proxy.process.wholeOutput()
            #expect(!log.contains("eyJ") && !log.contains("PRIVATE KEY"))
        }
    }

    @Test func `A token is replaced before it expires`() async throws {
        try await CredentialProxy.run {
            // Half of it is left for a request that a busy machine holds up.
            $0.tokenLifetime = 10
        } prepare: {
            instance($0)
        } _: { (proxy, place) async throws in
            while place.simulator.tokensIssued < 3 { #expect(try await proxy.chat().status == 200) }
            #expect(!proxy.simulator.requests.contains { $0.status == 401 })
        }
    }

    @Test func `An auth service that fails is asked again and the reason is said`() async throws {
        try await CredentialProxy.run(prepare: instance) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            place.simulator.revokeTokens()
            place.simulator.add(Fault(.status(500), kind: .token, times: 1))
            #expect(try await proxy.chat().status == 502)
            try await proxy.process.printed("the auth service returned HTTP 500")
        }
    }

    @Test func `A resource principal reads what its platform has written`() async throws {
        try await CredentialProxy.run { place in
            let session = try place.session()
            return (
                "auth = resource_principal\ncompartment = \(place.account.compartment ?? "")",
                [
                    "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2", "OCI_RESOURCE_PRINCIPAL_RPST": session.tokenFile,
                    "OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM": session.keyFile, "OCI_RESOURCE_PRINCIPAL_REGION": "ORD",
                ]
            )
        } _: { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            place.simulator.revokeTokens()
            let renewed = try place.session().token
            #expect(try await proxy.chat().status == 200)
            #expect(proxy.chatSigners.last == "ST$" + renewed)
        }
    }

    private func workload(_ place: Place) throws -> (account: String, environment: [String: String]) {
        (
            identity("oke_workload_identity", place),
            [
                "OCIAI_OKE_TOKEN_SERVICE": place.simulator.endpoint,
                "OCI_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH": try place.write(
                    "simulated-service-account\n", to: "token"),
            ]
        )
    }

    @Test func `A workload exchanges its service account for a token`() async throws {
        try await CredentialProxy.run(prepare: workload) { (proxy, place) async throws in
            #expect(try await proxy.chat().status == 200)
            place.simulator.revokeTokens()
            #expect(try await proxy.chat(streams: true).status == 200)
            #expect(place.simulator.tokensIssued == 2)
            #expect(await !proxy.process.wholeOutput().contains("simulated-service-account"))
        }
    }

    @Test func `A basic cluster is named as the reason`() async throws {
        try await CredentialProxy.run {
            $0.isEnhancedCluster = false
        } prepare: {
            try workload($0)
        } _: { (proxy, _) async throws in
            let answer = try await proxy.chat()
            #expect(answer.status >= 500)
            #expect(try await proxy.probeError()?.contains("upgrade to an enhanced cluster") == true)
        }
    }

    // MARK: Profiles

    private func profile(_ place: Place, _ lines: String) throws -> (account: String, environment: [String: String]) {
        let session = try place.session()
        _ = try place.write(
            """
            [DEFAULT]
            region = \(place.account.region)
            tenancy = \(place.account.tenancy)
            user = \(place.account.user)
            fingerprint = \(place.account.fingerprint)
            key_file = \(try place.write(try #require(place.account.privateKeyPEM), to: "key.pem"))
            [SESSION]
            security_token_file = \(session.tokenFile)
            key_file = \(session.keyFile)
            [WRONG]
            fingerprint = 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00
            """, to: ".oci/config")
        return (lines, ["HOME": place.directory.path])
    }

    @Test func `A profile serves with its key or its session`() async throws {
        for (lines, isSession) in [("profile = DEFAULT", false), ("profile = SESSION", true)] {
            try await CredentialProxy.run {
                try profile($0, lines)
            } _: { (proxy, place) async throws in
                #expect(try await proxy.chat().status == 200)
                #expect(proxy.chatSigners.last?.hasPrefix("ST$") == isSession)
            }
        }
    }

    @Test func `What does not fit is reported with the profiles file and line`() async throws {
        try await CredentialProxy.check {
            try profile($0, "profile = WRONG")
        } _: { code, output, place in
            #expect(code == 78)
            #expect(output.contains("\(place.directory.path)/.oci/config:11: fingerprint 00:00"), "\(output)")
            #expect(!output.contains("PRIVATE KEY"))
        }
    }

    @Test func `Check names the kind and no secret`() async throws {
        try await CredentialProxy.check(prepare: session) { code, output, place in
            #expect(code == 0)
            #expect(output.contains("auth security_token, token file \(place.directory.path)/session/token"))
            #expect(!output.contains("eyJ"))
        }
        try await CredentialProxy.check(prepare: instance) { code, output, place in
            #expect(code == 0)
            #expect(output.contains("auth instance_principal, metadata service \(place.simulator.endpoint)/opc/v2"))
        }
    }

    @Test func `An expired session is a warning since it can be renewed`() async throws {
        try await CredentialProxy.check {
            $0.simulator.setTokenLifetime(-10)
            return try session($0)
        } _: { code, output, _ in
            #expect(code == 0)
            #expect(output.contains("warning: config.conf:4: the session token in"), "\(output)")
            #expect(output.contains("run 'oci session refresh'"))
        }
    }

    // MARK: Hints

    @Test func `A clock that is off is said in the log and in the probe`() async throws {
        try await CredentialProxy.run {
            $0.now = { Date().timeIntervalSince1970 + 120 }
        } prepare: {
            try session($0)
        } _: { (proxy, _) async throws in
            #expect(try await proxy.chat().status == 200)
            try await proxy.process.printed("This machine's clock is")
            #expect(proxy.process.output.contains("behind OCI's"))
        }
        try await CredentialProxy.run {
            $0.now = { Date().timeIntervalSince1970 - 1000 }
        } prepare: {
            try session($0)
        } _: { (proxy, _) async throws in
            #expect(try await proxy.probeError()?.contains("ahead of OCI's") == true)
        }
    }

    @Test func `A missing policy is spelled out`() async throws {
        try await CredentialProxy.run(prepare: instance) { (proxy, place) async throws in
            place.simulator.add(
                Fault(
                    .status(
                        404,
                        body:
                            #"{"code":"NotAuthorizedOrNotFound","message":"Authorization failed or requested resource not found."}"#
                    ), kind: .models))
            let error = try #require(try await proxy.probeError())
            #expect(
                error.contains(
                    "allow dynamic-group <dynamic group> to use generative-ai-family in compartment id \(place.account.compartment ?? "-")"
                ), "\(error)")
        }
    }
}
