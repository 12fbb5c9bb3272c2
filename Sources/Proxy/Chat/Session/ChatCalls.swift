import ProxyRouting

/// The calls that one chat can become: one for each form in which an upstream that serves its model takes chats. Each is made
/// once, however many upstreams are tried. It belongs to one task.
final class ChatCalls {
    private(set) var request: PassThroughRequest
    let target: ModelCatalog.Target
    /// What the answer calls the model.
    let name: String
    /// Unicode scalars of the request, where the model is billed by them.
    let characters: Int64?
    /// What it is charged by, where somebody counts.
    let pricing: Pricing?
    let quirks: ModelQuirks
    let limits: ChatCompletionsRoute.Limits
    /// What does not depend on the form.
    let callContext: ChatCall.CallContext

    /// How often a request is mended after an upstream has refused something of it by name.
    private var quirksLeft = 3
    /// How often the older half of the conversation may go: then a hundredth is left.
    private var truncationsLeft = 7
    private var translated: Written?
    private var adapted: Written?
    private var passedThrough: ChatCall?
    private var native: ChatCall?
    /// What providers have taught about the model, for requests that were written here.
    private var provider: ProviderQuirks
    /// By what they are known; nil for clients of chat completions, whose requests are their own affair.
    private let providerModel: String?
    /// The provider that has the model; empty for OCI.
    private let pool: String
    /// With the provider's name, whoever the client is.
    private var modelOfPool: String { "\(pool)/\(target.modelID)" }
    /// Something has been learnt in this request.
    private var hasLearnt = false
    /// Whether the provider's model takes to be asked for a stream's usage.
    private var usageOption = UsageOption.unseen

    private enum UsageOption: Equatable {
        /// Nobody has looked.
        case unseen
        /// Nobody knows.
        case unknown
        case taken, refused
        /// In this request: by its name, or in words that may mean anything.
        case nowRefused(byName: Bool)
    }
    /// Why the request cannot be a chat completion's, if it cannot: then it only goes to who speaks its own language.
    private let untranslatable: Failure?

    /// A call, and what was known of the model when it was written.
    private struct Written {
        let call: ChatCall
        /// In which OCI is addressed.
        var format = APIFormat.generic
        let family: ModelFamily
    }

    /// - Parameters:
    ///   - root: the request's body, parsed. It is not kept.
    ///   - pool: the provider that has the model; empty for one of OCI's.
    ///   - characters: of the request, where the model is billed by them.
    ///   - pricing: what it is charged by, where somebody counts.
    ///   - isTranslated: an upstream that may be asked takes chats in OCI's own form.
    ///   - untranslatable: why the request cannot be a chat completion's, if it cannot.
    /// - Throws: `Failure` 400 for what the client cannot do without and the model does not take: before anything is sent.
    init(
        _ request: PassThroughRequest, _ root: RequestField, for target: ModelCatalog.Target, named name: String,
        from pool: String = "", characters: Int64? = nil, pricing: Pricing? = nil, isTranslated: Bool,
        untranslatable: Failure? = nil,
        quirks: ModelQuirks, limits: ChatCompletionsRoute.Limits, callContext: ChatCall.CallContext
    ) throws(Failure) {
        self.request = request
        self.target = target
        self.name = name
        self.characters = characters
        self.pricing = pricing
        self.quirks = quirks
        self.limits = limits
        self.callContext = callContext
        self.untranslatable = untranslatable
        self.pool = pool
        providerModel = callContext.client.chatCompletions == nil ? "\(pool)/\(target.modelID)" : nil
        provider = providerModel.map { quirks.provider(of: $0) } ?? ProviderQuirks()
        if isTranslated {
            try checkPrefill()
            translated = try translate(root)
        }
    }

    /// The call for an upstream.
    func call(to backend: any Backend) throws(Failure) -> ChatCall {
        if let request = callContext.client.native, isNative(backend) {
            if let native { return native }
            let call = pass(request)
            native = call
            return call
        }
        if let untranslatable { throw untranslatable }
        try checkPrefill()
        return try call(in: backend.chatForm)
    }

    /// The call for an upstream that is to answer as a chat, whatever else it speaks.
    func chat(to backend: any Backend) throws(Failure) -> ChatCall {
        if let untranslatable { throw untranslatable }
        return try call(in: backend.chatForm)
    }

    /// What is known of how the model goes on with its own words.
    var prefill: AssistantPrefill.Known {
        quirks.refusesPrefill(modelOfPool, now: callContext.time.now())
            ? .refuses : AssistantPrefill.known(of: target.modelID)
    }

    /// The model has refused to go on with its own words.
    func notePrefillRefused() { quirks.notePrefillRefused(by: modelOfPool, now: callContext.time.now()) }

