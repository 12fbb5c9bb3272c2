/// What an upstream's refusal speaks of, whoever the upstream is.
struct Refusal: Equatable {
    /// What a refusal may be about.
    enum Subject: Equatable {
        /// The request alone: it is invalid or too large.
        case request
        /// What the request says.
        case content
        case promptTooLong, modelNotAllowed, modelGone, throttled, accountExhausted, accountDoubted, credentialsRefused,
            credentialsDoubted
        case unavailable, timedOut, failed
    }

    let subject: Subject
    /// A pause that its words name may be believed: they are the upstream's own, and not what a client has written.
    private(set) var mayNameAPause: Bool

    /// - Parameters:
    ///   - status: of the refusal; nil for an error in place of an answer or an event, which has none.
    ///   - words: what it says.
    init(status: Int?, _ words: ErrorWords) {
        let codes = RefusalWords.subjects(ofCodes: words)
        mayNameAPause =
            status.map { [409, 429, 498, 503, 529].contains($0) } ?? true
            || !codes.isDisjoint(with: [.throttle, .rate, .account])
        // An upstream that says by its code that it speaks of this request may repeat it in the message.
        let said = codes.contains(.content) || codes.contains(.length) ? codes : RefusalWords.subjects(of: words)
        switch status {
        case 408, 504, 524: subject = .timedOut
        case 409, 498, 503, 529: subject = .unavailable
        // A server that breaks over a prompt does so again.
        case 500 where said.contains(.length): subject = .promptTooLong
        case let status? where status >= 500: subject = .failed
        default:
            let subjects = RefusalWords.Subject.allCases.filter { said.contains($0) && Self.mayBe($0, status) }
            if let first = subjects.first {
                subject = Self.subject(of: first, isCertain: Self.saysSo(first, status) || codes.contains(first))
            } else {
                subject = Self.subject(status, words)
            }
        }
    }

    private static func mayBe(_ subject: RefusalWords.Subject, _ status: Int?) -> Bool {
        switch status {
        case 400, 422, nil: true
        // The model is there: it has been asked too often.
        case 429: subject != .model && subject != .key && subject != .ability && subject != .length
        // A request that is larger than what a minute may bring never goes through.
        case 413: subject != .throttle && subject != .rate
        // Not enough for this request, for this model, or for none; a rate has its own words.
        case 402: subject != .throttle && subject != .key && subject != .length
        default: subject != .length
        }
    }

    /// Whether words on this subject are at home under this status. A message may repeat what the client wrote.
    private static func saysSo(_ subject: RefusalWords.Subject, _ status: Int?) -> Bool {
        switch subject {
        case .key: status == 401 || status == 403
        case .account: status == 401 || status == 402 || status == 403 || status == 429
        default: true
        }
    }

    /// - Parameter isCertain: the words are the upstream's own.
    private static func subject(of subject: RefusalWords.Subject, isCertain: Bool) -> Subject {
        switch subject {
        case .key: isCertain ? .credentialsRefused : .credentialsDoubted
        case .ability: .request
        case .content: .content
        case .permission: .modelNotAllowed
        case .model: .modelGone
        case .rate, .throttle: .throttled
        case .account: isCertain ? .accountExhausted : .accountDoubted
        case .length: .promptTooLong
        }
    }

    /// Where the words say nothing, the status does.
    private static func subject(_ status: Int?, _ words: ErrorWords) -> Subject {
        switch status {
        case nil: words.codes.lazy.compactMap { RefusalWords.kinds[$0] }.first ?? .failed
        case 400, 413, 422, 451: .request
        // Firewalls have their own for what they do not like in a prompt, and some services for what they do not like in a field. Without words
        // nothing says that the request was read at all.
        case 406, 411, 414, 415, 416, 418, 421, 431: words.message == nil ? .failed : .request
        case 401, 403: .credentialsDoubted
        case 402: .accountDoubted
        case 404, 410: .modelGone
        case 429: .throttled
        default: .failed
        }
    }
}
