/// `GET /v1/models` and `GET /v1/models/{id}`.
struct ModelsRoute: Sendable {
    let catalog: ModelCatalog
    /// The accounts that serve what the catalogue holds.
    let accounts: [String]
    /// Seconds since 1970 when the catalogue was made; some clients refuse a list whose `created` is no number.
    let created: Int64

    func list() -> Answer {
        var writer = JSONWriter(capacity: 256 + catalog.entries.count * 160)
        writer.beginObject()
        writer.key("object")
        writer.string("list")
        writer.key("data")
        writer.beginArray()
        for entry in catalog.entries { write(entry, to: &writer) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    func one(_ id: String) throws(APIError) -> Answer {
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
        writer.int(Int(created))
        writer.key("owned_by")
        writer.string(entry.owner)
        writer.key("oci_model_id")
        writer.string(entry.target.modelID)
        writer.key("accounts")
        writer.beginArray()
        for account in accounts { writer.string(account) }
        writer.endArray()
        writer.endObject()
    }
}