    /// Whether the request passes to that upstream in its own language, which is not chat completions.
    func isNative(_ backend: any Backend) -> Bool {
        // A document is no stream in these languages.
        guard let request = callContext.client.native, !(request.request.isStreaming && limits.forcesNonStreaming)
        else { return false }
        return backend.speaks(request.dialect, of: target.modelID)
            && !(backend.kind == .oci && untranslatable == nil
                && quirks.refusesResponses(target.modelID, at: backend.id, now: callContext.time.now()))
    }

    /// A model of OCI's is not served in that language after all: the next call is a chat, in this request and in those that come.
    ///
    /// - Returns: whether that is what the refusal says, and another try makes sense.
    func learnsToTranslate(from error: Failure, of backend: any Backend) -> Bool {
        if learnsNotToAskUsage(from: error, native) { return true }
        guard backend.kind == .oci, error.upstreamStatus == 404, untranslatable == nil, isNative(backend) else {
            return false
        }
        quirks.noteNoResponses(of: target.modelID, at: backend.id, now: callContext.time.now())
        return true
    }

    private func pass(_ native: NativeRequest) -> ChatCall {
        let (model, name) = (target.serving.id, name)
        let onKept = native.onKept.map { note in
            { @Sendable (id: String, upstream: String) in note(id, upstream, model, name) }
        }
        // The other languages tell it anyhow.
        let asksUsage = native.dialect == .completions && mayAskUsage(by: native.request)
        return ChatCall(
            document: .native(
                native.dialect, native.request.body(model: target.modelID, asksUsage: asksUsage),
                headers: native.headers),
            reader: .native(native.dialect, model: name, onKept: onKept), isStreaming: native.request.isStreaming,
            asksUsage: asksUsage, callContext: callContext)
    }

    /// Whether a provider is asked for the usage of a stream by us: somebody is charged for it, and the client has not asked.
    private func mayAskUsage(by request: PassThroughRequest) -> Bool {
        guard callContext.meter != nil, request.canAskUsage else { return false }
        if usageOption == .unseen {
            usageOption =
                switch quirks.takesUsageOption(modelOfPool) {
                case nil: .unknown
                case true?: .taken
                case false?: .refused
                }
        }
        return usageOption == .unknown || usageOption == .taken
    }

    /// A provider may not know what nobody but us has asked for: the next call does without, in this request and, when that has helped, in those that come.
    ///
    /// Some say no more than that the request is bad. As long as they have never taken it, that may be why.
    ///
    /// - Returns: whether another try makes sense.
    private func learnsNotToAskUsage(from error: Failure, _ call: ChatCall?) -> Bool {
        guard quirksLeft > 0, call?.asksUsage == true, usageOption == .unknown || usageOption == .taken else {
            return false
        }
        switch error.kind {
        case .refused, .parameterRefused, .invalidRequest: break
        default: return false
        }
        let isNamed = RefusedMember.unknown(in: error, among: ["stream_options", "include_usage"]) != nil
        guard isNamed || usageOption == .unknown && error.field == nil else { return false }
        quirksLeft -= 1
        (usageOption, passedThrough, native) = (.nowRefused(byName: isNamed), nil, nil)
        return true
    }

    /// The call for an upstream that takes chats in `form`.
    private func call(in form: ChatForm) throws(Failure) -> ChatCall {
        switch form {
        case .oci:
            if let translated { return translated.call }
            let written = try translate(RequestField(body: request.received))
            translated = written
            return written.call
        case .openAIOnOCI:
            if let adapted { return adapted.call }
            let written = try adapt()
            adapted = written
            return written.call
        case .openAI:
            if let passedThrough { return passedThrough }
            let call = passThrough()
            passedThrough = call
            return call
        }
    }

    /// - Throws: 400 where the model cannot go on with what the assistant has begun to say.
    private func checkPrefill() throws(Failure) {
        guard callContext.client.continuesAnswer, AssistantPrefill.known(of: target.modelID) == .refuses else { return }
        throw .invalidRequest(
            "The model '\(name.quotable)' does not continue a last message of the assistant's (prefill). Remove that message, or name a model that does.",
            field: "messages", as: .value)
    }

    /// The prompt was too long, and the client would rather lose the oldest messages than have no answer.
    ///
    /// - Returns: whether there is less now, and another try makes sense.
    func truncates(after error: Failure) -> Bool {
        guard error.kind == .promptTooLong, callContext.client.mayTruncate, truncationsLeft > 0,
            let shorter = request.withoutOldestMessages()
        else { return false }
        truncationsLeft -= 1
        (request, translated, adapted, passedThrough) = (shorter, nil, nil, nil)
        return true
    }

