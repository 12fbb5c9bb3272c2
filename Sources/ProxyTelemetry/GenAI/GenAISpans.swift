/// Makes spans of facts, by the conventions for HTTP and for generative AI (semantic-conventions-genai v0.1.0).
///
/// A client's request is a span of the kind server, each call of an upstream one of the kind client below it. Only the
/// latter have `gen_ai` names: tools add up the tokens of whatever has them, and would count a request twice.
package struct GenAISpans: Hashable, Sendable {
    /// Bytes of a span's name.
    private static let longestName = 256

    /// Whether names of the conventions until 1.36 that were replaced are written besides the present ones.
    package var writesOldNames: Bool

    package init(writesOldNames: Bool) { self.writesOldNames = writesOldNames }

    // MARK: A client's request

    package func server(_ facts: ServerFacts, in trace: TraceStart) -> TraceSpan {
        let method = Self.methods.contains(facts.method) ? facts.method : nil
        let name = "\(method ?? "HTTP")\(facts.route.map { " \($0)" } ?? "")"
        var span = TraceSpan(
            BoundedText.printable(name, toBytes: Self.longestName), kind: .server, traceID: trace.traceID,
            id: trace.spanID, parent: trace.parent, flags: trace.flags, start: facts.start, end: facts.end)
        span.parentIsRemote = true
        span.state = trace.state
        if let link = trace.link { span.links = [TraceSpan.Link(link, isRemote: true)] }
        span.events = events(facts)
        span.droppedEvents = UInt32(
            facts.passedOver.count + facts.waits.count + facts.rescues.count - span.events.count)

        var list = AttributeList(capacity: 20)
        list.add("http.request.method", method ?? "_OTHER")
        if method == nil { list.add("http.request.method_original", facts.method) }
        list.add("http.route", facts.route)
        list.add("url.scheme", facts.scheme)
        list.add("url.path", facts.path)
        list.add("http.response.status_code", facts.status)
        if let error = error(facts) {
            let error = BoundedText.printable(error, toBytes: Self.longestName)
            list.add("error.type", error)
            span.status = .error(error)
        }
        list.add("ociai.error.type", facts.errorType)
        list.add("ociai.request.id", facts.requestID)
        list.add("ociai.key", facts.keyName)
        list.add("ociai.model", facts.modelAsked)
        list.add("ociai.dialect", facts.dialect)
        list.add("ociai.operation", facts.operation?.name)
        list.add("ociai.stream", facts.stream)
        list.add("ociai.attempts", facts.attempts)
        if !facts.waits.isEmpty { list.add("ociai.wait", facts.waits.reduce(.zero) { $0 + $1.duration }) }
        list.addIfTrue("ociai.rescued", !facts.rescues.isEmpty)
        list.add("ociai.fallback.model", facts.fallbackModel)
        list.addIfTrue("ociai.client_left", facts.clientLeft)
        span.attributes = list.attributes
        return span
    }

    /// Those that the conventions know. What a stranger makes up does not become a name.
    private static let methods: Set<String> = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE",
    ]

    /// Of a server: what is the client's fault (4xx) is none of its errors, and neither is that a client went away.
    private func error(_ facts: ServerFacts) -> String? {
        guard !facts.clientLeft else { return nil }
        guard let status = facts.status else { return facts.errorType ?? "_OTHER" }
        switch status {
        case ..<400: return facts.errorType
        case 500...: return facts.errorType ?? "\(status)"
        default: return nil
        }
    }

    private func events(_ facts: ServerFacts) -> [TraceSpan.Event] {
        var events: [TraceSpan.Event] = []
        for passed in facts.passedOver.prefix(Self.mostEvents) {
            var list = AttributeList(capacity: 2)
            list.add("ociai.upstream", passed.upstream)
            list.add("ociai.reason", passed.reason)
            events.append(TraceSpan.Event("passed_over", at: passed.time ?? facts.start, list.attributes))
        }
        for wait in facts.waits.prefix(Self.mostEvents) {
            var list = AttributeList(capacity: 1)
            list.add("ociai.wait", wait.duration)
            events.append(TraceSpan.Event("queue", at: wait.start, list.attributes))
        }
        for rescue in facts.rescues.prefix(Self.mostEvents) {
            var list = AttributeList(capacity: 2)
            list.add("ociai.upstream.from", rescue.from)
            list.add("ociai.upstream", rescue.to)
            events.append(TraceSpan.Event("rescued", at: rescue.time, list.attributes))
        }
        return events.sorted { $0.time < $1.time }
    }

    /// Of one kind. With hundreds of upstreams the rest tells nothing new; the specification's limit is 128 in all.
    private static let mostEvents = 40

    // MARK: A call of an upstream

    package func attempt(_ facts: AttemptFacts, in trace: TraceStart) -> TraceSpan {
        let name = "\(facts.operation.name)\(facts.requestModel.map { " \($0)" } ?? "")"
        var span = TraceSpan(
            BoundedText.printable(name, toBytes: Self.longestName), kind: .client, traceID: trace.traceID,
            id: facts.spanID, parent: trace.spanID, flags: trace.flags, start: facts.start, end: facts.end)
        span.state = trace.state
        var list = AttributeList(capacity: 36)
        addCall(facts, to: &list)
        addRequest(facts, to: &list)
        addResponse(facts, to: &list)
        if facts.outcome == .failed {
            let error = facts.errorType ?? facts.status.map { "\($0)" } ?? "_OTHER"
            list.add("error.type", error)
            span.status = .error(BoundedText.printable(error, toBytes: Self.longestName))
        }
        span.attributes = list.attributes
        if let time = facts.timeToFirstChunk {
            span.events = [TraceSpan.Event("first_chunk", at: facts.start &+ Self.nanoseconds(time))]
        }
        return span
    }

    private func addCall(_ facts: AttemptFacts, to list: inout AttributeList) {
        list.add("gen_ai.operation.name", facts.operation.name)
        list.add("gen_ai.provider.name", facts.provider)
        if writesOldNames { list.add("gen_ai.system", Self.oldProvider(facts.provider)) }
        list.add("server.address", facts.serverAddress)
        if facts.serverAddress != nil { list.add("server.port", facts.serverPort) }
        list.add("ociai.attempt", facts.number)
        list.add("ociai.upstream", facts.upstream)
        list.add("ociai.outcome", facts.outcome.rawValue)
        list.add("ociai.wait", facts.waited)
        list.addIfTrue("ociai.rescue", facts.isRescue)
        list.add("oci.account", facts.account)
        list.add("oci.region", facts.region)
        list.add("oci.opc_request_id", facts.opcRequestID)
    }

    private func addRequest(_ facts: AttemptFacts, to list: inout AttributeList) {
        let asked = facts.parameters
        list.add("gen_ai.request.model", facts.requestModel)
        list.add("gen_ai.request.stream", facts.stream)
        list.add("gen_ai.request.max_tokens", asked.maxTokens)
        list.add("gen_ai.request.temperature", asked.temperature)
        list.add("gen_ai.request.top_p", asked.topP)
        list.add("gen_ai.request.top_k", asked.topK)
        list.add("gen_ai.request.frequency_penalty", asked.frequencyPenalty)
        list.add("gen_ai.request.presence_penalty", asked.presencePenalty)
        list.add("gen_ai.request.seed", asked.seed)
        if asked.choices != 1 { list.add("gen_ai.request.choice.count", asked.choices) }
        list.add("gen_ai.request.reasoning.level", asked.reasoningLevel)
        list.add("gen_ai.output.type", asked.outputType)
        list.add("gen_ai.embeddings.dimension.count", asked.dimensions)
    }

    private func addResponse(_ facts: AttemptFacts, to list: inout AttributeList) {
        list.add("http.response.status_code", facts.status)
        list.add("gen_ai.response.model", facts.responseModel)
        list.add("gen_ai.response.id", facts.responseID)
        list.add("gen_ai.response.finish_reasons", facts.finishReasons)
        list.add("gen_ai.response.time_to_first_chunk", facts.timeToFirstChunk)
        list.add("gen_ai.usage.input_tokens", facts.promptTokens)
        list.add("gen_ai.usage.output_tokens", facts.completionTokens)
        list.addUnlessZero("gen_ai.usage.cache_read.input_tokens", facts.cachedTokens)
        list.addUnlessZero("gen_ai.usage.reasoning.output_tokens", facts.reasoningTokens)
    }

    /// As `gen_ai.system` had it.
    private static func oldProvider(_ provider: String) -> String { provider == "x_ai" ? "xai" : provider }

    /// Of a duration that is not negative; whole ones.
    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = max(duration, .zero).components
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds) / 1_000_000_000
    }
}
