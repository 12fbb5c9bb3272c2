import NIOHTTP1
import ProxyRouting

/// What an account serves, as it says itself.
extension OCIAccount {
    /// Pages of a list that never ends are not followed for ever.
    private static let mostPages = 100

    /// `GET /20231130/models`: one page of at most `limit` models. It proves that the account can be reached, that its clock and key
    /// are right and that its user may list models. With an API key `GET /openai/v1/models`, which is all that such a key can ask.
    ///
    /// - Parameter page: what the page before named as the next one; nil for the first.
    /// - Throws: `TransportError`, `CancellationError`, `PrivateKeyError`, `CredentialFailure`.
    func listModels(limit: Int, page: String? = nil) async throws -> TransportResponse {
        let request =
            switch chatForm {
            case .oci:
                try await signed(
                    .GET,
                    "/20231130/models?compartmentId=\(compartment.percentEncodedForQuery)&limit=\(limit)"
                        + (page.map { "&page=\($0.percentEncodedForQuery)" } ?? ""),
                    at: management, body: nil, accept: "application/json")
            case .openAIOnOCI, .openAI:
                try await signed(
                    .GET, Self.openAIPath + "/models", at: inference, body: nil, accept: "application/json")
            }
        return try await send(request)
    }

    /// The models of a page; nil when the body is no list.
    func models(in page: [UInt8]) -> [ModelSummary]? {
        switch chatForm {
        case .oci: ModelSummary.page(page)
        case .openAIOnOCI, .openAI: ModelSummary.openAIList(page)
        }
    }

    /// Whether the answer says that there is no list to be had, which is no fault: OCI's OpenAI-compatible path has one in some
    /// places only.
    func hasNoList(_ response: TransportResponse) -> Bool {
        chatForm != .oci && (response.status == 404 || response.status == 405)
    }

    /// Everything that the account lists, page by page (OCI wire notes, 6).
    ///
    /// - Throws: `Failure` when OCI refuses or answers with no list; else as `listModels`.
    func allModels() async throws -> [ModelSummary] {
        var models: [ModelSummary] = []
        var page: String?
        for _ in 0..<Self.mostPages {
            let response = try await listModels(limit: 100, page: page)
            let body = try await response.collect(upTo: 4 << 20)
            if hasNoList(response) { return ModelSummary.servedWithAPIKeys }
            guard response.status == 200 else {
                throw refusal(status: response.status, retryAfter: nil, body: body)
            }
            guard let items = self.models(in: body) else {
                throw Failure(
                    .failed(.invalid), "Account '\(id)' did not return a model list.")
            }
            models += items
            // An empty page can have a successor: the header alone says where the list ends.
            guard let next = response.headers.first(name: "opc-next-page"), !next.isEmpty, next != page else { break }
            page = next
        }
        return models
    }
}

extension ModelSummary {
    /// Those that Oracle names for API keys (OCI wire notes, 7), for places where the service does not tell.
    static let servedWithAPIKeys = [
        "meta.llama-3.3-70b-instruct", "meta.llama-4-maverick-17b-128e-instruct-fp8",
        "meta.llama-4-scout-17b-16e-instruct", "openai.gpt-oss-120b",
        "openai.gpt-oss-20b", "xai.grok-4.3", "xai.grok-4.20-reasoning", "xai.grok-4.20-non-reasoning", "xai.grok-4.6",
    ].map { ModelSummary(chat: $0) }

    /// The chat models of an OpenAI list; nil when the body is none. Lists do not tell what a model can do: what has the name of an
    /// embedding or rerank model is passed over.
    static func openAIList(_ body: [UInt8]) -> [ModelSummary]? {
        guard let items = try? JSONDocument(parsing: body).root["data"], items.kind == .array else { return nil }
        return items.elements.compactMap { item in
            guard let id = item["id"]?.string, !id.isEmpty, !id.contains("embed"), !id.contains("rerank") else {
                return nil
            }
            return ModelSummary(chat: id, created: item["created"]?.int)
        }
    }

    private init(chat id: String, created: Int? = nil) {
        self.init(
            displayName: id, ocid: "", vendor: nil, capabilities: [Purpose.chat.rawValue], isActive: true, isBase: true,
            created: created, retired: nil)
    }
}
