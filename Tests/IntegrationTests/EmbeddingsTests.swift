import Foundation
import OCISimulator
import TestFixtures
import Testing

/// `/v1/embeddings`, with models that no configuration names.
@Suite struct EmbeddingsTests {
    private typealias Object = [String: Any]

    /// - Parameter more: further members of the request.
    private func body(_ input: Any, model: String = "embed-v4.0", _ more: Object = [:]) throws -> String {
        let request = more.merging(["model": model, "input": input]) { _, own in own }
        return String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
    }

    private func ask(_ proxy: RunningProxy, _ input: Any, model: String = "embed-v4.0", _ more: Object = [:])
        async throws -> RawAnswer
    {
        try await proxy.post("/v1/embeddings", body(input, model: model, more))
    }

    /// The vectors of an answer, whose places must be told in order.
    private func vectors(_ answer: RawAnswer) throws -> [[Float]] {
        try #require(answer.status == 200, "\(answer.body.prefix(500))")
        let data = try #require(answer.json?["data"] as? [Object])
        #expect(data.map { $0["index"] as? Int } == Array(0..<data.count))
        return try data.map { entry in
            #expect(entry["object"] as? String == "embedding")
            if let text = entry["embedding"] as? String { return Self.floats(try #require(Data(base64Encoded: text))) }
            return try #require(entry["embedding"] as? [Double]).map { Float($0) }
        }
    }

    /// 32-bit floats, the least significant byte first.
    private static func floats(_ data: Data) -> [Float] {
        let bytes = [UInt8](data)
        return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            Float(bitPattern: bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
    }

    private func batchSizes(_ proxy: RunningProxy) -> [Int] {
        proxy.calls(.embed).compactMap { $0.json?["inputs"]?.array?.count }
    }

    private static let texts = (0..<250).map { "text number \($0)" }
    /// Short vectors, for tests that are about something else.
    private static let short = ["dimensions": 256]

    // MARK: Forms

    @Test func `Numbers and base 64 are the same vectors`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let texts = ["the harbour at night", "ünïcödé 🚀 \"quoted\" \\ \n line", "the harbour at night"]
            let plain = try await ask(proxy, texts)
            let numbers = try vectors(plain)
            #expect(numbers.allSatisfy { $0.count == 1536 } && numbers[0] == numbers[2] && numbers[0] != numbers[1])
            #expect(plain.json?["object"] as? String == "list" && plain.json?["model"] as? String == "embed-v4.0")
            let usage = try #require(plain.json?["usage"] as? [String: Int])
            #expect(usage["prompt_tokens"] ?? 0 > 0 && usage["prompt_tokens"] == usage["total_tokens"])

            let float = try vectors(await ask(proxy, texts, ["encoding_format": "float"]))
            let base64 = try await ask(proxy, texts, ["encoding_format": "base64"])
            #expect((base64.json?["data"] as? [Object])?.allSatisfy { $0["embedding"] is String } == true)
            #expect(float == numbers)
            #expect(try vectors(base64) == numbers)
            // A string is a list of one.
            #expect(try vectors(await ask(proxy, texts[1])) == [numbers[1]])
            #expect(proxy.calls(.embed).allSatisfy { $0.refusal == nil && $0.model == "cohere.embed-v4.0" })
            #expect(proxy.calls(.embed)[0].json?["inputs"]?.array?.compactMap(\.string) == texts)
        }
    }

    /// What each client sends, but for the name of the model.
    @Test(arguments: [
        "cherry-embeddings-float", "cherry-v1-embeddings-dimension-probe", "openai-sdk-embeddings-default",
        "openwebui-embeddings", "roo-embeddings-base64",
    ])
    func `Every client's request is accepted`(file: String) async throws {
        let url = Fixtures.url("clients/\(file).json")
        var request = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? Object)
        let input = try #require(request["input"])
        request["input"] = nil
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await ask(proxy, input, model: "embed-multilingual-v3.0", request)
            let found = try vectors(answer)
            #expect(found.count == (input as? [String])?.count ?? 1 && found.allSatisfy { $0.count == 1024 })
            let isBase64 = ((answer.json?["data"] as? [Object])?.first?["embedding"] as? String) != nil
            #expect(isBase64 == (request["encoding_format"] as? String == "base64"))
        }
    }

    // MARK: Batches

    @Test func `Many texts come back in order from several accounts`() async throws {
        try await RunningProxy.run(accounts: 3) { proxy in
            try await proxy.discovered()
            // The first batch is the last to end.
            proxy.simulator.add(Fault(.delay(.milliseconds(200)), kind: .embed))
            let answer = try await ask(proxy, Self.texts, Self.short)
            let found = try vectors(answer)
            #expect(found.count == 250 && Set(found).count == 250 && found.allSatisfy { $0.count == 256 })
            #expect(batchSizes(proxy).sorted() == [58, 96, 96])
            #expect(Set(proxy.calls(.embed).compactMap(\.account)).count == 3)
            #expect((answer.json?["usage"] as? [String: Int])?["prompt_tokens"] == 250 * 3)
            // Cut at other places, each text has the vector that it had.
            #expect(try vectors(await ask(proxy, Array(Self.texts.reversed()), Self.short)) == Array(found.reversed()))
            for index in [0, 95, 96, 249] {
                #expect(try vectors(await ask(proxy, Self.texts[index], Self.short)) == [found[index]], "text \(index)")
            }
        }
    }

    @Test(arguments: [96, 97])
    func `A list is cut only when it is too long`(count: Int) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            #expect(try vectors(await ask(proxy, Array(Self.texts.prefix(count)), Self.short)).count == count)
            #expect(batchSizes(proxy).sorted() == (count == 96 ? [96] : [1, 96]))
        }
    }

    @Test(arguments: [
        Fault.Action.status(500), .status(429), .status(401), .reset, .cut(afterEvents: 0),
        .brokenEvent(afterEvents: 0),
    ])
    func `What an account fails in the middle another one serves`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 2, breaker: RunningProxy.patientBreaker) { proxy in
            try await proxy.discovered()
            let wanted = try vectors(await ask(proxy, Self.texts, Self.short))
            // Its first batch of these is good.
            proxy.simulator.add(Fault(action, account: "account_2", kind: .embed, after: 1, times: nil))
            let last = proxy.simulator.requests.last?.id ?? 0
            let answer = try await ask(proxy, Self.texts + Self.texts, Self.short)
            #expect(try vectors(answer) == wanted + wanted)
            let calls = proxy.calls(.embed).filter { $0.id > last }
            #expect(calls.count { $0.account == "account_2" } >= 2 && calls.count > 6, "\(calls.map(\.account))")
            let line = try await proxy.accessLine(of: answer)
            // A request that meets a kept connection which had died before is sent twice and is one attempt.
            let attempts = try #require(line.firstMatch(of: /attempts=(\d+)/).flatMap { Int($0.1) })
            #expect((7...calls.count).contains(attempts) && line.contains("status=200"), "\(line)")
            try await eventually("the books to be closed") { try await proxy.isIdle() }
            #expect(try await proxy.figure("requests_failed", of: "account_2") == .integer(attempts - 6))
        }
    }

    @Test func `A batch that is refused fails the request`() async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            try await proxy.discovered()
            proxy.simulator.add(
                Fault(.status(400, body: #"{"code":"400","message":"text is of no use"}"#), kind: .embed, after: 1))
            let answer = try await ask(proxy, Self.texts, Self.short)
            #expect(
                answer.status == 400 && answer.error("message")?.contains("text is of no use") == true, "\(answer.body)"
            )
            #expect(answer.error("type") == "invalid_request_error")
            try await eventually("the books to be closed") { try await proxy.isIdle() }
        }
    }

    // MARK: What can be chosen

    @Test(arguments: [256, 512, 1024, 1536])
    func `The length of a vector can be chosen`(dimensions: Int) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            #expect(try vectors(await ask(proxy, "a", ["dimensions": dimensions]))[0].count == dimensions)
            #expect(proxy.calls(.embed).first?.json?["outputDimensions"]?.integer == dimensions)
        }
    }

    @Test func `A length that a model does not have is refused`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let fixed = try await ask(proxy, "a", model: "embed-multilingual-v3.0", ["dimensions": 256])
            #expect(fixed.status == 400 && fixed.error("param") == "dimensions", "\(fixed.body)")
            #expect(proxy.calls(.embed).isEmpty)
            #expect(
                try vectors(await ask(proxy, "a", model: "embed-multilingual-v3.0", ["dimensions": 1024]))[0].count
                    == 1024)
            let odd = try await ask(proxy, "a", ["dimensions": 300])
            #expect(odd.status == 400 && odd.error("message")?.contains("outputDimensions") == true, "\(odd.body)")
        }
    }

    @Test(arguments: [
        ("query", "SEARCH_QUERY"), ("search_query", "SEARCH_QUERY"), ("passage", "SEARCH_DOCUMENT"),
        ("CLASSIFICATION", "CLASSIFICATION"),
        ("clustering", "CLUSTERING"), (nil, "SEARCH_DOCUMENT"),
    ])
    func `What the vectors are for goes out`(written: String?, sent: String) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            _ = try vectors(await ask(proxy, "a", written.map { ["input_type": $0] } ?? [:]))
            #expect(proxy.calls(.embed).first?.json?["inputType"]?.string == sent)
        }
    }

    // MARK: Refusals

    @Test(arguments: ["[[15339,1917],[13347]]", "[15339,1917]", #"["a",[1]]"#])
    func `Token IDs are refused with a way out`(input: String) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await proxy.post(
                "/v1/embeddings", #"{"model":"embed-v4.0","encoding_format":"base64","input":\#(input)}"#)
            #expect(
                answer.status == 400 && answer.error("param") == "input"
                    && answer.error("type") == "invalid_request_error", "\(answer.body)")
            #expect(answer.error("message")?.contains("check_embedding_ctx_length=False") == true)
            #expect(proxy.calls(.embed).isEmpty)
        }
    }

    @Test func `A model that is none or for something else is named`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let unknown = try await ask(proxy, "a", model: "embed-v5.0")
            #expect(
                unknown.status == 404 && unknown.error("code") == "model_not_found"
                    && unknown.error("message")?.contains("'embed-v4.0'") == true, "\(unknown.body)")
            for model in ["grok-4", "grok-3", "xai.grok-3", "rerank.v3-5"] {
                let wrong = try await ask(proxy, "a", model: model)
                #expect(
                    wrong.status == 400 && wrong.error("param") == "model"
                        && wrong.error("code") == "unsupported_model", "\(wrong.body)")
                #expect(wrong.error("message")?.contains("'embed-v4.0'") == true)
            }
            #expect(proxy.calls(.embed).isEmpty)
        }
    }

    @Test func `A key and a post are needed`() async throws {
        try await RunningProxy.run { proxy in
            let body = try body("a")
            let keyless = try await proxy.send(
                "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(keyless.status == 401 && keyless.error("code") == "invalid_api_key")
            let get = try await proxy.get("/v1/embeddings", "Authorization: Bearer \(proxy.key)")
            #expect(get.status == 405)
            let broken = try await proxy.post("/v1/embeddings", "{")
            #expect(broken.status == 400)
        }
    }

    // MARK: Names

    @Test(arguments: ["embed-v4.0", "cohere.embed-v4.0", "my-embeddings"])
    func `Every name of a model works`(name: String) async throws {
        try await RunningProxy.run(models: "my-embeddings = cohere.embed-v4.0") { proxy in
            try await proxy.discovered()
            let answer = try await ask(proxy, "a", model: name)
            #expect(answer.status == 200 && answer.json?["model"] as? String == name, "\(answer.body.prefix(300))")
            #expect(proxy.calls(.embed).map(\.model) == ["cohere.embed-v4.0"])
        }
    }
}
