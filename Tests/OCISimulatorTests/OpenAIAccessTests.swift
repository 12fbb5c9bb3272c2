import Testing

@testable import OCISimulator

/// Who may call the OpenAI-compatible path, and which models it lists.
@Suite struct OpenAIAccessTests: OpenAIPathSuite {
    let accounts: [SimulatedAccount]

    init() throws { accounts = try OpenAIPath.accounts() }

    // MARK: Callers

    @Test(arguments: [("first-key", "account_1"), ("second-key", "account_1"), ("third-key", "account_2")])
    func `A key stands for its account`(key: String, account: String) throws {
        let service = service()
        let compartment = try #require(accounts.first { $0.id == account }?.compartment)
        let answer = service.answer(
            request(chat(), authorization: ["Bearer \(key)"], compartments: [compartment]))
        #expect(answer.script.status == 200)
        #expect(answer.account == account)
        #expect(service.log.records.first?.account == account)
    }

    @Test(arguments: [
        [], ["Bearer wrong"], ["Bearer "], ["bearer first-key"], ["Bearer first-key "], ["first-key"],
        ["Bearer first-key", "Bearer first-key"],
    ])
    func `Who has no key is refused`(authorization: [String]) throws {
        let service = service()
        for path in [OpenAIPath.chat, "/openai/v1/models", "/openai/v1/responses"] {
            let body = path == "/openai/v1/models" ? nil : chat()
            let answer = try read(service.answer(request(body, path: path, authorization: authorization)).script)
            #expect(answer.status == 401)
            #expect(answer.json["code"] == "NotAuthenticated")
            #expect(answer.json["message"]?.string?.isEmpty == false)
        }
        #expect(service.log.records.allSatisfy { $0.account == nil && $0.refusal != nil })
    }

    @Test func `A signature will do`() throws {
        let body = chat()
        for path in [OpenAIPath.chat, "/20231130/actions/v1/chat/completions"] {
            var signed = try TestSigner(
                keyID: accounts[0].keyID, privateKeyPEM: #require(accounts[0].privateKeyPEM), date: 1_800_000_000
            )
            .request("POST", path, body: body.bytes)
            signed.headers.append((name: "opc-compartment-id", value: accounts[0].tenancy))
            #expect(service().answer(signed).script.status == 200)
            signed.body[10] ^= 1
            #expect(service().answer(signed).script.status == 401)
        }
    }

    @Test(arguments: ["/20231130/actions/chat", "/20231130/models"]) func `The native paths take no keys`(path: String)
        throws
    {
        let body = path.hasSuffix("chat") ? chat() : nil
        #expect(service().answer(request(body, path: path)).script.status == 401)
    }

    @Test func `The compartment is demanded`() throws {
        let own = try #require(accounts[0].compartment)
        let foreign = try #require(accounts[1].compartment)
        let answers: [([String], Int)] = [
            ([own], 200), ([accounts[0].tenancy], 200), ([], 404), ([foreign], 404), ([""], 404), ([own, own], 404),
        ]
        for (compartments, status) in answers {
            let chat = try read(service().answer(request(chat(), compartments: compartments)).script)
            #expect(chat.status == status, "\(compartments)")
            if status == 404 { #expect(chat.json["code"] == "NotAuthorizedOrNotFound") }
            let models = service().answer(request(path: "/openai/v1/models", compartments: compartments))
            #expect(models.script.status == status, "\(compartments)")
        }
    }

    @Test func `Keys are replaced and revoked`() throws {
        let service = service()
        func status(_ key: String) -> Int {
            service.answer(request(chat(), authorization: ["Bearer \(key)"])).script.status
        }
        try service.apiKeys.set(["second-key", "new-key"], of: "account_1")
        #expect(["first-key", "second-key", "new-key"].map(status) == [401, 200, 200])
        try service.apiKeys.set([], of: "account_1")
        #expect(["first-key", "second-key", "new-key"].map(status) == [401, 401, 401])
        service.reset()
        #expect(["first-key", "second-key", "new-key"].map(status) == [200, 200, 401])
        #expect(throws: KeyError.self) { try service.apiKeys.set(["a", "b", "c"], of: "account_1") }
        #expect(throws: KeyError.self) { try service.apiKeys.set(["a b"], of: "account_1") }
        #expect(throws: KeyError.self) { try service.apiKeys.set([""], of: "account_1") }
        #expect(throws: KeyError.self) { try service.apiKeys.set(["a"], of: "account_9") }
        #expect(throws: KeyError.self) { try accounts[0].with(apiKeys: ["a", "b", "c"]) }
    }

    // MARK: Models

    @Test func `Models are listed or not`() throws {
        let service = service()
        func answer() throws -> (status: Int, json: JSON) {
            try read(service.answer(request(path: "/openai/v1/models")).script)
        }
        let list = try answer()
        #expect(list.status == 200 && list.json["object"] == "list")
        let data = try #require(list.json["data"]?.array)
        let entry: JSON = [
            "id": "xai.grok-4.3", "object": "model", "created": 1_747_785_600, "owned_by": "xai",
        ]
        #expect(data.contains(entry))
        let names = data.compactMap { $0["id"]?.string }
        for name in names { #expect(try ask(chat(model: name)).status == 200, "\(name)") }
        #expect(!names.contains { $0.hasPrefix("cohere.") || $0.hasPrefix("google.") })
        service.listsOpenAIModels = false
        let missing = try answer()
        #expect(missing.status == 404 && missing.json["code"] == "404")
        service.reset()
        #expect(try answer().status == 200)
        #expect(service.log.records.allSatisfy { $0.kind == .models })
    }
}
