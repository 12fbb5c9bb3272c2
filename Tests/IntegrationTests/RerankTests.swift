import Foundation
import OCISimulator
import TestFixtures
import Testing

/// `/v1/rerank`, with a model that no configuration names.
@Suite struct RerankTests {
    private typealias Object = [String: Any]

    private static let query = "where to reset a password"
    private static let documents = [
        "Opening hours", "How to reset a password", "A password for the harbour", "Delivery times",
    ]
    /// The more words of the query, the better.
    private static let order = [1, 2, 0, 3]

    private func ask(
        _ proxy: RunningProxy, documents: Any = documents, model: String = "rerank.v3-5", _ more: Object = [:]
    ) async throws -> RawAnswer {
        let request = more.merging(["model": model, "query": Self.query, "documents": documents]) { _, own in own }
        return try await proxy.post(
            "/v1/rerank", String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self))
    }

    private func list(_ name: String, of answer: RawAnswer) throws -> [Object] {
        try #require(answer.status == 200, "\(answer.body)")
        return try #require(answer.json?[name] as? [Object])
    }

    private func order(_ answer: RawAnswer) throws -> [Int?] {
        try list("results", of: answer).map { $0["index"] as? Int }
    }

    private func texts(_ answer: RawAnswer) throws -> [String?] {
        try list("results", of: answer).map { ($0["document"] as? Object)?["text"] as? String }
    }

    @Test func `The best comes first in the forms of all clients`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await ask(proxy)
            #expect(try order(answer) == Self.order)
            let scores = try list("results", of: answer).compactMap { $0["relevance_score"] as? Double }
            #expect(scores.count == 4 && scores == scores.sorted(by: >) && scores[0] > scores[1])
            #expect(try texts(answer) == Self.order.map { Self.documents[$0] })
            // Continue reads `data`.
            #expect(try list("data", of: answer).map { $0["index"] as? Int } == Self.order)
            #expect(try list("data", of: answer).compactMap { $0["relevance_score"] as? Double } == scores)
            #expect(answer.json?["object"] as? String == "list" && answer.json?["model"] as? String == "rerank.v3-5")
            #expect((answer.json?["usage"] as? Object)?["total_tokens"] is Int && answer.json?["id"] is String)
            let call = try #require(proxy.calls(.rerank).first)
            #expect(
                call.model == "cohere.rerank.v3-5" && call.json?["input"]?.string == Self.query && call.refusal == nil)
            #expect(call.json?["documents"]?.array?.compactMap(\.string) == Self.documents)
        }
    }

    /// Open WebUI wants a result for every document, and sends their number.
    @Test(arguments: [(1, 1), (2, 2), (4, 4), (9, 4), (0, 4), (-1, 4)])
    func `As many come back as are wanted`(topN: Int, count: Int) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            #expect(try order(await ask(proxy, ["top_n": topN])) == Array(Self.order.prefix(count)))
            #expect(proxy.calls(.rerank).first?.json?["topN"]?.integer == (topN > 0 ? count : nil))
        }
    }

    @Test func `Documents may be objects`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await ask(proxy, documents: Self.documents.map { ["text": $0, "page": 7] as Object })
            #expect(try order(answer) == Self.order)
            #expect(try texts(answer) == Self.order.map { Self.documents[$0] })
            let mixed = try await ask(proxy, documents: [["text": "Delivery times"], Self.documents[1]] as [Any])
            #expect(try order(mixed) == [1, 0])
            let fields = try await ask(
                proxy,
                documents: [["title": "Hours", "body": "nine to five"], ["title": "Reset", "body": "your password"]],
                ["rank_fields": ["title", "body"]])
            #expect(try order(fields) == [1, 0])
            let sent = proxy.calls(.rerank).map { $0.json?["documents"]?.array?.compactMap(\.string) }
            #expect(
                sent == [
                    Self.documents, ["Delivery times", Self.documents[1]],
                    ["title: Hours\nbody: nine to five", "title: Reset\nbody: your password"],
                ])
        }
    }

    @Test(arguments: [true, false])
    func `Documents come back when they are wanted`(isWanted: Bool) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await ask(proxy, ["return_documents": isWanted])
            #expect(try texts(answer) == Self.order.map { isWanted ? Self.documents[$0] : nil })
            #expect(proxy.calls(.rerank).first?.json?["isEcho"]?.bool == isWanted)
        }
    }

    @Test(arguments: ["cherry-rerank", "openwebui-rerank"], ["/v1/rerank", "/rerank"])
    func `Every client's request is accepted`(file: String, path: String) async throws {
        let url = Fixtures.url("clients/\(file).json")
        // An alias gives the name that the client has its own idea of.
        try await RunningProxy.run(models: "cohere.rerank-v3.5 = cohere.rerank.v3-5") { proxy in
            let answer = try await proxy.post(path, String(decoding: Data(contentsOf: url), as: UTF8.self))
            let results = try list("results", of: answer)
            let count = try #require(proxy.calls(.rerank).first?.json?["documents"]?.array?.count)
            #expect(results.compactMap { $0["index"] as? Int }.sorted() == Array(0..<count))
            #expect(results.allSatisfy { $0["relevance_score"] is Double })
        }
    }

    @Test(arguments: [
        Fault.Action.status(500), .status(429), .status(401), .reset, .cut(afterEvents: 0),
        .brokenEvent(afterEvents: 0),
    ])
    func `Another account ranks what one failed`(action: Fault.Action) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            try await proxy.discovered()
            proxy.simulator.add(Fault(action, account: "account_1", kind: .rerank, times: nil))
            let answer = try await ask(proxy)
            #expect(try order(answer) == Self.order)
            #expect(proxy.calls(.rerank).compactMap(\.account).withoutRepeats == ["account_1", "account_2"])
        }
    }

    @Test func `A model that is none or for something else is named`() async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let unknown = try await ask(proxy, model: "rerank.v3")
            #expect(
                unknown.status == 404 && unknown.error("code") == "model_not_found"
                    && unknown.error("message")?.contains("'rerank.v3-5'") == true, "\(unknown.body)")
            for model in ["grok-4", "embed-v4.0"] {
                let wrong = try await ask(proxy, model: model)
                #expect(
                    wrong.status == 400 && wrong.error("param") == "model"
                        && wrong.error("message")?.contains("'rerank.v3-5'") == true, "\(wrong.body)")
            }
            #expect(proxy.calls(.rerank).isEmpty)
        }
    }

    @Test(arguments: [
        (#"{"model":"rerank.v3-5","query":"q"}"#, "documents"),
        (#"{"model":"rerank.v3-5","query":"q","documents":[]}"#, "documents"),
        (#"{"model":"rerank.v3-5","documents":["a"]}"#, "query"), (#"{"query":"q","documents":["a"]}"#, "model"),
        (#"{"model":"rerank.v3-5","query":"q","documents":["a",{"title":"b"}]}"#, "documents[1]"),
        (#"{"model":"rerank.v3-5","query":"q","documents":["a"],"top_n":"1"}"#, "top_n"),
    ])
    func `What is wrong is named`(body: String, param: String) async throws {
        try await RunningProxy.run { proxy in
            try await proxy.discovered()
            let answer = try await proxy.post("/v1/rerank", body)
            #expect(answer.status == 400 && answer.error("param") == param, "\(answer.body)")
            #expect(proxy.calls(.rerank).isEmpty)
        }
    }
}
