/// Why a request, or one attempt at an upstream, has failed.
///
/// `kind` decides what happens next, by switches without `default`; nothing reads the texts back. What a client is told about it is written by one
/// renderer for each API that clients speak (`OpenAIError`).
package struct Failure: Error, Equatable, Sendable {
    package var kind: Kind
    /// What is wrong and how to fix it, in clear words; never a secret.
    package var message: String
    /// The field of the request that is to blame, by the client's own path, such as `messages[2].content`.
    package var field: String?
    /// Seconds after which a retry may succeed.
    package var retryAfter: Int?
    /// What an upstream has said about it, where its words go back to the client.
    package var said: Said?
    /// The HTTP status of the upstream's refusal; nil where it gave none.
    package var upstreamStatus: Int?
    /// How long the prompt was, and how long the model takes, where the upstream says so.
    package var promptLength: PromptLength?
    /// The upstream has reported it under a status of success.
    package var isUnderSuccess = false

    /// In tokens.
    package struct PromptLength: Equatable, Sendable {
        package var tokens: Int?
        package var limit: Int?
        /// What `tokens` are made of, where that is said: the messages, and what was wanted of the answer.
        package var messages: Int?
        package var completion: Int?

        package init(tokens: Int? = nil, limit: Int? = nil, messages: Int? = nil, completion: Int? = nil) {
            self.tokens = tokens
            self.limit = limit
            self.messages = messages
            self.completion = completion
        }
    }

    /// An upstream's own status and words for programs.
    package struct Said: Equatable, Sendable {
        /// 400...599.
        package var status: Int?
        package var type: String?
        package var code: String?

        package init(status: Int? = nil, type: String? = nil, code: String? = nil) {
            self.status = status
            self.type = type
            self.code = code
        }
    }

    package init(_ kind: Kind, _ message: String, field: String? = nil, retryAfter: Int? = nil, said: Said? = nil) {
        self.kind = kind
        self.message = message
        self.field = field
        self.retryAfter = retryAfter
        self.said = said
    }

    /// A request that cannot be served as it stands.
    package static func invalidRequest(_ message: String, field: String?, as fault: InvalidRequest = .other) -> Failure
    {
        Failure(.invalidRequest(fault), message, field: field)
    }
}

extension Failure {
    /// What a failure speaks of.
    package enum Kind: Equatable, Sendable {
        // MARK: Found here, before an upstream is asked

        case invalidRequest(InvalidRequest)
        case notFound(Subject)
        /// HTTP itself: the method, or a size that is told in advance.
        case unacceptable(HTTPFault)
        /// No key, a wrong one, or no right to ask without one.
        case unauthorized
        /// The key may not do this.
        case forbidden(Privilege)
        /// The key has used up its requests of this minute.
        case rateLimited(RequestBucket.Standing)
        /// The key has used up its tokens of this minute.
        case tokensLimited
        /// The key has as many requests in flight as it may have.
        case concurrencyLimited
        /// The key has spent what it may in this period. Long: a day or more, for which no program waits.
        case budgetExceeded(isLong: Bool)
        case overloaded(Overload)
        /// What is there contradicts what is asked for.
        case conflict
        /// Each upstream that could serve the request is out of use. A throttle: all of them are cooling down after 429.
        case noUpstreamAvailable(isThrottled: Bool)
        case shuttingDown
        /// A fault of this program.
        case internalError

        // MARK: Said by an upstream

        /// The request alone is to blame: it is invalid or too large.
        case refused
        /// A parameter is not for this model; `field` names it.
        case parameterRefused
        /// The request was written in another of OCI's formats than the model's.
        case formatRefused
        /// A content filter or a moderation refuses the request.
        case contentFiltered
        /// The prompt is longer than the model takes.
        case promptTooLong
        /// The model is not for this account's region or tier; another upstream may serve it.
        case modelNotAllowed
        /// The model is retired, decommissioned or unknown at this upstream.
        case modelGone
        /// Too many requests for this model.
        case throttled
        /// The account has no credit or quota left, or is restricted: all of its models rest.
        case accountExhausted
        /// The status says so, or words that may be somebody's else: what else is known decides.
        case accountDoubted
        /// The account's credentials are refused.
        case credentialsRefused
        /// A 401 or 403 in words that nobody here knows: firewalls say so to a prompt, and vendors to a model, a region or an address.
        case credentialsDoubted
        /// The upstream asks to be left alone for a while (503 and its like).
        case unavailable
        /// The upstream says that it did not answer in time.
        case timedOut
        /// The upstream failed.
        case failed(UpstreamFailure)
        /// The answer would be no better elsewhere, and whoever asks again pays again.
        case unusable(UnusableResponse)

        // MARK: Met on the way to an upstream and back

        case deadline(DeadlineCause)
        case transport(TransportFailure)
        /// The request could not be signed.
        case signing
        /// There are no credentials for the account at the moment.
        case noCredentials
    }

