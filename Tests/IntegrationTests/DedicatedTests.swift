import Foundation
import OCISimulator
import Testing

/// Models on clusters of the tenancy's own, and compartments.
@Suite struct DedicatedTests {
    private static let regions = ["us-chicago-1", "eu-frankfurt-1"]

    /// The endpoint of a model of the catalogue.
    private static func endpoint(_ model: String, in region: String, of catalogue: Catalogue = Catalogue()) throws
        -> String
    {
        Catalogue.endpointID(for: try #require(catalogue.models.first { $0.name == model }), in: region)
    }

    /// The compartment that the simulator lets an account use.
    private static func compartment(of number: Int) throws -> String {
        try #require(SimulatedAccount.generate(number).last?.compartment)
    }

    @Test(arguments: [0, 1], [false, true])
    func `An alias of an endpoint goes to its region with its serving mode`(place: Int, streams: Bool) async throws {
        let endpoint = try Self.endpoint("my-support-bot", in: Self.regions[place])
        try await RunningProxy.run(accounts: 2, regions: Self.regions, models: "bot = \(endpoint)") { proxy in
            for _ in 0..<3 {
                let answer = try await proxy.chat(RunningProxy.body("one two", model: "bot", streams: streams))
                #expect(answer.flaw(RunningProxy.echo("one two"), streams: streams) == nil)
                #expect(answer.body.contains(#""model":"bot""#))
            }
            #expect(proxy.accountsAsked == Array(repeating: "account_\(place + 1)", count: 3))
            for chat in proxy.chats {
                #expect(chat.json?["servingMode"] == ["servingType": "DEDICATED", "endpointId": .string(endpoint)])
                #expect(chat.json?["chatRequest"]?["apiFormat"] == "GENERIC" && chat.refusal == nil)
            }
        }
    }

    @Test func `The list names the alias and who serves it`() async throws {
        let endpoint = try Self.endpoint("my-support-bot", in: Self.regions[1])
        try await RunningProxy.run(accounts: 2, regions: Self.regions, models: "bot = \(endpoint)") { proxy in
            try await proxy.discovered()
            let answer = try await proxy.get("/v1/models/bot", "Authorization: Bearer \(proxy.key)")
            #expect(answer.status == 200 && answer.json?["oci_model_id"] as? String == endpoint)
            #expect(answer.json?["accounts"] as? [String] == ["account_2"])
            // The model itself cannot be used without its endpoint.
            let list = try await proxy.get("/v1/models", "Authorization: Bearer \(proxy.key)")
            #expect(list.body.contains(#""id":"bot""#) && !list.body.contains("my-support-bot"))
        }
    }

    /// An endpoint's OCID does not tell which format is spoken behind it: the first request finds out.
    @Test(arguments: [("cohere.command-r-plus-08-2024", 1), ("cohere.command-a-reasoning-08-2025", 2)])
    func `A model of Cohere behind an endpoint is spoken to in its format`(base: String, refusals: Int) async throws {
        let catalogue = Catalogue(
            Catalogue.usual.map { model in model.with { if $0.name == "my-support-bot" { $0.base = base } } })
        let endpoint = try Self.endpoint("my-support-bot", in: Self.regions[0], of: catalogue)
        try await RunningProxy.run(accounts: 1, models: "bot = \(endpoint)", catalogue: catalogue) { proxy in
            for streams in [false, true] {
                let answer = try await proxy.chat(RunningProxy.body("one two", model: "bot", streams: streams))
                #expect(answer.flaw(RunningProxy.echo("one two"), streams: streams) == nil, "\(answer.body)")
            }
            #expect(proxy.chats.map(\.status) == Array(repeating: 400, count: refusals) + [200, 200])
            #expect(try await proxy.figure("requests_failed", of: "account_1") == 0)
        }
    }

    @Test func `An endpoint needs no alias`() async throws {
        let endpoint = try Self.endpoint("my-support-bot", in: Self.regions[1])
        try await RunningProxy.run(accounts: 2, regions: Self.regions) { proxy in
            let answer = try await proxy.chat(RunningProxy.body("one two", model: endpoint))
            #expect(answer.flaw(RunningProxy.echo("one two"), streams: false) == nil)
            #expect(proxy.accountsAsked == ["account_2"])
        }
    }

    @Test func `An endpoint that is gone is an unknown model`() async throws {
        try await RunningProxy.run(accounts: 1, models: "bot = ocid1.generativeaiendpoint.oc1.us-chicago-1.gone") {
            proxy in
            let answer = try await proxy.chat(RunningProxy.body(model: "bot"))
            #expect(answer.status == 404 && answer.error("type") == "invalid_request_error", "\(answer.body)")
        }
    }

    /// The shared clusters' limit of 4,000 tokens is none of theirs.
    @Test func `A cluster of ones own has no limit of the shared ones`() async throws {
        let endpoint = try Self.endpoint("my-support-bot", in: "us-chicago-1")
        try await RunningProxy.run(models: "bot = \(endpoint)") { proxy in
            for model in ["bot", "llama-3.3-70b"] {
                let answer = try await proxy.chat(RunningProxy.body(model: model, #","max_tokens":20000"#))
                #expect(answer.status == 200)
            }
            #expect(proxy.chats.map { $0.json?["chatRequest"]?["maxTokens"] } == [20000, 4000])
        }
    }

    @Test func `Embeddings and rankings run on endpoints too`() async throws {
        let catalogue = Catalogue(
            Catalogue.usual.map { model in
                model.with { $0.isDedicatedOnly = ["cohere.embed-v4.0", "cohere.rerank.v3-5"].contains($0.name) }
            })
        let embed = try Self.endpoint("cohere.embed-v4.0", in: Self.regions[1], of: catalogue)
        let rerank = try Self.endpoint("cohere.rerank.v3-5", in: Self.regions[1], of: catalogue)
        try await RunningProxy.run(
            accounts: 2, regions: Self.regions, models: "e = \(embed)\nr = \(rerank)", catalogue: catalogue
        ) { proxy in
            let vectors = try await proxy.post("/v1/embeddings", #"{"model":"e","input":"a"}"#)
            #expect(vectors.status == 200, "\(vectors.body.prefix(300))")
            let ranks = try await proxy.post("/v1/rerank", #"{"model":"r","query":"q","documents":["a","b"]}"#)
            #expect(ranks.status == 200, "\(ranks.body)")
            for (kind, endpoint) in [(RequestKind.embed, embed), (.rerank, rerank)] {
                let calls = proxy.calls(kind)
                #expect(calls.map(\.account) == ["account_2"])
                #expect(
                    calls.first?.json?["servingMode"] == ["servingType": "DEDICATED", "endpointId": .string(endpoint)])
            }
        }
    }

    // MARK: Compartments

    @Test func `The configured compartment is sent with every call else the tenancy`() async throws {
        let compartment = try Self.compartment(of: 1)
        try await RunningProxy.run(accounts: 2, accountSettings: [1: "compartment = \(compartment)"]) { proxy in
            try await proxy.discovered()
            for (path, model) in [
                ("chat/completions", "grok-4"), ("embeddings", "embed-v4.0"), ("rerank", "rerank.v3-5"),
            ] {
                // Each kind of call reads its own members.
                let body =
                    #"{"model":"\#(model)","input":"a","query":"q","documents":["a"],"messages":[{"role":"user","content":"hi"}]}"#
                for _ in 0..<2 {
                    let answer = try await proxy.post("/v1/" + path, body)
                    #expect(answer.status == 200, "\(answer.body)")
                }
            }
            let tenancy = proxy.simulator.accounts[1].tenancy
            for kind in [RequestKind.chat, .embed, .rerank] {
                let sent = proxy.calls(kind).map { [$0.account, $0.json?["compartmentId"]?.string] }.sorted {
                    $0[0] ?? "" < $1[0] ?? ""
                }
                #expect(sent == [["account_1", compartment], ["account_2", tenancy]], "\(kind)")
            }
            let lists = proxy.calls(.models)
            #expect(
                !lists.isEmpty
                    && lists.allSatisfy {
                        $0.target.contains("compartmentId=\($0.account == "account_1" ? compartment : tenancy)")
                    })
        }
    }

    @Test func `A foreign compartment is refused in words that name a way out`() async throws {
        try await RunningProxy.run(accounts: 1, accountSettings: [1: "compartment = ocid1.compartment.oc1..foreign"]) {
            proxy in
            let answer = try await proxy.chat(RunningProxy.body())
            #expect(answer.status == 404, "\(answer.body)")
            let probe = try await proxy.get("/test-oci", "Authorization: Bearer \(proxy.key)")
            #expect(probe.body.contains("ocid1.compartment.oc1..foreign"), "\(probe.body)")
        }
    }
}
