import Foundation
import OCISimulator
import Testing

/// Accounts that show a Generative AI API key instead of a signature.
@Suite struct BearerTests {
    /// The proxy in front of accounts of which the first `bearers` show a key.
    private func run(
        accounts count: Int = 1, bearers: Int = 1, settings: String = "", listsModels: Bool = true,
        _ body: (RunningProxy) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration(accounts: try SimulatedAccount.generate(count))
        for index in 0..<bearers { configuration.accounts[index] = try configuration.accounts[index].withOwnAPIKey() }
        configuration.listsOpenAIModels = listsModels
        let started: (RunningProxy) async throws -> Void = { proxy in
            try await proxy.logged("Healthy accounts: \(count)/\(count)")
            try await body(proxy)
        }
        try await RunningProxy.launch(configuration, started) { simulator, directory in
            let sections = try simulator.accounts.enumerated().map { index, account in
                let identity: String
                if index < bearers {
                    identity =
                        "auth = bearer\nbearer_key = \(try #require(account.apiKeys.first))\ncompartment = \(account.tenancy)"
                } else {
                    let file = "\(account.id).pem"
                    try RunningProxy.writeKey(#require(account.privateKeyPEM), to: directory.appending(path: file))
                    identity =
                        "user = \(account.user)\nfingerprint = \(account.fingerprint)\ntenancy = \(account.tenancy)\nkey_file = \(file)"
                }
                return
                    "[ACCOUNT_\(index + 1)]\nid = \(account.id)\nregion = \(account.region)\nendpoint = \(simulator.endpoint(of: account.id))\n\(identity)\n"
            }
            let config = directory.appending(path: "multi_config.conf")
            try
                "api_key = \(RunningProxy.key)\nport = 0\n\(settings)\n\(sections.joined(separator: "\n"))\n\(RunningProxy.models)\n"
                .write(to: config, atomically: true, encoding: .utf8)
            return config
        }
    }

    private func isOnOpenAIPath(_ record: RequestRecord) -> Bool {
        record.target.hasPrefix("/openai/v1/chat/completions")
    }

    @Test(arguments: ["grok-4", "llama-3.3-70b", "gpt-oss-120b"], [false, true])
    func `Chats are answered`(model: String, streams: Bool) async throws {
        try await run { proxy in
            let body = RunningProxy.body(
                "Tell me of harbours.", model: model, streams: streams,
                #","stream_options":{"include_usage":true},"store":false,"thinking":{"type":"disabled"},"top_k":3,"max_tokens":500"#
            )
            let answer = try await proxy.chat(body)
            #expect(answer.status == 200, "\(answer.body)")
            if streams {
                #expect(answer.events.last == "[DONE]" && answer.text.contains("harbours"))
                let chunks = try answer.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
                #expect(chunks.allSatisfy { $0["model"]?.string == model })
                #expect(chunks.last?["usage"]?["total_tokens"]?.integer ?? 0 > 0)
            } else {
                #expect(answer.json?["model"] as? String == model && answer.body.contains("harbours"))
            }
            let chats = proxy.chats
            #expect(chats.count == 1 && chats.allSatisfy(isOnOpenAIPath), "\(chats.map(\.target))")
            let line = try await proxy.accessLine(of: answer)
            #expect(line.contains("tokens.in=") && !line.contains("tokens.in=0"), "\(line)")
        }
    }

    @Test(arguments: ["grok-4", "gpt-oss-120b"])
    func `An answer in one piece is told as a stream when the configuration says so`(model: String) async throws {
        try await run(settings: "force_non_stream = true") { proxy in
            let answer = try await proxy.chat(
                RunningProxy.body(
                    "Tell me of harbours.", model: model, streams: true, #","stream_options":{"include_usage":true}"#))
            #expect(
                answer.status == 200 && answer.text.contains("harbours") && answer.events.last == "[DONE]",
                "\(answer.body)")
            let chunks = try answer.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
            #expect(
                chunks.allSatisfy { $0["model"]?.string == model && $0["object"]?.string == "chat.completion.chunk" })
            #expect(chunks.last?["usage"]?["total_tokens"]?.integer ?? 0 > 0)
            let chats = proxy.chats
            #expect(
                chats.count == 1 && chats.allSatisfy { isOnOpenAIPath($0) && !$0.isStream }, "\(chats.map(\.target))")
            let body = String(decoding: try #require(chats.first).body, as: UTF8.self)
            #expect(body.contains(#""stream":false"#) && !body.contains("stream_options"), "\(body)")
        }
    }

    /// It comes through as it was, only in the form that was asked for, from one call.
    @Test(arguments: ["grok-4", "gpt-oss-120b"], [false, true])
    func `An answer of the other kind is turned round`(model: String, streams: Bool) async throws {
        try await run { proxy in
            proxy.simulator.add(Fault(.otherKind, kind: .chat, times: nil))
            let answer = try await proxy.chat(
                RunningProxy.body(
                    "Tell me of harbours.", model: model, streams: streams, #","stream_options":{"include_usage":true}"#
                ))
            #expect(answer.status == 200 && answer.body.contains("harbours"), "\(answer.body)")
            if streams {
                let chunks = try answer.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
                #expect(
                    answer.events.last == "[DONE]" && answer.text.contains("harbours")
                        && chunks.allSatisfy { $0["model"]?.string == model })
                #expect(chunks.last?["usage"]?["total_tokens"]?.integer ?? 0 > 0)
            } else {
                let document = try JSONParser.parse(Array(answer.body.utf8))
                #expect(document["model"]?.string == model && document["object"]?.string == "chat.completion")
                #expect(document["choices"]?.array?.first?["message"]?["content"]?.string?.contains("harbours") == true)
            }
            #expect(proxy.chats.count == 1)
            let line = try await proxy.accessLine(of: answer)
            #expect(line.contains("status=200"), "\(line)")
        }
    }