    /// What is wrong with a request.
    package enum InvalidRequest: Equatable, Sendable {
        case json, type, value, missing, unsupportedParameter, unsupportedContent, unsupportedModel
        case tooManyValues, tooManyMessages, tooManyParts
        /// Of HTTP, or no HTTP at all.
        case http, tlsRequired
        /// The operator's file.
        case configuration
        /// Anything for which clients have no word.
        case other
    }

    /// What is not there.
    package enum Subject: Equatable, Sendable { case path, model, account, key, request }

    /// What a key may lack.
    package enum Privilege: Equatable, Sendable {
        case role, model
        /// It comes from a web page of another address.
        case page
    }

    /// What HTTP has a status of its own for.
    package enum HTTPFault: Equatable, Sendable {
        case method, bodyTooLarge, bodyTimedOut, targetTooLong, contentEncoding
        /// The request is for a process with another configuration.
        case otherConfiguration
    }

    /// What the proxy has no room for.
    package enum Overload: Equatable, Sendable { case bodyMemory, queueFull, queueTimeout, ledger, viewers }

    /// How an upstream failed.
    package enum UpstreamFailure: Equatable, Sendable {
        /// 5xx.
        case serverError
        /// An error without a status, in place of an answer.
        case reported
        /// The answer was broken off with an error.
        case brokenOff
        /// The stream ended inside the answer.
        case incomplete
        /// An answer that says nothing.
        case empty
        /// What came is no answer.
        case invalid
    }

    /// Why an answer is of no use.
    package enum UnusableResponse: Equatable, Sendable {
        /// A stream where a document was asked for, or the reverse.
        case otherForm
        /// There is no vector for a text.
        case noVector
    }

    /// What went wrong with a connection to an upstream.
    package enum TransportFailure: Equatable, Sendable {
        case unreachable, connectTimedOut
        /// Before the head of an answer was there, and behind it.
        case connectionLost, responseCut
        case malformed, tooLarge
        /// In a manner unknown to us.
        case other
    }
}

extension Failure.Kind {
    /// Nobody has said it: it was met on the way, and a pause of the process itself may be the reason.
    package var isOfTheWay: Bool {
        switch self {
        case .deadline, .transport, .signing, .noCredentials: true
        case .invalidRequest, .notFound, .unacceptable, .unauthorized, .forbidden, .rateLimited, .tokensLimited,
            .concurrencyLimited, .budgetExceeded, .overloaded, .conflict,
            .noUpstreamAvailable, .shuttingDown,
            .internalError, .refused, .parameterRefused, .formatRefused, .contentFiltered, .promptTooLong,
            .modelNotAllowed, .modelGone, .throttled,
            .accountExhausted, .accountDoubted, .credentialsRefused, .credentialsDoubted, .unavailable, .timedOut,
            .failed, .unusable:
            false
        }
    }

    /// The model could not answer, be it that all its upstreams failed or that the prompt is too long for it: another model may. What is wrong with
    /// the request, or with the proxy's own load, is so for every model.
    package var permitsAnotherModel: Bool {
        switch self {
        case .promptTooLong, .modelGone, .modelNotAllowed, .throttled, .accountExhausted, .accountDoubted,
            .credentialsRefused, .credentialsDoubted,
            .unavailable, .failed, .timedOut, .noUpstreamAvailable, .notFound(.model), .internalError, .deadline,
            .transport, .signing, .noCredentials:
            true
        case .invalidRequest, .notFound, .unacceptable, .unauthorized, .forbidden, .rateLimited, .tokensLimited,
            .concurrencyLimited, .budgetExceeded, .overloaded, .conflict,
            .shuttingDown, .refused,
            .parameterRefused, .formatRefused, .contentFiltered, .unusable:
            false
        }
    }

    /// The key has not so much left, of its minute or of a budget.
    package var isOfKeysMeans: Bool {
        switch self {
        case .tokensLimited, .budgetExceeded: true
        default: false
        }
    }

    /// Too many requests for a model.
    package var isThrottle: Bool {
        switch self {
        case .throttled, .noUpstreamAvailable(isThrottled: true): true
        default: false
        }
    }

    /// A pause helps, and nobody but the router can say how long it has to be.
    package var wantsPause: Bool {
        switch self {
        case .throttled, .unavailable, .noUpstreamAvailable: true
        case .invalidRequest, .notFound, .unacceptable, .unauthorized, .forbidden, .rateLimited, .tokensLimited,
            .concurrencyLimited, .budgetExceeded, .overloaded, .conflict,
            .shuttingDown, .internalError, .refused,
            .parameterRefused, .formatRefused, .contentFiltered, .promptTooLong, .modelNotAllowed, .modelGone,
            .accountExhausted, .accountDoubted,
            .credentialsRefused, .credentialsDoubted, .timedOut, .failed, .unusable, .deadline, .transport, .signing,
            .noCredentials:
            false
        }
    }
}
