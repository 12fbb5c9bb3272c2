/// What an upstream's failure speaks of. It is recognised once, where the upstream's words are read, and decides what the failure means for
/// routing (`Attribution`); the words themselves are never read again.
enum FailureKind: Equatable, Sendable {
    /// The request alone: it is invalid or too large, or a content filter or a moderation refuses it.
    case request
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
    /// The upstream failed: 5xx, or an answer that is empty, cut or none at all.
    case failed
    /// The upstream says that it did not answer in time.
    case timedOut
    /// A stream where a document was asked for, or the reverse. A repetition would only cost another answer.
    case wrongKind
}
