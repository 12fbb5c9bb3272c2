import ProxyRouting
import ProxyTelemetry

/// What spans tell of a request that has ended: a view of its record and its trace. What was said is none of it.
struct SpanFacts {
    private(set) var server: ServerFacts
    private(set) var attempts: [AttemptFacts] = []

    /// - Parameter upstream: by its id.
    init(
        _ record: AccessRecord, _ trace: RequestTrace, at endpoint: (path: String, label: String), duration: Duration,
        _ upstream: (String) -> Tracing.Upstream?
    ) {
        let head = trace.head
        func moment(_ instant: Duration) -> UInt64 {
            UInt64(max(head.wallMicroseconds(of: max(instant, head.arrival)), 0)) &* 1000
        }
        server = ServerFacts(
            method: record.method, route: endpoint.path, start: moment(head.arrival),
            end: moment(head.arrival + duration))
        server.status = record.status
        server.errorType = record.error
        server.clientLeft = record.clientLeft
        server.requestID = record.id
        server.keyName = record.key
        server.modelAsked = record.model
        server.dialect = endpoint.label
        server.operation = Self.operation(endpoint.label)
        server.stream = record.isStreaming
        server.fallbackModel = record.fallback

        var open: [Int: (index: Int, report: AttemptReport, begun: Duration)] = [:]
        var waits: [Int: Duration] = [:]
        var isRescue = false
        for event in trace.events {
            switch event {
            case .passedOver(let passed, let names, _):
                for (one, name) in zip(passed, names) {
                    server.passedOver.append(.init(upstream: name, reason: one.availability.reasonWord))
                }
            case .waited(let time, let call): waits[call] = time
            case .began(let call, let report, let at):
                let wait = waits.removeValue(forKey: call)
                if let time = wait { server.waits.append(.init(start: moment(at - time), duration: time)) }
                var facts = attempt(report, number: attempts.count + 1, at: moment(at), upstream(report.call.upstream))
                facts.waited = wait
                facts.isRescue = isRescue
                facts.stream = record.isStreaming
                if isRescue {
                    server.rescues.append(
                        .init(time: moment(at), from: attempts.last?.upstream, to: report.call.upstream))
                }
                isRescue = false
                open[call] = (attempts.count, report, at)
                attempts.append(facts)
            case .ended(let call, let outcome, let at):
                guard let (index, report, begun) = open.removeValue(forKey: call) else { continue }
                end(&attempts[index], report, outcome, begun: begun, at: moment(at))
            case .rescue(_, let result): isRescue = result == "attempted"
            case .paused, .refused, .succeeded, .fellBack, .gaveUp: break
            }
        }
        // What has not ended was given up with its request.
        for (index, _, _) in open.values { attempts[index].end = server.end }
        server.attempts = attempts.count
    }

    /// Something here has failed, so that it is worth keeping whatever the sampler says. A mistake of the client's is not: one in a loop would push others out.
    var isError: Bool {
        let status = server.status ?? 500
        let isBroken = status < 400 && server.errorType != nil
        return !server.clientLeft && (status >= 500 || isBroken) || attempts.contains { $0.outcome == .failed }
    }

    private func attempt(_ report: AttemptReport, number: Int, at start: UInt64, _ upstream: Tracing.Upstream?)
        -> AttemptFacts
    {
        let isOCI = upstream?.isOCI ?? true
        var facts = AttemptFacts(
            spanID: report.call.traced?.span ?? Self.someID(), number: number, operation: server.operation ?? .chat,
            provider: isOCI ? "oci.generative_ai" : Self.vendor(of: upstream?.host) ?? report.call.upstream,
            outcome: .abandoned, start: start, end: start)
        facts.upstream = report.call.upstream
        if isOCI { facts.account = report.call.upstream }
        facts.region = report.call.region
        facts.requestModel = report.call.model
        (facts.serverAddress, facts.serverPort) = (upstream?.host, upstream?.port)
        return facts
    }

    private func end(
        _ facts: inout AttemptFacts, _ report: AttemptReport, _ outcome: AttemptOutcome, begun: Duration, at end: UInt64
    ) {
        facts.end = max(end, facts.start)
        facts.outcome =
            switch outcome {
            case .succeeded: .succeeded
            case .abandoned: .abandoned
            default: .failed
            }
        if facts.outcome == .failed { facts.errorType = outcome.word }
        report.read { content in
            facts.status = content.status
            facts.opcRequestID = content.opcRequestID
            facts.timeToFirstChunk = content.firstEvent.map { $0 - begun }
            if let usage = content.allUsage {
                (facts.promptTokens, facts.completionTokens) = (usage.prompt, usage.completion)
                (facts.cachedTokens, facts.reasoningTokens) = (usage.cached, usage.reasoning)
            }
        }
    }

    private static func someID() -> SpanID {
        var random = SystemRandomNumberGenerator()
        return SpanID(using: &random)
    }

    private static func operation(_ label: String) -> GenAIOperation {
        switch label {
        case "chat", "messages", "responses": .chat
        case "completions": .textCompletion
        case "embeddings": .embeddings
        case "rerank": .rerank
        case "images": .imageGeneration
        case "audio": .speech
        case "moderations": .moderation
        default: .other(label)
        }
    }

    /// As the conventions call those whose hosts are known.
    private static func vendor(of host: String?) -> String? {
        guard let host = host?.lowercased() else { return nil }
        return vendors.first { host == $0.host || host.hasSuffix("." + $0.host) }?.name
    }

    private static let vendors: [(host: String, name: String)] = [
        ("openai.com", "openai"), ("openai.azure.com", "azure.ai.openai"), ("anthropic.com", "anthropic"),
        ("x.ai", "x_ai"), ("googleapis.com", "gcp.gemini"), ("groq.com", "groq"), ("deepseek.com", "deepseek"),
        ("mistral.ai", "mistral_ai"), ("cohere.com", "cohere"), ("cohere.ai", "cohere"),
        ("perplexity.ai", "perplexity"),
    ]
}
