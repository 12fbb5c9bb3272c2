import NIOHTTP1

/// The calls beside chats: a document goes there, a document comes back.
extension OCIAccount {
    /// The last part of the call's path.
    enum TextAction: String, Sendable {
        case embed = "embedText"
        case rerank = "rerankText"
    }

    /// `POST /20231130/actions/embedText` or `rerankText`: the whole answer.
    ///
    /// - Parameter limit: bytes of the answer.
    /// - Throws: `APIError` for what the service refuses, `TransportError`, `CancellationError`, `PrivateKeyError`, `CredentialFailure`.
    func answer(to action: TextAction, _ details: CallDetails, upTo limit: Int) async throws -> [UInt8] {
        let request = try await signed(
            .POST, "/20231130/actions/" + action.rawValue, at: inference, body: details.document(in: compartment), accept: "application/json")
        return try await successful(try await send(request)).collect(upTo: limit)
    }

    /// The response if it is one; the service's refusal as an error otherwise.
    func successful(_ response: TransportResponse) async throws -> TransportResponse {
        guard response.status != 200 else { return response }
        // Error bodies are small; what is longer is not read, and an unreadable one says nothing.
        let body = (try? await response.collect(upTo: 256 << 10)) ?? []
        try Task.checkCancellation()
        let retryAfter = response.headers.first(name: "retry-after").flatMap { RetryAfter.seconds($0, now: time.wallClock()) }
        throw refusal(status: response.status, retryAfter: retryAfter, body: body)
    }

    /// What the service says when it refuses, in the OpenAI form, without the key that it may repeat.
    func refusal(status: Int, retryAfter: Int?, body: [UInt8]) -> APIError {
        withoutKey(OCIErrorToOpenAI.translate(status: status, retryAfter: retryAfter, body: body, account: id))
    }

    /// An error of the account, in whose words its key may stand.
    func withoutKey(_ error: APIError) -> APIError {
        guard let key = credentials.bearerKey?.reveal(), !key.isEmpty else { return error }
        var error = error
        error.message.replace(key, with: "***")
        return error
    }
}