    @Test(arguments: [false, true])
    func `What one account cannot answer the other does in its own form`(streams: Bool) async throws {
        try await run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(.status(500), account: "account_1", kind: .chat, times: nil))
            let answers = [
                try await proxy.chat(RunningProxy.body(streams: streams)),
                try await proxy.chat(RunningProxy.body(streams: streams)),
            ]
            #expect(answers.allSatisfy { $0.status == 200 }, "\(answers.map(\.body))")
            let asked = Dictionary(grouping: proxy.chats, by: { $0.account ?? "" }).mapValues { $0.map(isOnOpenAIPath) }
            #expect(
                asked["account_2"] == [false, false] && asked["account_1"]?.allSatisfy { $0 } == true
                    && asked["account_1"]?.isEmpty == false, "\(asked)")
        }
    }

    @Test func `What only signed calls can do goes to an account that signs`() async throws {
        try await run(accounts: 2) { proxy in
            for _ in 0..<3 {
                let answer = try await proxy.chat(RunningProxy.body(model: "command-a"))
                #expect(answer.status == 200, "\(answer.body)")
            }
            #expect(proxy.accountsAsked == ["account_2", "account_2", "account_2"])
        }
    }

    @Test func `Alone it says what it cannot do`() async throws {
        try await run { proxy in
            let answer = try await proxy.chat(RunningProxy.body(model: "command-a"))
            #expect(answer.status == 404 && answer.error("code") == "model_not_found", "\(answer.body)")
            #expect(answer.error("message")?.contains("auth = bearer") == true)
            #expect(proxy.chats.isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `Its models are known`(listsModels: Bool) async throws {
        try await run(listsModels: listsModels) { proxy in
            let answer = try await proxy.get("/v1/models", "Authorization: Bearer \(proxy.key)")
            let names =
                try JSONParser.parse(Array(answer.body.utf8))["data"]?.array?.compactMap { $0["id"]?.string } ?? []
            // The last one is in no configuration.
            #expect(names.contains("llama-3.3-70b") && names.contains("grok-4.3"), "\(names)")
            #expect(!names.contains("command-a"), "\(names)")
            let test = try await proxy.get("/test-oci", "Authorization: Bearer \(proxy.key)")
            #expect(test.status == 200, "\(test.body)")
        }
    }

    /// What the list says of a key is not the last word.
    @Test func `A list that refuses the key stops no chat`() async throws {
        try await run(settings: "health_check_interval = 50ms") { proxy in
            proxy.simulator.add(Fault(.status(401), kind: .models, times: nil))
            let last = proxy.simulator.requests.last?.id ?? 0
            try await eventually("three checks") {
                proxy.simulator.requests.count { $0.id > last && $0.kind == .models && $0.ended != nil } >= 3
            }
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 200, "\(answer.body)")
            let test = try await proxy.get("/test-oci", "Authorization: Bearer \(proxy.key)")
            #expect(test.status == 503 && test.body.contains("401"), "\(test.body)")
        }
    }

    @Test func `A key that is revoked is said`() async throws {
        try await run { proxy in
            try proxy.simulator.setAPIKeys([], of: "account_1")
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 502 && answer.error("code") == "upstream_auth_failed", "\(answer.body)")
        }
    }

    @Test func `A parameter that is refused by name is left out`() async throws {
        try await run { proxy in
            proxy.simulator.add(
                Fault(
                    .status(
                        400,
                        body:
                            #"{"code":"400","message":"Unsupported parameter: 'seed' is not supported with this model."}"#
                    ), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body("hi", model: "gpt-oss-120b", #","seed":1"#))
            #expect(answer.status == 200, "\(answer.body)")
            let bodies = proxy.chats.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies.map { $0.contains("seed") } == [true, false])
        }
    }
}
