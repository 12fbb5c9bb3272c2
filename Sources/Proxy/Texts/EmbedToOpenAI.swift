import ProxyRouting

/// OCI's answers to the batches of an embeddings request (EmbedTextResult), joined into one OpenAI answer.
enum EmbedToOpenAI {
    /// What has come of one batch.
    struct Part: Sendable {
        /// The entries of `data`, with commas between them.
        let entries: [UInt8]
        let usage: TokenUsage?
    }

    /// - Parameter range: the places of the batch's texts in the request.
    /// - Throws: `Failure` 502 when the document is no answer, or not one to all texts of the batch.
    static func part(_ body: [UInt8], range: Range<Int>, format: EmbeddingsRequest.Format) throws(Failure) -> Part {
        guard let root = try? JSONDocument(parsing: body).root,
            let vectors = root.present("embeddings") ?? root["embeddingsByType"]?["float"],
            vectors.kind == .array
        else { throw .noEmbeddings("is not a list of embeddings") }
        // Without the brackets of an array, which come when the parts are joined.
        var writer = JSONWriter(capacity: format == .float ? body.count + range.count * 64 : body.count / 2 + 256)
        var index = range.lowerBound
        for vector in vectors.elements {
            writer.beginObject()
            writer.key("object")
            writer.string(literal: "embedding")
            writer.key("index")
            writer.int(index)
            writer.key("embedding")
            switch format {
            case .float:
                guard isVector(vector) else { throw .noEmbeddings("contains an invalid vector") }
                writer.raw(vector.raw)
            case .base64:
                guard let bytes = floats(vector) else { throw .noEmbeddings("contains an invalid vector") }
                writer.string(escaped: Base64.encode(bytes)[...])
            }
            writer.endObject()
            index += 1
        }
        guard index == range.upperBound else {
            throw .noEmbeddings("contains \(index - range.lowerBound) vectors for \(range.count) texts")
        }
        return Part(entries: writer.bytes, usage: TokenUsage(oci: root["usage"]))
    }

    /// - Parameters:
    ///   - parts: in the order of their batches.
    ///   - model: the name that the client used.
    static func join(_ parts: [Part], model: String) -> [UInt8] {
        var writer = JSONWriter(capacity: parts.reduce(256) { $0 + $1.entries.count + 1 })
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "list")
        writer.key("data")
        writer.beginArray()
        for part in parts { writer.raw(part.entries[...]) }
        writer.endArray()
        writer.key("model")
        writer.string(model)
        writer.key("usage")
        writer.beginObject()
        // Clients want numbers here, also where OCI tells none.
        writer.key("prompt_tokens")
        writer.int(parts.reduce(0) { $0 + ($1.usage?.prompt ?? 0) })
        writer.key("total_tokens")
        writer.int(parts.reduce(0) { $0 + ($1.usage?.total ?? 0) })
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func isVector(_ value: JSONValue) -> Bool {
        var numbers = value.elements
        guard numbers.next()?.kind == .number else { return false }
        return numbers.allSatisfy { $0.kind == .number }
    }

    /// The numbers as 32-bit floats, the least significant byte first; nil when this is no vector.
    private static func floats(_ vector: JSONValue) -> [UInt8]? {
        var bytes: [UInt8] = []
        // A number of a vector is rarely written shorter than that.
        bytes.reserveCapacity(vector.raw.count / 2)
        for number in vector.elements {
            // Out of the text, not out of a double: that would round twice.
            guard number.kind == .number, let float = Float(String(decoding: number.raw, as: UTF8.self)), float.isFinite
            else { return nil }
            for place in 0..<4 as Range<UInt32> {
                bytes.append(UInt8(truncatingIfNeeded: float.bitPattern >> (8 * place)))
            }
        }
        return bytes.isEmpty ? nil : bytes
    }
}

extension Failure {
    /// The upstream's answer says something else than what was asked for.
    fileprivate static func noEmbeddings(_ what: String) -> Failure {
        Failure(
            .failed(.invalid),
            "The upstream's response \(what). Try again; if the error persists, check the account's endpoint."
        )
    }
}
