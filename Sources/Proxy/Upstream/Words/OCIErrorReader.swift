import ProxyRouting

/// What OCI says when it refuses. It is recognised here, once; nothing reads these words again.
///
/// The HTTP status decides, then the message: OCI's own `code` is a documented name or the status once more as text, and
/// the message may be another vendor's error as a JSON text (OCI wire notes, 3.7).
enum OCIErrorReader {
    /// - Parameters:
    ///   - retryAfter: the seconds of the `retry-after` header.
    ///   - body: the body as it came; markup and empty bodies are never passed on.
    ///   - account: named where an operator has to act.
    static func translate(status: Int, retryAfter: Int?, body: [UInt8], account: String) -> Failure {
        translate(status: status, retryAfter: retryAfter, ErrorWords(body: body), account: account)
    }

    /// An error in place of an event of a stream. No source shows one; the form of error bodies is expected (OCI wire
    /// notes, 4.6). Its `code` may be the HTTP status that it would have had: then it means the same.
    static func translate(event: JSONValue) -> Failure {
        let said = ErrorWords(event)
        let code = event["code"] ?? event["error"]?["code"]
        var error =
            if let status = code?.int ?? code?.string.flatMap({ Int($0) }),
                [400, 404, 413, 422, 429, 503].contains(status)
            {
                translate(status: status, retryAfter: nil, said, account: "")
            } else {
                translate(words: said)
                    ?? Failure(
                        .failed(.brokenOff),
                        "The upstream aborted the response: \(said.message ?? "no reason given.")")
            }
        error.isUnderSuccess = true
        return error
    }

    /// An error without a status.
    ///
    /// - Returns: nil when its words only say that something went wrong.
    static func translate(words: ErrorWords) -> Failure? {
        switch Refusal(status: nil, words).subject {
        case .failed, .credentialsRefused, .credentialsDoubted: nil
        case .request, .content, .promptTooLong, .modelNotAllowed, .modelGone, .throttled, .accountExhausted,
            .accountDoubted, .unavailable, .timedOut:
            translate(status: nil, retryAfter: nil, words, account: "")
        }
    }

    private static func translate(status: Int?, retryAfter: Int?, _ said: ErrorWords, account: String) -> Failure {
        let refusal = Refusal(status: status, said)
        return failure(
            refusal.subject, status: status, retryAfter: retryAfter ?? (refusal.mayNameAPause ? said.retryAfter : nil),
            said, account: account)
    }

    private static func failure(
        _ subject: Refusal.Subject, status: Int?, retryAfter: Int?, _ said: ErrorWords, account: String
    ) -> Failure {
        switch subject {
        case .content: .refusedContent(said.message ?? noReason, code: said.code, status: status)
        case .request where status == 413:
            Failure(
                .refused, said.message ?? "The request is larger than OCI accepts.",
                said: .init(status: 413, code: "request_too_large"))
        case .request:
            Failure(
                request(status, said), said.message ?? noReason, field: said.parameter,
                said: .init(status: status, code: said.openAICode))
        case .promptTooLong: ContextLength.error(from: said.message ?? "")
        case .modelGone:
            Failure(
                .modelGone, said.message ?? "OCI does not know this model, or this account may not use it.",
                field: "model")
        case .modelNotAllowed: .modelNotAllowed(said.message ?? "This account may not use the model.", code: said.code)
        case .credentialsRefused, .credentialsDoubted:
            Failure(
                subject == .credentialsRefused ? .credentialsRefused : .credentialsDoubted,
                "OCI rejected the credentials of account '\(account)' (\(status.map { "HTTP \($0)" } ?? "an error")\(reason(said))). "
                    + "The operator must check its user, fingerprint, key and the clock.")
        case .accountExhausted: Failure(.accountExhausted, said.message ?? exhausted, retryAfter: retryAfter)
        case .accountDoubted: Failure(.accountDoubted, said.message ?? exhausted, retryAfter: retryAfter)
        case .throttled:
            Failure(.throttled, said.message ?? "OCI throttles this account. Try again later.", retryAfter: retryAfter)
        case .unavailable:
            Failure(
                .unavailable, said.message ?? "OCI is unavailable at the moment. Try again.", retryAfter: retryAfter)
        case .timedOut: Failure(.timedOut, "OCI did not answer in time\(http(status))\(reason(said)). Try again.")
        case .failed: failed(status, said)
        }
    }

    /// What OCI says of a request that it refuses, as far as something can be learnt from it for the next one.
    private static func request(_ status: Int?, _ said: ErrorWords) -> Failure.Kind {
        if status == 400, said.message?.contains("Chat request type does not match serving model") == true {
            return .formatRefused
        }
        let namesParameter =
            said.parameter != nil && ["unsupported_parameter", "unsupported_value"].contains(said.openAICode)
        return namesParameter && [400, 422, nil].contains(status) ? .parameterRefused : .refused
    }

    private static func failed(_ status: Int?, _ said: ErrorWords) -> Failure {
        guard let status, status < 500 else {
            return Failure(.failed(.serverError), said.message ?? "OCI failed\(http(status)). Try again.")
        }
        return Failure(
            .failed(.invalid),
            said.message.map { "OCI answered HTTP \(status): \($0)" }
                ?? "OCI returned an unexpected status, HTTP \(status).")
    }

    private static let noReason = "OCI rejected the request without a reason."
    private static let exhausted = "The quota of this account is used up."

    private static func http(_ status: Int?) -> String { status.map { " (HTTP \($0))" } ?? "" }

    /// Why OCI refuses credentials. Where it speaks of an API key it may repeat it.
    private static func reason(_ said: ErrorWords) -> String {
        guard let message = said.message else { return "" }
        return ": " + (message.lowercased().contains("api key") ? MaskedWords.withoutKeys(message) : message)
    }
}

extension Failure {
    /// The upstream will not answer to what the request says. It would not the next time either.
    static func refusedContent(_ message: String, code: String?, status: Int?) -> Failure {
        Failure(.contentFiltered, message, said: .init(status: status, code: code))
    }

    /// The upstream has the model, but not for this account, region or tier.
    static func modelNotAllowed(_ message: String, code: String?) -> Failure {
        Failure(.modelNotAllowed, message, field: "model", said: .init(code: code))
    }
}
