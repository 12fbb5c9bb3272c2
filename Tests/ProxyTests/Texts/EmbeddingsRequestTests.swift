import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct EmbeddingsRequestTests {
    private func parse(_ json: String) throws(Failure) -> EmbeddingsRequest {
        try EmbeddingsRequest.parse(Array(json.utf8))
    }

    private func texts(_ request: EmbeddingsRequest) -> [String] {
        request.inputs.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (#""a""#, ["a"]), (#"["a"]"#, ["a"]), (#"["a","b","a"]"#, ["a", "b", "a"]), (#"" ""#, [" "]),
        (#"["é\n\"\u00e9"]"#, [#"é\n\"\u00e9"#]),
    ])
    func `Texts come in both forms`(input: String, wanted: [String]) throws {
        #expect(try texts(parse(#"{"model":"m","input":\#(input)}"#)) == wanted)
    }

    @Test(
        arguments: Golden.cases("clients").filter { $0.name.contains("embeddings") && !$0.name.contains("token-ids") })
    func `Every client is understood`(golden: Golden.Case) throws {
        let request = try EmbeddingsRequest.parse(Array(golden.data))
        let sent = golden.object
        #expect(request.model == sent["model"] as? String)
        let wanted = try #require(sent["input"] as? [String] ?? (sent["input"] as? String).map { [$0] })
        #expect(texts(request) == wanted)
        #expect((request.format == .base64) == (sent["encoding_format"] as? String == "base64"))
    }

    @Test func `Those clients are there`() {
        #expect(Golden.cases("clients").filter { $0.name.contains("embeddings") }.count == 6)
    }

    @Test(arguments: ["[15339,1917]", "[[15339,1917],[13347]]", "[[]]", #"["a",[1]]"#, #"["a",1]"#])
    func `Token IDs are refused in words that help`(input: String) {
        let error = #expect(throws: Failure.self) { try parse(#"{"model":"m","input":\#(input)}"#) }
        #expect(error?.status == 400 && error?.param == "input" && error?.type == "invalid_request_error")
        #expect(
            error?.message.contains("token ids") == true
                && error?.message.contains("check_embedding_ctx_length=False") == true)
    }

    @Test(arguments: [
        (#"{}"#, "model"), (#"{"model":"  ","input":"a"}"#, "model"), (#"{"model":7,"input":"a"}"#, "model"),
        (#"{"model":"m"}"#, "input"),
        (#"{"model":"m","input":null}"#, "input"), (#"{"model":"m","input":""}"#, "input"),
        (#"{"model":"m","input":[]}"#, "input"),
        (#"{"model":"m","input":["a",""]}"#, "input[1]"), (#"{"model":"m","input":7}"#, "input"),
        (#"{"model":"m","input":{}}"#, "input"),
        (#"{"model":"m","input":true}"#, "input"), (#"{"model":"m","input":[null]}"#, "input[0]"),
        (#"{"model":"m","input":[{"text":"a"}]}"#, "input[0]"),
        (#"{"model":"m","input":"a","encoding_format":"hex"}"#, "encoding_format"),
        (#"{"model":"m","input":"a","encoding_format":1}"#, "encoding_format"),
        (#"{"model":"m","input":"a","dimensions":"256"}"#, "dimensions"),
        (#"{"model":"m","input":"a","dimensions":2.5}"#, "dimensions"),
    ])
    func `What cannot be is named`(body: String, param: String) {
        let error = #expect(throws: Failure.self) { try parse(body) }
        #expect(error?.status == 400 && error?.param == param && error?.message.isEmpty == false)
    }

    @Test(arguments: ["", "[]", #""a""#, #"{"model":"m","input":"a""#])
    func `What is no object is refused`(body: String) {
        let error = #expect(throws: Failure.self) { try parse(body) }
        #expect(error?.status == 400 && error?.param == nil)
    }

    @Test func `The list is bounded`() throws {
        func body(_ count: Int) -> String {
            #"{"model":"m","input":[\#(Array(repeating: #""a""#, count: count).joined(separator: ","))]}"#
        }
        #expect(try parse(body(2048)).inputs.count == 2048)
        let error = #expect(throws: Failure.self) { try parse(body(2049)) }
        #expect(error?.param == "input" && error?.message.contains("2049") == true)
    }

    @Test(
        arguments: [
            ("", nil), (#","dimensions":256"#, 256), (#","dimensions":256.0"#, 256), (#","dimensions":null"#, nil),
            (#","dimensions":0"#, nil), (#","dimensions":-1"#, nil),
        ] as [(String, Int?)])
    func `Dimensions are a number or nothing`(field: String, wanted: Int?) throws {
        #expect(try parse(#"{"model":"m","input":"a"\#(field)}"#).dimensions == wanted)
    }

    @Test(
        arguments: [
            (#""search_query""#, .query), (#""SEARCH_QUERY""#, .query), (#""query""#, .query),
            (#""search_document""#, .document), (#""passage""#, .document),
            (#""document""#, .document), (#""clustering""#, .clustering), (#""classification""#, .classification),
            (#""image""#, .image), (#""none""#, nil),
            ("null", nil), ("7", nil),
        ] as [(String, EmbeddingsRequest.Purpose?)])
    func `Purposes are read in many words`(value: String, wanted: EmbeddingsRequest.Purpose?) throws {
        #expect(try parse(#"{"model":"m","input":"a","input_type":\#(value)}"#).purpose == wanted)
    }

    @Test(
        arguments: [
            (#""NONE""#, .some(.none)), (#""start""#, .start), (#""END""#, .end), ("true", .end),
            ("false", .some(.none)), (#""left""#, nil), ("null", nil), ("1", nil),
        ] as [(String, EmbeddingsRequest.Truncation?)])
    func `Truncation is read in many words`(value: String, wanted: EmbeddingsRequest.Truncation?) throws {
        #expect(try parse(#"{"model":"m","input":"a","truncate":\#(value)}"#).truncation == wanted)
    }

    @Test func `What nobody knows is no reason to refuse`() throws {
        let request = try parse(
            #"{"model":"m","input":"a","user":"u","encoding_format":null,"task":"retrieval.query","normalized":true,"late_chunking":false}"#
        )
        #expect(request.inputs.count == 1 && request.format == .float && request.purpose == nil)
    }
}
