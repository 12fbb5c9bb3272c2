import NIOHTTP1
import ProxyRouting

/// `GET /v1/models` and `GET /v1/models/{id}`.
struct ModelsRoute: Sendable {
    let directory: ModelDirectory
    let discovery: ModelDiscovery
    /// In the router's order.
    let accounts: [String]
    /// Seconds since 1970, for models whose age nobody knows; some clients refuse a list whose `created` is no number.
    let created: Int64
    var retirements = ModelRetirements()

    nonisolated(nonsending) func list(_ context: RequestContext) async throws(Failure) -> Response {
        await discovery.refreshIfDue()
        let catalog = directory.catalog
        let entries = catalog.entries(for: context.caller, among: catalog.entries + catalog.otherEntries)
        if Self.isAnthropic(context.request.head) { return try page(entries, catalog, asked: context.request.head.uri) }
        var writer = JSONWriter(capacity: 256 + entries.count * 160)
        writer.beginObject()
        writer.key("object")
        writer.string("list")
        writer.key("data")
        writer.beginArray()
        for entry in entries { write(entry, catalog, isAnthropic: false, to: &writer) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// - Throws: 404 `model_not_found`.
    nonisolated(nonsending) func one(_ context: RequestContext) async throws(Failure) -> Response {
        await discovery.refreshIfDue()
        let id = ModelName.withoutWindow(context.rest ?? "")
        let catalog = directory.catalog
        let target = try catalog.resolveWithWildcard(id, by: context.caller)
        var writer = JSONWriter()
        write(
            catalog[id] ?? ModelCatalog.Entry(name: id, target: target), catalog,
            isAnthropic: Self.isAnthropic(context.request.head), to: &writer)
        return .json(writer.bytes)
    }

    /// The client reads the list as Anthropic's API has it.
    private static func isAnthropic(_ head: HTTPRequestHead) -> Bool {
        head.headers.value(of: "anthropic-version") != nil
    }

    // MARK: Anthropic's form

    /// A page of the list: `limit`, `after_id` and `before_id` say which.
    private func page(_ entries: [ModelCatalog.Entry], _ catalog: ModelCatalog, asked target: String) throws(Failure)
        -> Response
    {
        let limit = RequestTarget.query("limit", of: target).map { Int($0) ?? 0 } ?? 20
        guard (1...1000).contains(limit) else {
            throw .invalidRequest("limit: must be from 1 to 1000", field: "limit", as: .value)
        }
        var page = entries[...]
        var hasMore = false
        if let after = RequestTarget.query("after_id", of: target) {
            page = page.drop { $0.name != after }.dropFirst()
        }
        if let before = RequestTarget.query("before_id", of: target) {
            page = page.prefix { $0.name != before }
            hasMore = page.count > limit
            page = page.suffix(limit)
        } else {
            hasMore = page.count > limit
            page = page.prefix(limit)
        }
        var writer = JSONWriter(capacity: 256 + page.count * 320)
        writer.beginObject()
        writer.key("object")
        writer.string(literal: "list")
        writer.key("data")
        writer.beginArray()
        for entry in page { write(entry, catalog, isAnthropic: true, to: &writer) }
        writer.endArray()
        writer.key("has_more")
        writer.bool(hasMore)
        writer.key("first_id")
        if let first = page.first { writer.string(first.name) } else { writer.null() }
        writer.key("last_id")
        if let last = page.last { writer.string(last.name) } else { writer.null() }
        writer.endObject()
        return .json(writer.bytes)
    }

    private func writeAnthropicMembers(of entry: ModelCatalog.Entry, to writer: inout JSONWriter) {
        writer.key("type")
        writer.string(literal: "model")
        writer.key("display_name")
        writer.string(entry.name)
        writer.key("created_at")
        writer.string(RFC3339.format(entry.created.flatMap { (0..<1 << 40).contains($0) ? Int64($0) : nil } ?? created))
        writer.key("lifecycle")
        writer.string(literal: "active")
        let limits = entry.provider == nil ? ModelLimits.of(entry.target.modelID) : nil
        guard let limits else { return }
        writer.key("max_input_tokens")
        writer.int(limits.context)
        if let output = limits.output {
            writer.key("max_tokens")
            writer.int(output)
        }
    }

    // MARK: Entries

    private func write(
        _ entry: ModelCatalog.Entry, _ catalog: ModelCatalog, isAnthropic: Bool, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.key("id")
        writer.string(entry.name)
        if isAnthropic { writeAnthropicMembers(of: entry, to: &writer) }
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
        if let retirement = catalog.retirement(of: entry, retirements) { write(retirement, to: &writer) }
        // In Anthropic's form the members of that name are said above.
        if !isAnthropic { writer.members(entry.details) }
        writer.endObject()
    }

    /// When it goes: `shutdown_date` as OpenAI's list of deprecations has it.
    private func write(_ retirement: ModelCatalog.Retirement, to writer: inout JSONWriter) {
        if let at = retirement.at {
            writer.key("shutdown_date")
            writer.string(String(RFC3339.format(at).prefix(10)))
        }
        for (name, text) in [("retirement_info", retirement.words), ("successor", retirement.successor)] {
            guard let text else { continue }
            writer.key(name)
            writer.string(text)
        }
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
