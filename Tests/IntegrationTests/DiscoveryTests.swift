import Foundation
import OCISimulator
import Testing

/// Models that no configuration names.
@Suite struct DiscoveryTests {
    /// The list, by name.
    private func models(_ proxy: RunningProxy) async throws -> [String: JSON] {
        let answer = try await proxy.get("/v1/models", "Authorization: Bearer \(proxy.key)")
        try #require(answer.status == 200, "\(answer.body)")
        let entries = try JSONParser.parse(Array(answer.body.utf8))["data"]?.array ?? []
        return Dictionary(
            entries.compactMap { entry in entry["id"]?.string.map { ($0, entry) } }, uniquingKeysWith: { one, _ in one }
        )
    }

    private func refresh(_ proxy: RunningProxy) async throws -> JSON {
        let answer = try await proxy.send(
            "POST /admin/models/refresh HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(proxy.key)\r\nContent-Length: 0\r\n\r\n"
        )
        try #require(answer.status == 200, "\(answer.body)")
        return try JSONParser.parse(Array(answer.body.utf8))
    }

    @Test func `The list names what the accounts have`() async throws {
        try await RunningProxy.run(accounts: 2, regions: ["us-chicago-1", "eu-frankfurt-1"]) { proxy in
            let models = try await models(proxy)
            let grok = try #require(models["grok-3"], "\(models.keys.sorted())")
            #expect(
                grok["oci_model_id"]?.string == "xai.grok-3" && grok["owned_by"]?.string == "xai"
                    && grok["object"]?.string == "model")
            #expect(grok["accounts"]?.array?.compactMap(\.string) == ["account_1"])
            #expect(grok["created"]?.integer == 1_747_785_600)
            #expect(models["gemini-2.5-pro"]?["accounts"]?.array?.compactMap(\.string) == ["account_1", "account_2"])
            // The custom alias of another name stands beside it.
            #expect(models["command-a"] != nil && models["command-a-03-2025"] != nil)
            // Each says what it is for, and how much it takes.
            for (name, purpose) in [("embed-v4.0", "embeddings"), ("rerank.v3-5", "rerank"), ("grok-3", "chat")] {
                #expect(models[name]?["capabilities"]?.array?.compactMap(\.string) == [purpose])
            }
            #expect(grok["context_length"]?.integer == 131_072 && grok["max_output_tokens"]?.integer == 131_072)
            for hidden in ["cohere.embed-v4.0", "my-support-bot", "llama-9-8b", "command-r-plus"] {
                #expect(models[hidden] == nil, "\(hidden)")
            }
        }
    }

    @Test func `A discovered name is served by who has it`() async throws {
        try await RunningProxy.run(accounts: 2, regions: ["us-chicago-1", "eu-frankfurt-1"]) { proxy in
            try await eventually("the model") { try await models(proxy)["grok-3"] != nil }
            let last = proxy.simulator.requests.last?.id ?? 0
            for _ in 0..<4 { #expect(try await proxy.chat(RunningProxy.body(model: "grok-3")).status == 200) }
            #expect(try await proxy.chat(RunningProxy.body(model: "xai.grok-3")).status == 200)
            let asked = proxy.chats.filter { $0.id > last }
            #expect(asked.count == 5 && asked.allSatisfy { $0.account == "account_1" && $0.model == "xai.grok-3" })
        }
    }

    @Test func `A model that is refused as retired is no longer offered`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "models_refresh_interval = 1h") { proxy in
            try await eventually("the model") { try await models(proxy)["llama-3.1-70b"] != nil }
            let answer = try await proxy.chat(RunningProxy.body(model: "llama-3.1-70b"))
            #expect(answer.status == 404 && answer.error("code") == "model_not_found", "\(answer.body)")
            #expect(try await models(proxy)["llama-3.1-70b"] == nil)
            // The next list says that it is there.
            _ = try await refresh(proxy)
            #expect(try await models(proxy)["llama-3.1-70b"] != nil)
        }
    }

    @Test func `The operator hears what a refresh brought`() async throws {
        let down = Fault(.status(500), account: "account_2", kind: .models, times: nil)
        try await RunningProxy.run(accounts: 2, settings: "health_check_interval = 1h") { proxy in
            let first = try await refresh(proxy)
            let count = try #require(first["models"]?.integer)
            #expect(count > 10)
            proxy.simulator.add(down)
            let second = try await refresh(proxy)
            #expect(
                second["models"]?.integer == count && second["added"]?.array?.isEmpty == true
                    && second["removed"]?.array?.isEmpty == true)
            #expect(
                second["accounts"]?["account_1"]?["ok"]?.bool == true
                    && second["accounts"]?["account_2"]?["ok"]?.bool == false)
            #expect(second["accounts"]?["account_2"]?["error"]?.string?.isEmpty == false)
        }
    }

    @Test func `A refresh needs a key and a post`() async throws {
        try await RunningProxy.run { proxy in
            let withoutKey = try await proxy.send(
                "POST /admin/models/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            #expect(withoutKey.status == 401)
            let get = try await proxy.get("/admin/models/refresh")
            #expect(get.status == 405)
        }
    }

    @Test func `A start without any list serves aliases and recovers`() async throws {
        let down = Fault(.status(503), kind: .models, times: 2)
        try await RunningProxy.run(accounts: 1, settings: "health_check_interval = 1h", faults: [down]) { proxy in
            #expect(try await proxy.chat(RunningProxy.body(model: "grok-4")).status == 200)
            try await eventually("the models of a later round") { try await models(proxy)["grok-3"] != nil }
        }
    }
}
