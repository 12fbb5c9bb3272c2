import Foundation
import OCISimulator
import Testing

/// Recognisable secrets in every place that can hold one, every way to fail, and a search through all that comes out.
///
/// `ProcessTests.secretsPromptsAndAnswersAreLoggedAtNoLevel` does so for what is said; this is about what the operator keeps.
@Suite(.timeLimit(.minutes(5))) struct CanaryTests {
    private static let client = "canary-client-key-4711", second = "canary-second-key-4712"
    private static let passPhrase = "canary-pass-phrase-4713", bearer = "canary-bearer-key-4714",
        provider = "canary-provider-token-4715"
    private static let proxyPassword = "canary-proxy-password-4716", prompt = "canary-prompt-4717",
        answer = "canary-answer-4718"

    /// What must be found nowhere, and what it is.
    private struct Canaries {
        var secrets: [(name: String, text: String)] = [
            ("client key", client), ("second key", second), ("pass phrase", passPhrase), ("bearer key", bearer),
            ("provider token", provider),
            ("proxy password", proxyPassword),
            ("proxy authorization", Data("me:\(proxyPassword)".utf8).base64EncodedString()),
        ]

        /// The first line of the key's data, by which the others would come along.
        mutating func add(pem: String, _ name: String) {
            let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") && $0.count > 40 }
            secrets += lines.prefix(2).map { (name, String($0)) }
        }

        func expectNone(in text: String, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
            for (name, secret) in secrets where text.contains(secret) {
                let around = text.firstRange(of: secret).map { range in
                    text[
                        (text.index(range.lowerBound, offsetBy: -150, limitedBy: text.startIndex) ?? text.startIndex)..<range
                            .upperBound]
                }
                Issue.record("the \(name) is in \(place): …\(around ?? "")", sourceLocation: sourceLocation)
            }
        }
    }

    /// A proxy over one upstream of each kind of secret: an encrypted key, a session, a bearer key, a provider's token.
    private func run(_ body: (CredentialProxy, CredentialProxy.Place, Canaries, URL) async throws -> Void) async throws
    {
        var configuration = SimulatorConfiguration(accounts: try SimulatedAccount.generate(3))
        configuration.accounts[2] = try configuration.accounts[2].with(apiKeys: [Self.bearer, Self.provider])
        configuration.pacing = Pacing(events: 3, text: Self.answer + " ")
        let simulator = try await OCISimulator.start(configuration)
        let directory = try TemporaryDirectory.make()
        defer { try? FileManager.default.removeItem(at: directory) }
        do {
            let place = CredentialProxy.Place(simulator: simulator, directory: directory)
            var canaries = Canaries()
            let accounts = simulator.accounts
            let plain = try place.write(try #require(accounts[0].privateKeyPEM), to: "plain.pem")
            canaries.add(pem: try #require(accounts[0].privateKeyPEM), "private key")
            let encrypted = directory.appending(path: "encrypted.pem").path
            let openssl = try Program(
                "/usr/bin/openssl",
                [
                    "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", plain, "-out", encrypted, "-passout",
                    "pass:\(Self.passPhrase)",
                ])
            try #require(await openssl.exitCode() == 0, "\(openssl.output)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: encrypted)
            let sessionKey = try RSAPrivateKeyPEM.pooled(count: 4)[3]
            let token = try simulator.sessionToken(for: accounts[1], key: sessionKey)
            canaries.add(pem: sessionKey, "session key")
            canaries.secrets += [
                ("session token", token),
                ("session token's signature", String(token.split(separator: ".").last ?? "-")),
            ]
            func common(_ index: Int) -> String {
                "[ACCOUNT_\(index + 1)]\nid = account_\(index + 1)\nregion = \(accounts[index].region)\nendpoint = \(simulator.endpoint)\ncompartment = \(accounts[index].tenancy)"
            }
            let config = try place.write(
                """
                api_key = \(Self.client)
                [GLOBAL]
                port = 0
                log_level = trace
                health_check_interval = 1h
                retry_attempts = 0
                [CIRCUIT_BREAKER]
                max_failures = 1000
                failure_rate = 1
                min_requests = 1000
                [API_KEYS]
                second = \(Self.second)
                \(common(0))
                user = \(accounts[0].user)
                fingerprint = \(accounts[0].fingerprint)
                tenancy = \(accounts[0].tenancy)
                key_file = encrypted.pem
                pass_phrase = \(Self.passPhrase)
                \(common(1))
                auth = security_token
                security_token_file = \(try place.write(token + "\n", to: "session/token"))
                key_file = \(try place.write(sessionKey, to: "session/key.pem"))
                \(common(2))
                auth = bearer
                bearer_key = \(Self.bearer)
                [PROVIDER_1]
                provider = acme
                baseurl = \(simulator.endpoint)/openai/v1
                token = \(Self.provider)
                model_list = xai.grok-4
                [PROVIDER_2]
                provider = far
                baseurl = https://upstream.invalid/v1
                token = \(Self.provider)
                model_list = some-model
                [MODELS]
                grok-4 = xai.grok-4
                """, to: "multi_config.conf")
            let process = try Program(
                "ociai-proxy", ["-config", config],
                environment: ["HTTPS_PROXY": "http://me:\(Self.proxyPassword)@127.0.0.1:9", "NO_PROXY": ""])
            try await process.serve {
                let proxy = CredentialProxy(simulator: simulator, port: try await process.port(), process: process)
                try await process.printed("Healthy accounts: ")
                try await body(proxy, place, canaries, directory)
            }
        } catch {
            try? await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    private func send(
        _ method: String, _ path: String, _ body: String = "", key: String = client, to proxy: CredentialProxy
    ) async throws -> RawAnswer {
        let connection = try await RawConnection.open(port: proxy.port)
        defer { connection.close() }
        connection.send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return try await connection.answer()
    }

    /// Everything that can be said about a running proxy.
    private func pages(of proxy: CredentialProxy) async throws -> String {
        var text = ""
        for page in [
            "/", "/health", "/metrics", "/stats/accounts", "/stats/concurrency", "/stats/circuit-breaker",
            "/stats/queue", "/test-oci", "/v1/models",
        ] {
            let answer = try await send("GET", page, to: proxy)
            text += "\(page): \(answer.headers)\n\(answer.body)\n"
        }
        return text
    }

    @Test func `No secret comes out whatever an upstream answers`() async throws {
        try await run { proxy, _, canaries, _ in
            // An upstream knows only what it has been sent; it may say all of that.
            let token = try #require(canaries.secrets.first { $0.name == "session token" }).text
            let shown = [
                "account_1": #"Signature version=\"1\""#, "account_2": #"Signature keyId=\"ST$\#(token)\""#,
                "account_3": "Bearer \(Self.bearer)",
                "acme": "Bearer \(Self.provider), x-api-key: \(Self.provider)",
            ]
            func bodies(of upstream: String) -> [String] {
                let echo = "Bad header authorization: \(shown[upstream] ?? "") in \(Self.prompt)"
                return [
                    #"{"code":"InvalidParameter","message":"\#(echo)"}"#,
                    #"{"error":{"message":"\#(echo)","code":"invalid_request","type":"t"}}"#, echo,
                    "<html>\(echo)</html>",
                ]
            }
            var failures: [(String) -> Fault.Action] = [
                .reset, .close, .empty, .cut(afterEvents: 1), .brokenEvent(afterEvents: 1), .errorEvent(afterEvents: 1),
                .silentEnd(afterEvents: 1),
            ].map { action in { _ in action } }
            for status in [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503] {
                for form in 0..<4 { failures.append { .status(status, retryAfter: 0, body: bodies(of: $0)[form]) } }
            }
            var said = ""
            func ask(_ model: String) async throws {
                for streams in [false, true] {
                    let answer = try await send(
                        "POST", "/v1/chat/completions", RunningProxy.body(Self.prompt, model: model, streams: streams),
                        to: proxy)
                    said += "\(answer.headers)\n\(answer.body)\n"
                }
            }
            for model in ["grok-4", "acme/xai.grok-4", "far/some-model"] { try await ask(model) }
            for failure in failures {
                for account in ["account_1", "account_2", "account_3"] {
                    proxy.simulator.add(Fault(failure(account), account: account, kind: .chat, times: nil))
                }
                for _ in 0..<3 { try await ask("grok-4") }
                proxy.simulator.removeFaults()
                proxy.simulator.add(Fault(failure("acme"), kind: .chat, times: nil))
                try await ask("acme/xai.grok-4")
                proxy.simulator.removeFaults()
            }
            canaries.expectNone(in: said, "an answer")
            var quiet = canaries
            quiet.secrets += [("prompt", Self.prompt), ("answer", Self.answer)]
            quiet.expectNone(in: try await pages(of: proxy), "a page")
            quiet.expectNone(in: await proxy.process.wholeOutput(), "the log")
            #expect(said.contains(Self.answer), "some of them were answered")
            #expect(proxy.process.output.contains("key=default"))
        }
    }

    @Test func `No secret comes out of wrong keys and broken requests`() async throws {
        try await run { proxy, _, canaries, _ in
            var quiet = canaries
            quiet.secrets += [("wrong key", "canary-wrong-key"), ("prompt", Self.prompt)]
            var said = ""
            for path in ["/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "/admin/models/refresh", "/v1/reload"]
            {
                said += try await send("POST", path, "{\"\(Self.prompt)", key: "canary-wrong-key", to: proxy).body
                said += try await send("POST", path, key: Self.second + "x", to: proxy).body.replacing(
                    Self.second + "x", with: "(its own)")
            }
            for body in [
                "{\"model\": \"\(Self.prompt)", "[\(Self.prompt)]", #"{"model":"grok-4","messages":"\#(Self.prompt)"}"#,
                #"{"model":"grok-4","messages":[{"role":"\#(Self.prompt)"}]}"#,
            ] {
                _ = try await send("POST", "/v1/chat/completions", body, to: proxy)
            }
            said += try await send("GET", "/health?api_key=\(Self.client)", key: Self.client, to: proxy).body
            quiet.expectNone(in: said, "an answer")
            quiet.expectNone(in: try await pages(of: proxy), "a page")
            quiet.expectNone(in: await proxy.process.wholeOutput(), "the log")
        }
    }

    @Test func `No secret comes out of a reload that fails`() async throws {
        try await run { proxy, place, canaries, directory in
            let file = directory.appending(path: "multi_config.conf")
            let good = try String(contentsOf: file, encoding: .utf8)
            var said = ""
            for spoiled in Self.spoiled(good) {
                try spoiled.write(to: file, atomically: true, encoding: .utf8)
                said += try await send("POST", "/v1/reload", to: proxy).body
                try good.write(to: file, atomically: true, encoding: .utf8)
                said += try await send("POST", "/v1/reload", to: proxy).body
            }
            _ = try place.write("garbage", to: "encrypted.pem")
            said += try await send("POST", "/v1/reload", to: proxy).body
            #expect(said.contains("invalid_configuration"))
            canaries.expectNone(in: said, "an answer to a reload")
            canaries.expectNone(in: try await pages(of: proxy), "a page")
            canaries.expectNone(in: await proxy.process.wholeOutput(), "the log")
        }
    }

    @Test func `No secret comes out of a check or a start that fails`() async throws {
        try await run { _, place, canaries, directory in
            let good = try String(contentsOf: directory.appending(path: "multi_config.conf"), encoding: .utf8)
            let json = #"""
                {"providers": [{"provider": "acme", "baseurl": "https://a.example/v1", "token": "\#(Self.provider)"}, "b|https://b.example|\#(Self.provider)"],
                 "tokens": ["alice|\#(Self.client)", "bob|\#(Self.second)"], "port": 0}
                """#
            var texts = Self.spoiled(good) + [json]
            for (old, new) in [
                ("\"token\": \"\(Self.provider)\"", "\"token\": \(Self.provider)"),
                ("\"\(Self.provider)\"}", "\"\(Self.provider)}"), ("alice|", ""), ("b|https", "https"),
                ("\"b|https://b.example|\(Self.provider)\"", "\"b||\(Self.provider)\""), ("\"tokens\"", "tokens"),
                ("\"https://a.example/v1\"", "\"https://me:\(Self.provider)@a.example/v1\""),
                ("\"https://a.example/v1\"", "\"\(Self.provider)\""), ("\"tokens\": [", "\"tokens\": "),
                ("\"alice|\(Self.client)\"", "\"alice|\(Self.client) \""),
            ] {
                #expect(json.contains(old), "\(old)")
                texts.append(json.replacing(old, with: new))
            }
            for (number, text) in texts.enumerated() {
                _ = try place.write(text, to: "spoiled-\(number).conf")
                let process = try Program(
                    "ociai-proxy", ["-config", "spoiled-\(number).conf", "-check"], in: directory)
                _ = await process.exitCode()
                canaries.expectNone(in: process.output, "what -check says of:\n\(text.prefix(3000))")
            }
            for address in [
                "ftp://me:\(Self.proxyPassword)@127.0.0.1:9", "http://me:\(Self.proxyPassword)@",
                "me:\(Self.proxyPassword)", "https://me:\(Self.proxyPassword)@127.0.0.1:x",
            ] {
                _ = try place.write(good, to: "good.conf")
                for check in [["-check"], []] {
                    let process = try Program(
                        "ociai-proxy", ["-config", "good.conf"] + check, in: directory,
                        environment: ["HTTPS_PROXY": address])
                    #expect(await process.exitCode() == 78, "\(address): \(process.output)")
                    canaries.expectNone(in: process.output, "what is said of HTTPS_PROXY")
                }
            }
        }
    }

    /// The file with one thing wrong each, most of them next to a secret.
    private static func spoiled(_ good: String) -> [String] {
        let changes = [
            ("api_key = ", "api_key "), ("api_key = \(client)", "api_key = \(client) with blanks"),
            ("api_key = \(client)", "api_key = \(client), \(client)"),
            ("api_key = \(client)", "api_key = \"\(client)"),
            ("pass_phrase = \(passPhrase)", "pass_phrase \(passPhrase)"),
            ("pass_phrase = \(passPhrase)", "pass_phrase = \(passPhrase)x"),
            ("pass_phrase = \(passPhrase)", "pass_phrase = \"\(passPhrase)"),
            ("pass_phrase = \(passPhrase)", "passphrase = \(passPhrase)"),
            ("pass_phrase = \(passPhrase)", "pass_phrase = \(passPhrase)\npass_phrase = other"),
            ("bearer_key = \(bearer)", "bearer_key = \(bearer) \u{1}"),
            ("bearer_key = \(bearer)", "bearer_key: \(bearer)"), ("auth = bearer", "auth = bearr"),
            ("bearer_key = \(bearer)", "token = \(bearer)"), ("token = \(provider)", "token = \(provider)\u{7f}"),
            ("token = \(provider)", "api_key = \(provider)"),
            ("token = \(provider)", "token \(provider)"),
            ("baseurl = https://upstream.invalid/v1", "baseurl = https://\(provider)@upstream.invalid/v1"),
            ("baseurl = https://upstream.invalid/v1", "baseurl = \(provider)"),
            ("second = \(second)", "second \(second)"), ("second = \(second)", "second = \(client)"),
            ("port = 0", "port = many"), ("key_file = encrypted.pem", "key_file = nowhere.pem"),
            ("key_file = encrypted.pem", "key_file = session/token"),
            ("security_token_file = ", "security_token_file = /nowhere"), ("[API_KEYS]", "[API_KEYS"),
        ]
        return changes.map { good.replacing($0.0, with: $0.1) }
    }
}
