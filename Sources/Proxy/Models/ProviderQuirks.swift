import ProxyRouting

/// What an OpenAI-compatible provider has taught about a model by refusing something of a request that was written here, for a client of another language.
struct ProviderQuirks: Equatable, Sendable {
    /// Members of the request, or of its messages, that it does not know.
    private(set) var leftOut: Set<String> = []
    /// The same for this one request, whose value it does not take.
    private(set) var leftOutOnce: Set<String> = []
    /// The limit of an answer's tokens has the name `max_completion_tokens`.
    private(set) var hasOtherTokenLimit = false
    private(set) var mostTokens: Int?
    private(set) var systemPlace = SystemPlace.anywhere
    /// What this one prompt leaves for the answer.
    private(set) var tokensLeft: Int?

    /// Where system messages may stand.
    enum SystemPlace: Int, Sendable { case anywhere, beginning, nowhere }

    var isEmpty: Bool { self == ProviderQuirks() }

    init() {}

    /// What another process has learnt. Only what it could have left out itself is left out.
    init(leftOut: some Sequence<String>, hasOtherTokenLimit: Bool, mostTokens: Int?, systemPlace: SystemPlace) {
        self.leftOut = Set(leftOut.filter(Self.optional.contains))
        self.hasOtherTokenLimit = hasOtherTokenLimit
        self.mostTokens = mostTokens.flatMap { $0 > 0 ? $0 : nil }
        self.systemPlace = systemPlace
    }

    /// What holds for the next request too.
    var lasting: ProviderQuirks {
        var lasting = self
        (lasting.tokensLeft, lasting.leftOutOnce) = (nil, [])
        return lasting
    }

    /// With what another request has learnt meanwhile.
    func merged(with other: ProviderQuirks) -> ProviderQuirks {
        var merged = self
        merged.leftOut.formUnion(other.leftOut)
        merged.hasOtherTokenLimit = hasOtherTokenLimit || other.hasOtherTokenLimit
        merged.mostTokens = [mostTokens, other.mostTokens].compactMap { $0 }.min()
        if other.systemPlace.rawValue > systemPlace.rawValue { merged.systemPlace = other.systemPlace }
        return merged
    }

    /// What may be left out: it tunes the answer, or the model can do without.
    private static let optional = [
        "prompt_cache_key", "service_tier", "verbosity", "top_k", "reasoning_effort", "reasoning_content",
        "parallel_tool_calls", "stream_options", "temperature", "top_p", "top_logprobs", "logprobs", "user", "seed",
        "logit_bias", "presence_penalty", "frequency_penalty",
    ]
    /// Clients of other languages have values for it that no model here may know.
    private static let foreignValues = ["reasoning_effort", "verbosity", "service_tier"]

    /// - Parameter request: the body that was refused.
    /// - Returns: whether another try makes sense.
    mutating func learn(from failure: Failure, of request: [UInt8]) -> Bool {
        let before = self
        switch failure.kind {
        case .promptTooLong:
            guard let length = failure.promptLength, let limit = length.limit, let prompt = length.messages,
                length.completion != nil, limit - prompt > Self.leastAnswer
            else { return false }
            tokensLeft = limit - prompt - Self.leastAnswer / 2
        case .refused, .parameterRefused:
            guard let sent = SentMembers(request) else { return false }
            learn(from: failure, of: sent)
        default: return false
        }
        return self != before
    }

    private mutating func learn(from failure: Failure, of sent: SentMembers) {
        let known = (Self.optional + ["max_tokens"]).filter(sent.has)
        if let limit = RefusedMember.tokenLimit(in: failure), sent.maxTokens ?? 0 > limit {
            mostTokens = limit
        } else if RefusedMember.isSystemRole(failure) {
            systemPlace = systemPlace.next(for: sent) ?? systemPlace
        } else if let name = RefusedMember.unknown(in: failure, among: known) {
            if name == "max_tokens" { hasOtherTokenLimit = true } else { leftOut.insert(name) }
        } else if let name = RefusedMember.withOtherValue(in: failure, among: Self.foreignValues.filter(sent.has)) {
            leftOutOnce.insert(name)
        }
    }

    private static let leastAnswer = 256
}

extension ProviderQuirks.SystemPlace {
    /// What is tried next: the milder change first.
    fileprivate func next(for sent: SentMembers) -> Self? {
        if self == .anywhere, sent.hasLaterSystemMessage { return .beginning }
        return sent.hasSystemMessage ? .nowhere : nil
    }
}

/// What a request that was refused has in it.
private struct SentMembers {
    private let root: JSONValue
    private let messages: [JSONValue]

    init?(_ request: [UInt8]) {
        guard let root = try? JSONDocument(parsing: request).root, root.kind == .object else { return nil }
        self.root = root
        messages = root.elements(of: "messages")
    }

    func has(_ name: String) -> Bool {
        let name = Array(name.utf8)
        func has(_ object: JSONValue) -> Bool {
            object.members.contains { $0.key.rawString?.elementsEqual(name) == true }
        }
        return has(root) || messages.contains { $0.kind == .object && has($0) }
    }

    var maxTokens: Int? { (root.present("max_tokens") ?? root.present("max_completion_tokens"))?.int }

    private static func isSystem(_ message: JSONValue) -> Bool { message["role"]?.equals("system") == true }
    var hasSystemMessage: Bool { messages.contains(where: Self.isSystem) }
    var hasLaterSystemMessage: Bool { messages.drop(while: Self.isSystem).contains(where: Self.isSystem) }
}
