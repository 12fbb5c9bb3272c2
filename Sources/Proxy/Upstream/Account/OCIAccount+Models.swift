import NIOHTTP1

extension OCIAccount {
    /// Pages of a list that never ends are not followed for ever.
    private static let mostPages = 100

    /// Everything that the account lists, page by page (OCI wire notes, 6).
    ///
    /// - Throws: `APIError` when OCI refuses or answers with no list; else as `listModels`.
    func allModels() async throws -> [ModelSummary] {
        var models: [ModelSummary] = []
        var page: String?
        for _ in 0..<Self.mostPages {
            let response = try await listModels(limit: 100, page: page)
            let body = try await response.collect(upTo: 4 << 20)
            guard response.status == 200 else {
                throw OCIErrorToOpenAI.translate(status: response.status, retryAfter: nil, body: body, account: id)
            }
            guard let items = ModelSummary.page(body) else {
                throw APIError(
                    status: 502, message: "Account '\(id)' answered with no model list.", type: "upstream_error", code: "upstream_invalid_answer")
            }
            models += items
            // An empty page can have a successor: the header alone says where the list ends.
            guard let next = response.headers.first(name: "opc-next-page"), !next.isEmpty, next != page else { break }
            page = next
        }
        return models
    }
}
