import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RerankRequestTests {
    private func parse(_ json: String) throws(Failure) -> RerankRequest { try RerankRequest.parse(Array(json.utf8)) }

    private func documents(_ json: String, _ more: String = "") throws -> [String] {
        try parse(#"{"model":"m","query":"q","documents":\#(json)\#(more)}"#).documents.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test(arguments: Golden.cases("clients").filter { $0.name.contains("rerank") })
    func `Every client is understood`(golden: Golden.Case) throws {
        let request = try RerankRequest.parse(Array(golden.data))
        let sent = golden.object
        #expect(
            request.model == sent["model"] as? String
                && String(decoding: request.query, as: UTF8.self) == sent["query"] as? String)
        #expect(request.documents.map { String(decoding: $0, as: UTF8.self) } == sent["documents"] as? [String])
        #expect(request.topN == sent["top_n"] as? Int && request.returnsDocuments)
    }

    @Test func `Those clients are there`() {
        #expect(Golden.cases("clients").filter { $0.name.contains("rerank") }.count == 2)
    }

    @Test func `Documents are texts or objects`() throws {
        #expect(try documents(#"["a",{"text":"b","id":7},"","\n"]"#) == ["a", "b", "", #"\n"#])
    }

    @Test func `Rank fields choose what is ranked`() throws {
        let list = #"[{"title":"T\n1","text":"x","year":1999},{"text":"y"},"plain"]"#
        #expect(try documents(list, #","rank_fields":["text"]"#) == ["x", "y", "plain"])
        #expect(
            try documents(list, #","rank_fields":["title","text","year"]"#) == [
                #"title: T\n1\ntext: x\nyear: 1999"#, "text: y", "plain",
            ])
        #expect(try documents(list, #","rank_fields":[]"#) == ["x", "y", "plain"])
        #expect(try documents(#"[{"a\"":{"b":"c"}}]"#, #","rank_fields":["a\""]"#) == [#"a\": {\"b\":\"c\"}"#])
        let error = #expect(throws: Failure.self) { try documents(list, #","rank_fields":["title"]"#) }
        #expect(error?.param == "documents[1]" && error?.message.contains("rank_fields") == true)
    }

    @Test(
        arguments: [
            ("", nil), (#","top_n":1"#, 1), (#","top_n":2.0"#, 2), (#","top_n":9"#, 2), (#","top_n":0"#, nil),
            (#","top_n":-1"#, nil), (#","top_n":null"#, nil),
            (#","top_n":99999999999999999999"#, 2),
        ] as [(String, Int?)])
    func `Top N is between one and all`(field: String, wanted: Int?) throws {
        #expect(try parse(#"{"model":"m","query":"q","documents":["a","b"]\#(field)}"#).topN == wanted)
    }

    @Test func `Tuning is read`() throws {
        let request = try parse(
            #"{"model":"m","query":"q","documents":["a"],"return_documents":false,"max_chunks_per_doc":3,"max_tokens_per_doc":512,"user":"u"}"#
        )
        #expect(!request.returnsDocuments && request.maxChunksPerDocument == 3 && request.maxTokensPerDocument == 512)
    }

    @Test(arguments: [
        (#"{"query":"q","documents":["a"]}"#, "model"), (#"{"model":"m","documents":["a"]}"#, "query"),
        (#"{"model":"m","query":"","documents":["a"]}"#, "query"),
        (#"{"model":"m","query":["q"],"documents":["a"]}"#, "query"), (#"{"model":"m","query":"q"}"#, "documents"),
        (#"{"model":"m","query":"q","documents":[]}"#, "documents"),
        (#"{"model":"m","query":"q","documents":"a"}"#, "documents"),
        (#"{"model":"m","query":"q","documents":["a",7]}"#, "documents[1]"),
        (#"{"model":"m","query":"q","documents":[{"image":"x"}]}"#, "documents[0]"),
        (#"{"model":"m","query":"q","documents":[{"text":7}]}"#, "documents[0].text"),
        (#"{"model":"m","query":"q","documents":["a"],"top_n":"1"}"#, "top_n"),
        (#"{"model":"m","query":"q","documents":["a"],"return_documents":1}"#, "return_documents"),
        (#"{"model":"m","query":"q","documents":["a"],"rank_fields":"text"}"#, "rank_fields"),
    ])
    func `What cannot be is named`(body: String, param: String) {
        let error = #expect(throws: Failure.self) { try parse(body) }
        #expect(error?.status == 400 && error?.param == param && error?.message.isEmpty == false)
    }

    @Test func `Rank fields are ordered and count once and the last of two members counts`() throws {
        #expect(try documents(#"[{"b":"1","a":"2","b":"3"}]"#, #","rank_fields":["a","b","a"]"#) == [#"a: 2\nb: 3"#])
        #expect(try documents(#"[{"text":"y"}]"#, #","rank_fields":["text","text"]"#) == ["y"])
    }

    /// Both counts are the client's to choose; their product would keep a core busy for hours.
    @Test(.timeLimit(.minutes(5))) func `Many rank fields and many members take no more than their sum`() throws {
        let names = (0..<40_000).map { "\"f\($0)\"" }.joined(separator: ",")
        let members = (0..<40_000).map { "\"m\($0)\":1" }.joined(separator: ",")
        #expect(try documents(#"[{\#(members),"f7":"x"}]"#, #","rank_fields":[\#(names)]"#) == ["f7: x"])
        let many = Array(repeating: #"{"f7":"x"}"#, count: 40_000).joined(separator: ",")
        #expect(try documents("[\(many)]", #","rank_fields":[\#(names)]"#).count == 40_000)
    }
}
