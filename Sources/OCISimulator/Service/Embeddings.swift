import FoundationEssentials

/// `embedText` and `rerankText` in simple form: the same text gives the same numbers (OCI wire notes 3.6).
package struct Embeddings {
    package let catalogue: Catalogue
    package let region: String
    package let compartments: [String]

    package func embed(_ body: JSON) throws(ChatValidator.Refusal) -> JSON {
        if let mismatch = ChatShapes.embed.mismatch(body) { throw .init(error: .wrongFormat, detail: mismatch) }
        let model = try resolve(body, capability: "TEXT_EMBEDDINGS")
        let inputs =
            body["inputs"]?.array?.compactMap(\.string)
            ?? (body["embedContents"]?.array ?? []).map { $0["text"]?.string ?? $0["imageUrl"]?["url"]?.string ?? "" }
        guard !inputs.isEmpty else {
            throw .init(error: .invalidParameter("inputs must not be empty"), detail: "no inputs")
        }
        let canChoose = model.name.hasPrefix("cohere.embed-v4")
        let wanted = body["outputDimensions"]?.integer
        guard wanted.map({ canChoose && [256, 512, 1024, 1536].contains($0) }) ?? true else {
            throw .init(
                error: .invalidParameter("outputDimensions is not supported by this model"), detail: "dimensions")
        }
        let dimensions = wanted ?? (canChoose ? 1536 : model.name.contains("light") ? 384 : 1024)
        let tokens = inputs.reduce(0) { $0 + $1.split(separator: " ").count }
        var result: JSON = [
            "id": "embed", "modelId": .string(model.name), "modelVersion": .string(model.version),
            "usage": [
                "promptTokens": .integer(tokens), "completionTokens": 0, "totalTokens": .integer(tokens),
            ],
        ]
        let vectors = inputs.map { Self.vector($0, dimensions: dimensions) }
        let types = body["embeddingTypes"]?.array?.compactMap(\.string) ?? []
        if types.isEmpty {
            result["embeddings"] = Self.floats(vectors)
        } else {
            var byType = JSONObject()
            for type in types {
                byType[type] = type == "base64" ? .array(vectors.map(Self.base64)) : Self.floats(vectors)
            }
            result["embeddingsByType"] = .object(byType)
        }
        if body["isEcho"]?.bool == true { result["inputs"] = .array(inputs.map(JSON.string)) }
        return result
    }

    /// Documents that share more words with the query come first.
    package func rerank(_ body: JSON) throws(ChatValidator.Refusal) -> JSON {
        if let mismatch = ChatShapes.rerank.mismatch(body) { throw .init(error: .wrongFormat, detail: mismatch) }
        let model = try resolve(body, capability: "TEXT_RERANK")
        let query = Self.words(body["input"]?.string ?? "")
        let documents = (body["documents"]?.array ?? []).compactMap(\.string)
        var ranked: [(index: Int, score: Double)] = []
        for (index, text) in documents.enumerated() {
            let shared = Self.words(text).intersection(query).count
            ranked.append((index, Double(shared + 1) / Double(query.count + 2)))
        }
        ranked.sort { left, right in left.score == right.score ? left.index < right.index : left.score > right.score }
        let isEcho = body["isEcho"]?.bool == true
        let ranks = ranked.prefix(body["topN"]?.integer ?? documents.count).map { rank -> JSON in
            var value: JSON = ["index": .integer(rank.index), "relevanceScore": .number(rank.score)]
            if isEcho { value["document"] = ["text": .string(documents[rank.index])] }
            return value
        }
        return [
            "id": "rerank", "modelId": .string(model.name), "modelVersion": .string(model.version),
            "documentRanks": .array(ranks),
        ]
    }

    private func resolve(_ body: JSON, capability: String) throws(ChatValidator.Refusal) -> CatalogueModel {
        let model = try ServingMode(catalogue).resolve(body, region: region, compartments: compartments)
        guard model.capabilities.contains(capability) else {
            throw .init(
                error: ServiceError(400, "Model \(model.name) does not support this operation."), detail: capability)
        }
        return model
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    }

    /// Multiples of 1/128 from -1 to 1 out of the text's digest: exact in 32 bits.
    private static func vector(_ text: String, dimensions: Int) -> [Float] {
        let digest = Digest.sha256(Array(text.utf8))
        return (0..<dimensions).map { index in
            let byte = digest[index % digest.count] &+ UInt8(truncatingIfNeeded: index / digest.count)
            return Float(Int8(bitPattern: byte)) / 128
        }
    }

    private static func floats(_ vectors: [[Float]]) -> JSON {
        .array(vectors.map { .array($0.map { .number(Double($0)) }) })
    }

    private static func base64(_ vector: [Float]) -> JSON {
        var bytes: [UInt8] = []
        for value in vector {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return .string(Data(bytes).base64EncodedString())
    }
}
