import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RerankTests {
    private func request(_ more: String = "", documents: String = #"["Paris","Rome"]"#) throws -> RerankRequest {
        try .parse(Array(#"{"model":"m","query":"q","documents":\#(documents)\#(more)}"#.utf8))
    }

    private func answer(_ upstream: String, to request: RerankRequest) throws -> Golden.Object {
        try #require(
            try Golden.parse(RerankToOpenAI.translate(Array(upstream.utf8), to: request, id: "rerank-1").body)
                as? Golden.Object)
    }

    @Test func `The fixture is translated both ways`() throws {
        let golden = try #require(Golden.cases("oci/embed", "rerank").first).object
        let request = try RerankRequest.parse(
            Array(JSONSerialization.data(withJSONObject: try #require(golden["request"]))))
        let wanted = try #require(golden["oci_request"] as? Golden.Object)
        let details = OpenAIToRerank.translate(request, to: .onDemand(modelID: "cohere.rerank.v3-5"))
        #expect(
            Golden.difference(
                try Golden.parse(details.document(in: try #require(wanted["compartmentId"] as? String)).bytes), wanted)
                == nil)
        let upstream = String(
            decoding: try JSONSerialization.data(withJSONObject: try #require(golden["oci_response"])), as: UTF8.self)
        let answer = try answer(upstream, to: request)
        // The fixture has the members that all clients read; what some read beside them is tested below.
        for (name, value) in try #require(golden["response"] as? Golden.Object) {
            #expect(Golden.difference(answer[name], value) == nil, "\(name)")
        }
        #expect(answer["id"] as? String == "r1")
    }

    @Test func `Tuning goes out`() throws {
        let request = try request(#","return_documents":false,"max_chunks_per_doc":3,"max_tokens_per_doc":512"#)
        let sent = try #require(
            try Golden.parse(OpenAIToRerank.translate(request, to: .onDemand(modelID: "x")).document(in: "c").bytes)
                as? Golden.Object)
        #expect(
            sent["isEcho"] as? Bool == false && sent["maxChunksPerDocument"] as? Int == 3
                && sent["maxTokensPerDocument"] as? Int == 512 && sent["topN"] == nil)
    }

    @Test func `Results are there in both forms`() throws {
        let answer = try answer(
            #"{"documentRanks":[{"index":1,"relevanceScore":0.9},{"index":0,"relevanceScore":1e-05}]}"#,
            to: try request())
        let results = try #require(answer["results"] as? [Golden.Object])
        #expect(
            results.map { $0["index"] as? Int } == [1, 0]
                && results.map { $0["relevance_score"] as? Double } == [0.9, 1e-05])
        #expect(
            results.map { ($0["document"] as? [String: String])?["text"] } == ["Rome", "Paris"],
            "also where the upstream does not echo them")
        #expect(Golden.difference(answer["data"], results.map { $0.filter { $0.key != "document" } }) == nil)
        #expect(
            answer["id"] as? String == "rerank-1" && answer["object"] as? String == "list"
                && answer["model"] as? String == "m")
        #expect(answer["usage"] as? [String: Int] == ["prompt_tokens": 0, "total_tokens": 0])
    }

    @Test func `Documents come back unless they are not wanted`() throws {
        let upstream =
            #"{"documentRanks":[{"index":0,"relevanceScore":1,"document":{"text":"Par\u0069s"}}],"usage":{"promptTokens":5,"totalTokens":5}}"#
        let with = try answer(upstream, to: try request())
        #expect((with["results"] as? [Golden.Object])?.first?["document"] as? [String: String] == ["text": "Paris"])
        #expect(with["usage"] as? [String: Int] == ["prompt_tokens": 5, "total_tokens": 5])
        let without = try answer(upstream, to: try request(#","return_documents":false"#))
        #expect((without["results"] as? [Golden.Object])?.first?["document"] == nil)
    }

    @Test(arguments: [
        "", "{}", "[]", "<html>", #"{"documentRanks":null}"#, #"{"documentRanks":[]}"#,
        #"{"documentRanks":[{"index":2,"relevanceScore":1}]}"#,
        #"{"documentRanks":[{"index":-1,"relevanceScore":1}]}"#, #"{"documentRanks":[{"index":0}]}"#,
        #"{"documentRanks":[{"index":0,"relevanceScore":"1"}]}"#,
        #"{"documentRanks":[{"index":0,"relevanceScore":1},{"index":0,"relevanceScore":1}]}"#,
        #"{"documentRanks":[7]}"#,
        #"{"documentRanks":[{"index":0.5,"relevanceScore":1}]}"#,
    ])
    func `What ranks something else is an upstream failure`(upstream: String) throws {
        let request = try request()
        let error = #expect(throws: Failure.self) {
            try RerankToOpenAI.translate(Array(upstream.utf8), to: request, id: "r")
        }
        #expect(error?.status == 502 && error?.code == "upstream_invalid_answer")
    }
}