    /// Takes a refusal to heart: the next call in that form is made with what has been learnt.
    ///
    /// The request is read again then: keeping every request in its parsed form, for the one that needs it, would cost all of them.
    ///
    /// - Returns: whether another try makes sense.
    func learn(from error: Failure, in form: ChatForm) -> Bool {
        if form == .openAI { return learnsNotToAskUsage(from: error, passedThrough) || learn(fromProvider: error) }
        guard quirksLeft > 0, let refused = form == .oci ? translated : adapted,
            quirks.learn(from: error, of: target.modelID, in: refused.format, as: refused.family)
        else { return false }
        quirksLeft -= 1
        switch form {
        case .oci: translated = nil
        case .openAIOnOCI: adapted = nil
        case .openAI: return false
        }
        return true
    }

    /// What a provider refuses by name of a request that was written here. What a client of chat completions has sent is its own affair.
    private func learn(fromProvider error: Failure) -> Bool {
        guard providerModel != nil, quirksLeft > 0, passedThrough != nil else { return false }
        var known = provider
        guard known.learn(from: error, of: request.applying(provider).received) else { return false }
        quirksLeft -= 1
        provider = known
        passedThrough = nil
        hasLearnt = true
        return true
    }

    /// An upstream has answered: what was learnt on the way has helped, and holds for the next request too.
    func keepLessons() {
        switch usageOption {
        case .nowRefused(let byName):
            if byName {
                quirks.note(takesUsageOption: false, modelOfPool)
            } else {
                quirks.noteUsageOptionDoubted(modelOfPool)
            }
            usageOption = .refused
        case .unknown where (passedThrough ?? native)?.asksUsage == true:
            quirks.note(takesUsageOption: true, modelOfPool)
            usageOption = .taken
        case .unseen, .unknown, .taken, .refused: break
        }
        guard hasLearnt, let providerModel else { return }
        quirks.note(provider.lasting, of: providerModel)
        hasLearnt = false
    }

    private func translate(_ root: RequestField) throws(Failure) -> Written {
        let chat = try ChatRequest(root)
        let format = quirks.format(of: target.modelID).suited(to: chat, of: target.modelID)
        let dialect = Dialect(format, for: chat)
        let upstream = upstream()
        var rules = ResponseRules(chat, in: format, for: upstream.family)
        rules.takesSilence = callContext.client.isSilenceAnAnswer
        let call = ChatCall(
            document: .details(.chat, try dialect.details(of: chat, for: upstream)),
            reader: .translator(dialect, rules),
            isStreaming: upstream.isStreaming,
            callContext: callContext)
        return Written(call: call, format: format, family: upstream.family)
    }

    private func adapt() throws(Failure) -> Written {
        let upstream = upstream()
        let asksUsage =
            isStreaming && callContext.meter != nil && request.canAskUsage
            && !upstream.family.refuses.contains(.streamOptions)
        let body = try OpenAIOnOCI.body(
            of: try RequestField(body: request.received), for: upstream, asksUsage: asksUsage)
        let call = ChatCall(
            document: .openAI(.chat, body), reader: chatReader, isStreaming: upstream.isStreaming,
            asksUsage: asksUsage, callContext: callContext)
        return Written(call: call, family: upstream.family)
    }

    private func passThrough() -> ChatCall {
        var asked = request.applying(provider)
        if callContext.client.continuesAnswer, case .takes(let prefill) = AssistantPrefill.known(of: target.modelID),
            let mark = prefill.mark
        {
            asked = asked.marking(lastMessageBy: mark)
        }
        let asksUsage = isStreaming && mayAskUsage(by: asked)
        return ChatCall(
            document: .openAI(
                .chat, asked.body(model: target.modelID, isStreaming: isStreaming, asksUsage: asksUsage)),
            reader: chatReader,
            isStreaming: isStreaming, asksUsage: asksUsage, callContext: callContext)
    }

    /// Of an upstream that answers as chat completions do.
    private var chatReader: ChatReader {
        if let chat = callContext.client.chatCompletions {
            .passThrough(chat, mayBeEmpty: request.mayBeEmpty)
        } else {
            .chatCompletions(
                mayBeEmpty: request.mayBeEmpty, takesSilence: callContext.client.isSilenceAnAnswer)
        }
    }

    /// How the upstream is called.
    private var isStreaming: Bool { request.isStreaming && !limits.forcesNonStreaming }

    private func upstream() -> ChatTarget {
        var family = quirks.family(of: target.modelID)
        // Programs that speak other languages ask for as much as their own models give.
        if callContext.client.chatCompletions == nil, let limits = ModelLimits.of(target.modelID) {
            family.mostTokens = min(family.mostTokens ?? .max, limits.output ?? .max, limits.context / 2)
        }
        return ChatTarget(
            serving: target.serving, modelID: target.modelID, family: family,
            defaultMaxTokens: limits.maxTokens,
            isStreaming: isStreaming)
    }
}
