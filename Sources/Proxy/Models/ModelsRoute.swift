import ProxyRouting

/// `GET /v1/models` and `GET /v1/models/{id}`.
struct ModelsRoute: Sendable {
    let directory: ModelDirectory
    let discovery: ModelDiscovery
    /// In the router's order.
    let accounts: [String]
    /// Seconds since 1970, for models whose age nobody knows; some clients refuse a list whose `created` is no number.
    let created: Int64

    func list() async -> Response {
        await discovery.refreshIfDue()
        let catalog = directory.catalog
        var writer = JSONWriter(capacity: 256 + catalog.entries.count * 160)
        writer.beginObject()
        writer.key("object")
        writer.string("list")
        writer.key("data")
        writer.beginArray()
        for entry in catalog.entries { write(entry, to: &writer) }
        for entry in catalog.otherEntries { write(entry, to: &writer) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// - Throws: 404 `model_not_found`.
    func one(_ id: String) async throws(Failure) -> Response {
        await discovery.refreshIfDue()
        let catalog = directory.catalog
        let target = try catalog.resolve(id)
        var writer = JSONWriter()
        write(catalog[id] ?? ModelCatalog.Entry(name: id, target: target), to: &writer)
        return .json(writer.bytes)
    }

    private func write(_ entry: ModelCatalog.Entry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(entry.name)
        writer.key("object")
        writer.string("model")
        writer.key("created")
        writer.int(entry.created ?? Int(created))
        writer.key("owned_by")
        writer.string(entry.owner)
        if entry.provider == nil {
            writer.key("oci_model_id")
            writer.string(entry.target.serving.id)
            writer.key("accounts")
            writer.beginArray()
            for index in entry.target.accepts { writer.string(accounts[index]) }
            writer.endArray()
            write(purposes: entry.purposes, to: &writer)
            if let limits = ModelLimits.of(entry.target.modelID) { write(limits, to: &writer) }
        }
        writer.members(entry.details)
        writer.endObject()
    }

    /// What a model is for: `chat`, `embeddings`, `rerank`.
    private func write(purposes: [ModelSummary.Purpose], to writer: inout JSONWriter) {
        writer.key("capabilities")
        writer.beginArray()
        for purpose in purposes.isEmpty ? [.chat] : purposes {
            switch purpose {
            case .chat: writer.string(literal: "chat")
            case .embeddings: writer.string(literal: "embeddings")
            case .rerank: writer.string(literal: "rerank")
            }
        }
        writer.endArray()
    }

    /// Under the names that most clients read.
    private func write(_ limits: ModelLimits, to writer: inout JSONWriter) {
        for name in ["context_length", "context_window", "max_model_len"] as [StaticString] {
            writer.key(name)
            writer.int(limits.context)
        }
        if let output = limits.output {
            writer.key("max_output_tokens")
            writer.int(output)
        }
    }
}
