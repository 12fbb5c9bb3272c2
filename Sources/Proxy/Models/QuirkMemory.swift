/// What a model has taught, for a process that comes after. Times are from now on.
struct QuirkMemory: Equatable, Sendable {
    var model: String
    /// Seconds since 1970.
    var learntAt: Int64
    var parameters: Set<ParameterQuirk> = []
    var format: APIFormat?
    var provider = ProviderQuirks()
    /// It takes `stream_options.include_usage`, or refuses it.
    var takesUsageOption: Bool?
    /// For how long no last message of the assistant's is sent to it.
    var prefillRefused: Duration?
    /// For how long accounts are not asked for it in the Responses API, by their ids.
    var noResponses: [String: Duration] = [:]

    /// Vendors change what their models take: a lesson is not carried on for longer than a week after the last one.
    static let lifetime: Int64 = 7 * 86_400

    var isEmpty: Bool {
        parameters.isEmpty && format == nil && provider.lasting.isEmpty && takesUsageOption == nil
            && prefillRefused == nil && noResponses.isEmpty
    }
}

// MARK: In writing

extension QuirkMemory {
    /// - Parameter now: seconds since 1970, from which the times that are left count.
    func write(to writer: inout JSONWriter, at now: Int64) {
        writer.beginObject()
        writer.key("model")
        writer.string(model)
        writer.key("learnt_at")
        writer.int(Int(learntAt))
        writer.key("parameters")
        writer.strings(parameters.map(\.text).sorted())
        if let format {
            writer.key("format")
            writer.string(format.rawValue)
        }
        if !provider.leftOut.isEmpty {
            writer.key("left_out")
            writer.strings(provider.leftOut.sorted())
        }
        if provider.hasOtherTokenLimit {
            writer.key("other_token_limit")
            writer.bool(true)
        }
        if let most = provider.mostTokens {
            writer.key("most_tokens")
            writer.int(most)
        }
        if provider.systemPlace != .anywhere {
            writer.key("system_place")
            writer.int(provider.systemPlace.rawValue)
        }
        if let takesUsageOption {
            writer.key("takes_usage_option")
            writer.bool(takesUsageOption)
        }
        if let prefillRefused {
            writer.key("prefill_refused_until")
            writer.int(Int(now + prefillRefused.components.seconds))
        }
        if !noResponses.isEmpty {
            writer.key("no_responses_until")
            writer.beginObject()
            for (account, left) in noResponses.sorted(by: { $0.key < $1.key }) {
                writer.key(account)
                writer.int(Int(now + left.components.seconds))
            }
            writer.endObject()
        }
        writer.endObject()
    }

    /// - Returns: nil for what is too old, or not understood.
    init?(_ value: JSONValue, at now: Int64) {
        guard let model = value["model"]?.string, ModelName.isShortEnough(model),
            let learntAt = value["learnt_at"]?.int.map(Int64.init), learntAt >= 0,
            (0...Self.lifetime).contains(now - learntAt)
        else { return nil }
        func left(_ until: Int?) -> Duration? {
            guard let until, Int64(until) > now, until < 1 << 40 else { return nil }
            return .seconds(Int64(until) - now)
        }
        self.init(model: model, learntAt: learntAt)
        parameters = Set(value.elements(of: "parameters").compactMap { $0.string.flatMap(ParameterQuirk.init(text:)) })
        format = value["format"]?.string.flatMap(APIFormat.init)
        provider = ProviderQuirks(
            leftOut: value.elements(of: "left_out").compactMap(\.string),
            hasOtherTokenLimit: value["other_token_limit"]?.bool ?? false, mostTokens: value["most_tokens"]?.int,
            systemPlace: value["system_place"]?.int.flatMap(ProviderQuirks.SystemPlace.init) ?? .anywhere)
        takesUsageOption = value["takes_usage_option"]?.bool
        prefillRefused = left(value["prefill_refused_until"]?.int)
        if let accounts = value["no_responses_until"], accounts.kind == .object {
            for (account, until) in accounts.members {
                if let account = account.string, let left = left(until.int) { noResponses[account] = left }
            }
        }
        if isEmpty { return nil }
    }
}

extension ParameterQuirk {
    private static let otherLimit = "other_token_limit"

    fileprivate var text: String {
        switch self {
        case .refuses(let field): field.rawValue
        case .otherTokenLimit: Self.otherLimit
        }
    }

    fileprivate init?(text: String) {
        if text == Self.otherLimit {
            self = .otherTokenLimit
        } else if let field = ModelFamily.TuningField(rawValue: text) {
            self = .refuses(field)
        } else {
            return nil
        }
    }
}

extension JSONWriter {
    /// A list of texts.
    mutating func strings(_ texts: [String]) {
        beginArray()
        for text in texts { string(text) }
        endArray()
    }
}
