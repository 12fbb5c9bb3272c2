import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Embeddings there and back: the golden pairs, the batches, and what comes of odd answers.
@Suite struct EmbedTests {
    private static let compartment = "ocid1.compartment.oc1..aaaaaaaacompartmentfixture"

    private func batches(_ json: String, model: String = "cohere.embed-v4.0") throws -> [OpenAIToEmbed.Batch] {
        try OpenAIToEmbed.translate(.parse(Array(json.utf8)), to: ServingMode(id: model), modelID: model)
    }

    private func document(_ batch: OpenAIToEmbed.Batch) throws -> Golden.Object {
        try #require(try Golden.parse(batch.details.document(in: Self.compartment).bytes) as? Golden.Object)
    }

    @Test func `All cases are there`() {
        #expect(Golden.cases("oci/embed", "embed_").count == 2)
    }

    @Test(arguments: Golden.cases("oci/embed", "embed_"))
    func `Every fixture is translated both ways`(golden: Golden.Case) throws {
        let request = try EmbeddingsRequest.parse(
            Array(JSONSerialization.data(withJSONObject: try #require(golden.object["openai_request"]))))
        let wanted = try #require(golden.object["oci_request"] as? Golden.Object)
        let id = try #require((wanted["servingMode"] as? Golden.Object)?["modelId"] as? String)
        let batches = try OpenAIToEmbed.translate(request, to: ServingMode(id: id), modelID: id)
        let batch = try #require(batches.first)
        let sent = try document(batch)
        #expect(batches.count == 1 && Golden.difference(sent, wanted) == nil)
        let upstream = Array(try JSONSerialization.data(withJSONObject: try #require(golden.object["oci_response"])))
        let answer = EmbedToOpenAI.join(
            [try EmbedToOpenAI.part(upstream, range: batch.range, format: request.format)], model: request.model)
        #expect(Golden.difference(try Golden.parse(answer), golden.object["openai_response"]) == nil)
    }

    @Test func `What the client chooses goes out`() throws {
        let sent = try document(
            try #require(
                batches(#"{"model":"m","input":"a","dimensions":512,"input_type":"query","truncate":"NONE"}"#).first))
        #expect(
            sent["outputDimensions"] as? Int == 512 && sent["inputType"] as? String == "SEARCH_QUERY"
                && sent["truncate"] as? String == "NONE")
    }

    @Test func `An endpoint is named as such`() throws {
        let endpoint = "ocid1.generativeaiendpoint.oc1.us-chicago-1.a"
        let batch = try #require(try batches(#"{"model":"m","input":"a","dimensions":7}"#, model: endpoint).first)
        let mode = try #require(try document(batch)["servingMode"] as? Golden.Object)
        #expect(mode as? [String: String] == ["servingType": "DEDICATED", "endpointId": endpoint])
    }

    @Test(arguments: [
        ("cohere.embed-multilingual-v3.0", 1024), ("cohere.embed-english-light-v3.0", 384),
        ("cohere.embed-english-image-v3.0", 1024),
        ("cohere.embed-multilingual-light-image-v3.0", 384),
    ])
    func `A model of one length is not asked for it`(model: String, length: Int) throws {
        #expect(
            try document(
                try #require(batches(#"{"model":"m","input":"a","dimensions":\#(length)}"#, model: model).first))[
                    "outputDimensions"] == nil)
        let error = #expect(throws: Failure.self) {
            try batches(#"{"model":"m","input":"a","dimensions":256}"#, model: model)
        }
        #expect(error?.status == 400 && error?.param == "dimensions" && error?.message.contains("\(length)") == true)
    }

    @Test(arguments: [
        (1, [1]), (96, [96]), (97, [96, 1]), (200, [96, 96, 8]), (2048, Array(repeating: 96, count: 21) + [32]),
    ])
    func `A list is cut into what a model takes`(count: Int, sizes: [Int]) throws {
        let batches = try batches(
            #"{"model":"m","input":[\#((0..<count).map { "\"t\($0)\"" }.joined(separator: ","))]}"#)
        #expect(batches.map(\.range.count) == sizes)
        #expect(
            try batches.flatMap { try #require(document($0)["inputs"] as? [String]) } == (0..<count).map { "t\($0)" })
    }

    @Test func `Images go one by one`() throws {
        let batches = try batches(
            #"{"model":"m","input":["data:image/png;base64,AA==","data:image/png;base64,AQ=="],"input_type":"image"}"#)
        #expect(
            try batches.map { try document($0)["inputs"] as? [String] } == [
                ["data:image/png;base64,AA=="], ["data:image/png;base64,AQ=="],
            ])
    }

    // MARK: Answers

    private func join(_ upstream: String, _ count: Int, _ format: EmbeddingsRequest.Format) throws(Failure) -> String {
        String(
            decoding: EmbedToOpenAI.join(
                [try EmbedToOpenAI.part(Array(upstream.utf8), range: 0..<count, format: format)], model: "m"),
            as: UTF8.self)
    }

    @Test func `Numbers stay as the upstream wrote them`() throws {
        let numbers = "[0.1000000000000000055511151231257827, -1E-7,3,1e-400]"
        #expect(try join(#"{"embeddings":[\#(numbers)]}"#, 1, .float).contains(#""embedding":\#(numbers)"#))
    }

    @Test func `Base 64 is the nearest floats from the least significant byte`() throws {
        let answer =
            try Golden.parse(
                Array(join(#"{"embeddings":[[0.1,-1.5,3e38,1e-45,16777217.000000001,0]]}"#, 1, .base64).utf8))
            as? Golden.Object
        let text = try #require((answer?["data"] as? [Golden.Object])?.first?["embedding"] as? String)
        let data = try #require(Data(base64Encoded: text))
        let floats = stride(from: 0, to: data.count, by: 4).map { start -> Float in
            var bits: UInt32 = 0
            for place in 0..<4 { bits |= UInt32(data[start + place]) << UInt32(8 * place) }
            return Float(bitPattern: bits)
        }
        // The fifth lies above the middle between two floats; by way of a double it would fall on it, and down.
        #expect(floats == [0.1, -1.5, 3e38, Float.leastNonzeroMagnitude, 16_777_218, 0])
    }

    @Test func `Vectors by type are found`() throws {
        #expect(try join(#"{"embeddingsByType":{"float":[[1,2]]}}"#, 1, .float).contains(#""embedding":[1,2]"#))
    }

    @Test func `Usage is summed and never missing`() throws {
        func part(_ usage: String, _ range: Range<Int>) throws -> EmbedToOpenAI.Part {
            try EmbedToOpenAI.part(Array(#"{"embeddings":[[1]]\#(usage)}"#.utf8), range: range, format: .float)
        }
        let parts = [
            try part(#","usage":{"promptTokens":3,"totalTokens":3}"#, 0..<1), try part("", 1..<2),
            try part(#","usage":{"promptTokens":4,"completionTokens":0}"#, 2..<3),
        ]
        let answer = try #require(try Golden.parse(EmbedToOpenAI.join(parts, model: "m")) as? Golden.Object)
        #expect(answer["usage"] as? [String: Int] == ["prompt_tokens": 7, "total_tokens": 7])
        #expect((answer["data"] as? [Golden.Object])?.map { $0["index"] as? Int } == [0, 1, 2])
    }

    @Test(
        arguments: [
            "", "{}", "[]", "<html>", #"{"embeddings":null}"#, #"{"embeddings":{}}"#, #"{"embeddings":[]}"#,
            #"{"embeddings":[[1]]}"#, #"{"embeddings":[[1],[2],[3]]}"#,
            #"{"embeddings":[[1],[]]}"#, #"{"embeddings":[[1],2]}"#, #"{"embeddings":[[1],["2"]]}"#,
            #"{"embeddings":[[1],[2,null]]}"#, #"{"embeddings":[[1],{}]}"#,
        ], [EmbeddingsRequest.Format.float, .base64])
    func `What is no answer to both texts is an upstream failure`(upstream: String, format: EmbeddingsRequest.Format) {
        let error = #expect(throws: Failure.self) { try join(upstream, 2, format) }
        #expect(error?.status == 502 && error?.code == "upstream_invalid_answer")
    }

    @Test func `A number beyond floats is no float`() {
        #expect(throws: Failure.self) { try join(#"{"embeddings":[[1e39]]}"#, 1, .base64) }
    }

    // MARK: Properties

    /// Texts of any kind, cut, answered batch by batch and joined: each vector is its text's, in its place.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Splitting and joining keeps the order`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let alphabet = ["a", "é", "\"", "\\", "\n", "\u{1F600}", "語", "\u{7f}", "/", " ", "\u{0}"]
        let texts = (0..<Int.random(in: 1...500, using: &random)).map { _ in
            (0..<Int.random(in: 1...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" }
                .joined()
        }
        let format: EmbeddingsRequest.Format = Bool.random(using: &random) ? .float : .base64
        let body: Golden.Object = [
            "model": "m", "input": texts, "encoding_format": format == .float ? "float" : "base64",
        ]
        let request = try EmbeddingsRequest.parse(Array(JSONSerialization.data(withJSONObject: body)))
        let batches = try OpenAIToEmbed.translate(
            request, to: .onDemand(modelID: "cohere.embed-v4.0"), modelID: "cohere.embed-v4.0")
        let parts = try batches.map { batch in
            let inputs = try #require(document(batch)["inputs"] as? [String])
            let result: Golden.Object = [
                "embeddings": inputs.map(Self.vector),
                "usage": ["promptTokens": inputs.count, "totalTokens": inputs.count],
            ]
            return try EmbedToOpenAI.part(
                Array(JSONSerialization.data(withJSONObject: result)), range: batch.range, format: request.format)
        }
        let answer = try #require(try Golden.parse(EmbedToOpenAI.join(parts, model: request.model)) as? Golden.Object)
        let data = try #require(answer["data"] as? [Golden.Object])
        #expect(data.map { $0["index"] as? Int } == Array(texts.indices))
        #expect(try data.map { try Self.floats($0["embedding"]) } == texts.map { Self.vector($0).map { Float($0) } })
        #expect((answer["usage"] as? [String: Int])?["prompt_tokens"] == texts.count)
    }

    /// Numbers that tell texts apart and are exact in 32 bits.
    private static func vector(_ text: String) -> [Int] {
        [text.utf8.count] + text.unicodeScalars.map { Int($0.value) }
    }

    private static func floats(_ value: Any?) throws -> [Float] {
        if let numbers = value as? [Double] { return numbers.map { Float($0) } }
        let text = try #require(value as? String)
        let data = try #require(Data(base64Encoded: text))
        return data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `A damaged answer is an answer or an error`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var body = Array(
            #"{"id":"e","embeddings":[[0.5,-0.25],[0.125,1e3]],"usage":{"promptTokens":4,"totalTokens":4}}"#.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: body.indices, using: &random)
            let junk = ["null", "-9e18", "1e999", "\"\"", "[]", "{}", ","].randomElement(using: &random) ?? ""
            if Bool.random(using: &random) {
                body[index] = UInt8.random(in: .min ... .max, using: &random)
            } else {
                body.insert(contentsOf: junk.utf8, at: index)
            }
        }
        for format in [EmbeddingsRequest.Format.float, .base64] {
            do throws(Failure) {
                let answer = EmbedToOpenAI.join(
                    [try EmbedToOpenAI.part(body, range: 0..<2, format: format)], model: "m")
                #expect(throws: Never.self) { try Golden.parse(answer) }
            } catch {
                #expect(error.status == 502)
            }
        }
    }
}
