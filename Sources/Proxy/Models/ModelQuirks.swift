import ProxyRouting
import Synchronization

/// What each model has taught by its refusals, for the requests that come after.
final class ModelQuirks: Sendable {
    /// Clients choose ids; what they make up must not grow without bound.
    private static let mostModels = 1000

    private struct Lessons {
        var parameters: Set<ParameterQuirk> = []
        var format: APIFormat?
        var provider = ProviderQuirks()
        /// It takes `stream_options.include_usage`, or refuses it; nil as long as nobody knows.
        var takesUsageOption: Bool?
        /// How often it seemed to refuse that, without saying so.
        var usageOptionDoubts = 0
        /// It refuses a last message of the assistant's.
        var refusesPrefillUntil: Duration?
        /// Until when accounts of OCI are not asked for it in the Responses API, by their ids.
        var noResponses: [String: Duration] = [:]
        /// When the last of it was learnt: seconds since 1970.
        var learntAt: Int64 = 0
    }

    private let quirks = Mutex<[String: Lessons]>([:])
    private let wallClock: @Sendable () -> Int64

    /// - Parameter wallClock: seconds since 1970; nil where nothing has to outlive the process.
    init(wallClock: (@Sendable () -> Int64)? = nil) { self.wallClock = wallClock ?? { 0 } }

    /// What is known about a model: its family's row, and what it has taught itself.
    func family(of modelID: String) -> ModelFamily {
        let family = ModelFamily.of(modelID)
        guard let learnt = quirks.withLock({ $0[modelID]?.parameters }), !learnt.isEmpty else { return family }
        return family.applying(learnt)
    }

    /// What providers of the model have taught.
    ///
    /// - Parameter model: with the provider's name, since others that have a model of that name are other servers.
    func provider(of model: String) -> ProviderQuirks {
        quirks.withLock { $0[model]?.provider } ?? ProviderQuirks()
    }

    func note(_ provider: ProviderQuirks, of model: String) {
        change(model) { $0.provider = $0.provider.merged(with: provider) }
    }

    /// Whether a provider's model takes `stream_options.include_usage` where the proxy asks for it; nil as long as nobody knows.
    ///
    /// - Parameter model: with the provider's name.
    func takesUsageOption(_ model: String) -> Bool? {
        quirks.withLock { quirks in
            guard let known = quirks[model] else { return nil }
            return known.provider.leftOut.contains("stream_options") ? false : known.takesUsageOption
        }
    }

    func note(takesUsageOption: Bool, _ model: String) {
        change(model) { ($0.takesUsageOption, $0.usageOptionDoubts) = (takesUsageOption, 0) }
    }

    /// One vague refusal may have had any reason.
    private static let mostDoubts = 3

    /// A request was refused without a word about why, and answered without the option.
    func noteUsageOptionDoubted(_ model: String) {
        change(model) { lessons in
            lessons.usageOptionDoubts += 1
            if lessons.usageOptionDoubts >= Self.mostDoubts { lessons.takesUsageOption = false }
        }
    }

    /// OCI's word for an unknown model is also that for a missing policy, so it holds for one account, and for a while.
    private static let responsesRefusal = Duration.seconds(600)

    /// Whether an account of OCI has just refused the model in its Responses API as unknown.
    func refusesResponses(_ modelID: String, at account: String, now: Duration) -> Bool {
        quirks.withLock { $0[modelID]?.noResponses[account] ?? now } > now
    }

    func noteNoResponses(of modelID: String, at account: String, now: Duration) {
        change(modelID) { $0.noResponses[account] = now + Self.responsesRefusal }
    }

    /// Vendors change what their models take.
    private static let prefillRefusal = Duration.seconds(3600)

    /// Whether a model has refused lately to go on behind a last message of the assistant's.
    ///
    /// - Parameter model: with the provider's name.
    func refusesPrefill(_ model: String, now: Duration) -> Bool {
        quirks.withLock { $0[model]?.refusesPrefillUntil ?? now } > now
    }

    func notePrefillRefused(by model: String, now: Duration) {
        change(model) { $0.refusesPrefillUntil = now + Self.prefillRefusal }
    }

    /// The format that a model understands: that of its id, or what it has taught. An endpoint's OCID does not tell what stands behind.
    func format(of modelID: String) -> APIFormat {
        quirks.withLock { $0[modelID]?.format } ?? APIFormat(modelID: modelID)
    }

    /// Takes a refusal to heart.
    ///
    /// - Parameters:
    ///   - format: in which the refused request was written.
    ///   - family: what was known of the model when it was written. Another request may have learnt the same since; then there is
    ///     nothing new in it, but another try makes sense all the same.
    /// - Returns: whether another try makes sense.
    func learn(from error: Failure, of modelID: String, in format: APIFormat, as family: ModelFamily) -> Bool {
        if error.kind == .formatRefused { return learn(formatAfter: format, of: modelID) }
        guard error.kind == .parameterRefused, let parameter = error.field,
            let lesson = ParameterQuirk(parameter, family: family)
        else { return false }
        change(modelID) { _ = $0.parameters.insert(lesson) }
        return true
    }

    private func learn(formatAfter refused: APIFormat, of modelID: String) -> Bool {
        // Another request may have learnt it meanwhile.
        guard self.format(of: modelID) == refused else { return true }
        let formats = APIFormat.allCases
        let next = formats.firstIndex(of: refused).map { $0 + 1 } ?? formats.endIndex
        // It understands none of them: what is wrong is something else.
        change(modelID) { $0.format = next < formats.endIndex ? formats[next] : nil }
        return next < formats.endIndex
    }

    // MARK: Memory

    /// What is worth knowing after a restart, in the order of the models' ids.
    ///
    /// - Parameter now: of the monotonic clock.
    func memory(at now: Duration) -> [QuirkMemory] {
        quirks.withLock { $0 }.sorted { $0.key < $1.key }.compactMap { id, lessons in
            let memory = QuirkMemory(
                model: id, learntAt: lessons.learntAt, parameters: lessons.parameters, format: lessons.format,
                provider: lessons.provider, takesUsageOption: lessons.takesUsageOption,
                prefillRefused: lessons.refusesPrefillUntil.flatMap { $0 > now ? $0 - now : nil },
                noResponses: lessons.noResponses.filter { $0.value > now }.mapValues { $0 - now })
            return memory.isEmpty ? nil : memory
        }
    }

    /// Goes on with what a process before has learnt. What is known here already stays.
    func restore(_ memories: [QuirkMemory], at now: Duration) {
        quirks.withLock { quirks in
            for memory in memories.prefix(Self.mostModels) where quirks[memory.model] == nil {
                quirks[memory.model] = Lessons(
                    parameters: memory.parameters, format: memory.format, provider: memory.provider,
                    takesUsageOption: memory.takesUsageOption,
                    refusesPrefillUntil: memory.prefillRefused.map { now + min($0, Self.prefillRefusal) },
                    noResponses: memory.noResponses.mapValues { now + min($0, Self.responsesRefusal) },
                    learntAt: memory.learntAt)
            }
        }
    }

    private func change(_ modelID: String, _ body: (inout Lessons) -> Void) {
        let now = wallClock()
        quirks.withLock { quirks in
            if quirks.count >= Self.mostModels, quirks[modelID] == nil { quirks.removeAll() }
            body(&quirks[modelID, default: Lessons()])
            quirks[modelID]?.learntAt = now
        }
    }
}
