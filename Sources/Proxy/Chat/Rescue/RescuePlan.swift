import ProxyRouting

/// Decides what becomes of a stream that broke off when its client had been told a part: whether another upstream may bring it to its end, and how. A value without I/O.
struct RescuePlan: Sendable {
    /// In one request.
    static let most = 2

    /// What the request asks for, as far as it says whether a second answer can take the first one's place.
    struct Demands: Equatable, Sendable {
        var choices = 1
        var wantsLogprobs = false
        /// JSON, with or without a schema.
        var wantsFormat = false
        var forcesTool = false
        /// Tools are offered, or the request ends with the assistant's own words: nothing can be told to go on behind others.
        var mustRepeat = false
        /// The least of the limits of the answer's tokens.
        var mostTokens: Int?

        /// Every answer to it can be rescued as long as it is text.
        var admits: Bool { choices <= 1 && !wantsLogprobs && !wantsFormat && !forcesTool }
    }

    enum Way: Equatable, Sendable {
        case verified
        /// With the prefill in that form.
        case continued(AssistantPrefill)
    }

    let mode: RescueMode
    let demands: Demands
    /// Time of all rescues together.
    let limit: Duration
    private(set) var rescues = 0
    private var spent = Duration.zero

    init(_ mode: RescueMode, _ demands: Demands, within limit: Duration) {
        self.mode = mode
        self.demands = demands
        self.limit = limit
    }

    /// Whether a stream that ended so may be brought to its end by others.
    ///
    /// - Parameters:
    ///   - sent: what the client has been told; nil where nobody has kept it.
    ///   - outcome: how the upstream has ended it.
    func mayRescue(_ sent: SentText?, after outcome: AttemptOutcome) -> Bool {
        guard mode > .off, demands.admits, rescues < Self.most, spent < limit, let sent, sent.isWhole
        else { return false }
        return switch outcome {
        case .failed, .unavailable, .timedOut, .brokenOff, .unreachable, .interrupted: true
        // The request's own fault, a filter's word, a 4xx, the client's leaving, or no time left.
        case .succeeded, .abandoned, .refused, .promptTooLong, .modelNotAllowed, .modelUnavailable, .outOfTime,
            .rateLimited, .connectTimedOut, .credentialsRefused, .credentialsDoubted, .accountExhausted,
            .accountDoubted:
            false
        }
    }

    /// How a model is asked.
    ///
    /// - Parameters:
    ///   - prefill: what is known of the model.
    ///   - tokens: of what the client has been told, guessed.
    ///   - mayHaveHoles: something of it could not be read, and has been passed over.
    func way(_ prefill: AssistantPrefill.Known, tokens: Int, mayHaveHoles: Bool = false) -> Way {
        // A model that is to go on with its own words does not call tools any more, which it might have done.
        guard mode == .continue, !demands.mustRepeat, !mayHaveHoles, case .takes(let prefill) = prefill,
            demands.mostTokens.map({ $0 > tokens }) ?? true
        else { return .verified }
        return .continued(prefill)
    }

    /// Until when the next rescue has to have caught up.
    func deadline(at now: Duration) -> Duration { now + limit - spent }

    mutating func begin() { rescues += 1 }

    /// A rescue that had begun has caught up, or has come to nothing.
    mutating func note(_ time: Duration) { spent += time }
}
