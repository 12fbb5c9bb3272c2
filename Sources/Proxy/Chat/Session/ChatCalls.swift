import ProxyRouting

/// The calls that one chat can become: one for each form in which an upstream that serves its model takes chats. Each is made
/// once, however many upstreams are tried. It belongs to one task.
final class ChatCalls {
    let request: PassThroughRequest
    let target: ModelCatalog.Target
    /// What the answer calls the model.
    let name: String
    let quirks: ModelQuirks
    let limits: ChatCompletionsRoute.Limits
    /// What does not depend on the form.
    let callContext: ChatCall.CallContext

    /// How often a request is mended after an upstream has refused something of it by name.
    private var quirksLeft = 3
    private var translated: Written?
    private var adapted: Written?
    private var passedThrough: ChatCall?

    /// A call, and what was known of the model when it was written.
    private struct Written {
        let call: ChatCall
        /// In which OCI is addressed.
        var format = APIFormat.generic
        let family: ModelFamily
    }

    /// - Parameters:
    ///   - root: the request's body, parsed. It is not kept.
    ///   - isTranslated: an upstream that may be asked takes chats in OCI's own form.
    /// - Throws: `Failure` 400 for what the client cannot do without and the model does not take: before anything is sent.
    init(
        _ request: PassThroughRequest, _ root: RequestField, for target: ModelCatalog.Target, named name: String,
        isTranslated: Bool,
        quirks: ModelQuirks, limits: ChatCompletionsRoute.Limits, callContext: ChatCall.CallContext
    ) throws(Failure) {
        self.request = request
        self.target = target
        self.name = name
        self.quirks = quirks
        self.limits = limits
        self.callContext = callContext
        if isTranslated { translated = try translate(root) }
    }

    /// The call for an upstream that takes chats in `form`.
    func call(in form: ChatForm) throws(Failure) -> ChatCall {
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

    /// Takes a refusal to heart: the next call in that form is made with what has been learnt.
    ///
    /// The request is read again then: keeping every request in its parsed form, for the one that needs it, would cost all of them.
    ///
    /// - Returns: whether another try makes sense.
    func learn(from error: Failure, in form: ChatForm) -> Bool {
        guard form != .openAI, quirksLeft > 0, let refused = form == .oci ? translated : adapted,
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

    private func translate(_ root: RequestField) throws(Failure) -> Written {
        let chat = try ChatRequest(root)
        let format = quirks.format(of: target.modelID).suited(to: chat, of: target.modelID)
        let dialect = Dialect(format, for: chat)
        let upstream = upstream()
        let call = ChatCall(
            document: .details(.chat, try dialect.details(of: chat, for: upstream)),
            reader: .translator(dialect, ResponseRules(chat, in: format, for: upstream.family)),
            isStreaming: upstream.isStreaming,
            callContext: callContext)
        return Written(call: call, format: format, family: upstream.family)
    }

    private func adapt() throws(Failure) -> Written {
        let upstream = upstream()
        let call = ChatCall(
            document: .openAI(.chat, try OpenAIOnOCI.body(of: try RequestField(body: request.received), for: upstream)),
            reader: .passThrough(model: name, mayBeEmpty: request.mayBeEmpty), isStreaming: upstream.isStreaming,
            callContext: callContext)
        return Written(call: call, family: upstream.family)
    }

    private func passThrough() -> ChatCall {
        ChatCall(
            document: .openAI(.chat, request.body(model: target.modelID, isStreaming: isStreaming)),
            reader: .passThrough(model: name, mayBeEmpty: request.mayBeEmpty),
            isStreaming: isStreaming, callContext: callContext)
    }

    /// How the upstream is called.
    private var isStreaming: Bool { request.isStreaming && !limits.forcesNonStreaming }

    private func upstream() -> ChatTarget {
        ChatTarget(
            serving: target.serving, modelID: target.modelID, family: quirks.family(of: target.modelID),
            defaultMaxTokens: limits.maxTokens,
            isStreaming: isStreaming)
    }
}
