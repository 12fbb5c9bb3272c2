import ProxyRouting

/// What an upstream that speaks the OpenAI API says when it refuses or fails, for the client.
///
/// What the request itself is to blame for keeps status, message, type and code; the rest is told in the proxy's own words
/// for it, as for every upstream.
enum ProviderErrorReader {
    /// - Parameters:
    ///   - retryAfter: the seconds of the `retry-after` header.
    ///   - body: the body as it came; markup and empty bodies are never passed on.
    ///   - upstream: its name, for the operator.
    static func translate(status: Int, retryAfter: Int?, body: [UInt8], upstream: String) -> Failure {
        translate(status: status, retryAfter: retryAfter, ErrorWords(body: body), upstream: upstream)
    }

    /// An error in place of an answer or of an event, under HTTP status 200. Its code may be the status that it should have
    /// had: then it means the same.
    ///
    /// - Parameter document: nil when there were no words that could be read.
    static func translate(document: JSONValue?, upstream: String) -> Failure {
        let words = ErrorWords(document)
        var error = translate(status: words.status, retryAfter: nil, words, upstream: upstream)
        error.isUnderSuccess = true
        return error
    }

    private static func translate(status: Int?, retryAfter: Int?, _ words: ErrorWords, upstream: String) -> Failure {
        let refusal = Refusal(status: status, words)
        return failure(
            refusal.subject, status: status, retryAfter: retryAfter ?? (refusal.mayNameAPause ? words.retryAfter : nil),
            words, upstream: upstream)
    }

    private static func failure(
        _ subject: Refusal.Subject, status: Int?, retryAfter: Int?, _ words: ErrorWords, upstream: String
    ) -> Failure {
        switch subject {
        case .content: .refusedContent(words.message ?? noReason(400, upstream), code: words.code, status: status)
        case .request:
            Failure(
                .refused, words.message ?? noReason(status, upstream), field: words.vendorParameter,
                said: .init(
                    status: status, type: words.type,
                    code: words.code ?? (status == 413 ? "request_too_large" : "invalid_request")))
        case .promptTooLong: ContextLength.error(from: words.message ?? "")
        case .modelGone:
            // Its own code where the status says enough.
            Failure(
                .modelGone, words.message ?? "'\(upstream)' does not know this model.",
                field: words.vendorParameter ?? "model",
                said: .init(type: words.type, code: status == 404 ? words.code : nil))
        case .modelNotAllowed:
            .modelNotAllowed(words.message ?? "'\(upstream)' does not let this proxy use the model.", code: words.code)
        case .credentialsRefused:
            Failure(.credentialsRefused, refusedToken(words, status: status ?? 200, upstream: upstream))
        case .credentialsDoubted:
            Failure(.credentialsDoubted, refusedToken(words, status: status ?? 200, upstream: upstream))
        case .accountExhausted: Failure(.accountExhausted, exhausted(words, upstream), retryAfter: retryAfter)
        case .accountDoubted: Failure(.accountDoubted, exhausted(words, upstream), retryAfter: retryAfter)
        case .throttled:
            Failure(
                .throttled, words.message ?? "'\(upstream)' throttles this proxy. Try again later.",
                retryAfter: retryAfter)
        case .unavailable:
            Failure(
                .unavailable, words.message ?? "'\(upstream)' is unavailable at the moment. Try again.",
                retryAfter: retryAfter)
        case .timedOut:
            Failure(
                .timedOut,
                "'\(upstream)' did not answer in time\(status.map { " (HTTP \($0))" } ?? "")\(reason(words)). Try again."
            )
        case .failed: failed(words, status: status, upstream: upstream)
        }
    }

    private static func failed(_ words: ErrorWords, status: Int?, upstream: String) -> Failure {
        switch status {
        case nil:
            Failure(
                .failed(.reported), words.message ?? "'\(upstream)' reported an error without a reason. Try again.",
                said: .init(code: words.code))
        case let status? where status >= 500:
            Failure(.failed(.serverError), words.message ?? "'\(upstream)' failed (HTTP \(status)). Try again.")
        case let status?:
            Failure(
                .failed(.invalid),
                words.message.map { "'\(upstream)' answered HTTP \(status): \($0)" }
                    ?? "'\(upstream)' returned an unexpected status, HTTP \(status). The operator must check its base URL."
            )
        }
    }

    private static func refusedToken(_ words: ErrorWords, status: Int, upstream: String) -> String {
        "'\(upstream)' rejected this proxy's token (HTTP \(status)\(reason(words))). The operator must check the token."
    }

    private static func exhausted(_ words: ErrorWords, _ upstream: String) -> String {
        words.message.map(MaskedWords.withoutKeys) ?? "The quota at '\(upstream)' is used up."
    }

    private static func reason(_ words: ErrorWords) -> String {
        words.message.map { ": \(MaskedWords.withoutKeys($0))" } ?? ""
    }

    private static func noReason(_ status: Int?, _ upstream: String) -> String {
        status == 413
            ? "The request is larger than '\(upstream)' accepts."
            : "'\(upstream)' rejected the request without a reason."
    }

    /// The error beside choices, if there is one: OpenRouter puts it there, or into the choice.
    static func failure(of root: JSONValue, upstream: String) -> Failure? {
        if root.present("error") != nil { return translate(document: root, upstream: upstream) }
        return root.elements(of: "choices").first { $0.present("error") != nil }.map {
            translate(document: $0, upstream: upstream)
        }
    }
}

extension Failure {
    /// What came is not what was asked for.
    static func invalidAnswer(_ problem: String, _ upstream: String) -> Failure {
        Failure(
            .failed(.invalid),
            "The response of '\(upstream)' \(problem). Try again; if the error persists, check its base URL.")
    }
}
