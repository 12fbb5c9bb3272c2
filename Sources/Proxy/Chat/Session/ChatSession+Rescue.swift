import NIOCore
import NIOHTTP1
import ProxyRouting

/// A stream that its upstream breaks off after the client has been told a part goes on at another, where that can be done without a lie (`RescuePlan`).
extension ChatSession {
    func rescueMode(of model: String, _ target: ModelCatalog.Target) -> RescueMode {
        route.rescue.mode(for: model, of: route.directory.catalog.provider(of: target)) {
            context.request.head.headers.value(of: "x-ociai-rescue")
        }
    }

    /// The stream has broken off.
    ///
    /// - Returns: what goes on with it.
    /// - Throws: what the first upstream ended with, when nobody goes on.
    @inline(never)
    nonisolated(nonsending) func goOn(behind broken: Begun<LiveStream?>, after error: any Error, _ stream: EventStream)
        async throws -> Begun<LiveStream?>
    {
        let (outcome, failure) = await broken.attempt.end(
            after: attributed(error, to: broken.attempt.upstream, for: broken.model))
        guard let failure else { throw CancellationError() }
        let first = firstBreak ?? failure
        firstBreak = first
        guard let next = try await rescued(broken, after: outcome, stream) else { throw first }
        return next
    }

    private nonisolated(nonsending) func rescued(
        _ broken: Begun<LiveStream?>, after outcome: AttemptOutcome, _ stream: EventStream
    ) async throws -> Begun<LiveStream?>? {
        guard let relay = broken.success?.relay, let sent = relay.sent,
            let target = try? route.directory.catalog.resolve(broken.name, for: .chat)
        else { return nil }
        var plan =
            rescue
            ?? RescuePlan(
                rescueMode(of: broken.name, target), RescuePlan.Demands(of: request), within: route.rescue.limit)
        let isArmed = plan.mayRescue(sent, after: outcome)
        rescue = plan
        guard isArmed else { return nil }
        note(.armed, broken.model)
        let began = time.now()
        let broke = ChatCall.Broken(relay: relay, sent: sent, deadline: plan.deadline(at: began))
        defer {
            plan.note(time.now() - began)
            rescue = plan
        }
        let cut = broken.attempt.upstream.index
        for model in models(behind: broken.name) {
            // What cannot be asked is passed over.
            guard let calls = try? calls(for: model) else { continue }
            var left = calls.target.accepts
            if model == broken.name { left.remove(cut) }
            while !left.isEmpty, plan.rescues < RescuePlan.most, time.now() < broke.deadline {
                switch try await ask(calls, at: left, broke, &plan, stream) {
                case .goesOn(let begun): return begun
                case .failed(let upstream): left.remove(upstream)
                case .nobody: left = UpstreamSet()
                }
            }
        }
        return try await last(cut, model: broken.name, broke, &plan, stream)
    }

    /// Who has broken off is asked when no other can, and only to go on: it would not say the same again.
    private nonisolated(nonsending) func last(
        _ cut: Int, model: String, _ broken: ChatCall.Broken, _ plan: inout RescuePlan, _ stream: EventStream
    ) async throws -> Begun<LiveStream?>? {
        guard plan.rescues < RescuePlan.most, time.now() < broken.deadline, let calls = try? calls(for: model),
            calls.target.accepts.contains(cut), asked(calls, behind: broken, plan).1 != .verified
        else { return nil }
        guard case .goesOn(let begun) = try await ask(calls, at: UpstreamSet([cut]), broken, &plan, stream)
        else { return nil }
        return begun
    }

    private enum Answer {
        case goesOn(Begun<LiveStream?>)
        /// That upstream does not.
        case failed(Int)
        /// No upstream is to be had.
        case nobody
    }

    /// The model that has broken off, and what may answer in its place.
    private func models(behind name: String) -> [String] {
        guard let place = fallbacks.firstIndex(of: name) else { return [name] + fallbacks }
        return Array(fallbacks[place...])
    }

    private nonisolated(nonsending) func ask(
        _ calls: ChatCalls, at upstreams: UpstreamSet, _ broken: ChatCall.Broken, _ plan: inout RescuePlan,
        _ stream: EventStream
    ) async throws -> Answer {
        let attempts = route.failover.attempts(
            of: RoutedRequest(
                accepts: upstreams, model: calls.target.serving.id, arrival: time.now(),
                deadline: broken.deadline, isStreaming: true, client: context.record.key ?? "", trace: context.trace,
                call: call, isRetry: true))
        let attempt: Attempt
        do { attempt = try await attempts.next() } catch is Failure { return .nobody }
        let model = calls.target.serving.id
        plan.begin()
        note(.attempted, model)
        var (asked, way) = asked(calls, behind: broken, plan)
        while true {
            do {
                if let live = try await begin(asked, way, broken, attempt, stream) {
                    await attempt.begun()
                    note(way == .verified ? .verified : .continued, model)
                    return .goesOn(Begun(success: live, attempt: attempt, model: model, name: calls.name))
                }
                try Task.checkCancellation()
                // Another answer speaks against nobody.
                note(.diverged, model)
                await attempt.end(after: CancellationError())
                return .failed(attempt.upstream.index)
            } catch {
                if way != .verified, let failure = error as? Failure, failure.refusesRequest {
                    if failure.namesPrefill { calls.notePrefillRefused() }
                    note(.refused, model)
                    (asked, way) = (calls, .verified)
                    continue
                }
                note(.failed, model)
                let failure = await attempt.end(after: attributed(error, to: attempt.upstream, for: model)).failure
                guard failure != nil else { throw CancellationError() }
                return .failed(attempt.upstream.index)
            }
        }
    }

    /// What a model is asked that is to go on, and in which way.
    private func asked(_ calls: ChatCalls, behind broken: ChatCall.Broken, _ plan: RescuePlan) -> (
        ChatCalls, RescuePlan.Way
    ) {
        let way = plan.way(
            calls.prefill, tokens: broken.tokens, mayHaveHoles: broken.relay.unreadableEvents > 0)
        guard case .continued(let prefill) = way,
            let asked = request.continuing(broken.sent.prefill, markedBy: prefill.mark, tokens: broken.tokens),
            let continuing = try? self.calls(for: calls.name, asking: asked)
        else { return (calls, .verified) }
        return (continuing, way)
    }

    private nonisolated(nonsending) func begin(
        _ calls: ChatCalls, _ way: RescuePlan.Way, _ broken: ChatCall.Broken, _ attempt: Attempt, _ stream: EventStream
    ) async throws -> LiveStream? {
        let backend = attempt.upstream.backend
        return try await calls.chat(to: backend).goOn(
            behind: broken, way, by: calls.name, at: backend, to: stream, attempt.report,
            until: MovingDeadline(at: broken.deadline, for: .firstToken, on: time))
    }

    private func note(_ result: RescueCounters.Result, _ model: String) {
        route.rescue.counters.count(result, of: model)
        context.trace.append(.rescue(model: model, result: result.rawValue))
    }
}

extension Failure {
    /// It refuses what was asked, and not who asks.
    fileprivate var refusesRequest: Bool {
        switch kind {
        case .refused, .parameterRefused, .invalidRequest: true
        default: false
        }
    }

    /// In whatever words.
    fileprivate var namesPrefill: Bool {
        let words = message.lowercased()
        return ["prefill", "assistant", "model turn", "last message", "final message", "prefix", "partial"].contains {
            words.contains($0)
        }
    }
}

extension RescuePlan.Demands {
    /// - Parameter request: a chat completion's.
    init(of request: PassThroughRequest) {
        self.init()
        choices = request.choices
        guard let root = try? JSONDocument(parsing: request.received).root else { return }
        wantsLogprobs = root.present("logprobs")?.bool == true || root.present("top_logprobs")?.int ?? 0 > 0
        wantsFormat = root.present("response_format").map { $0["type"]?.equals("text") != true } ?? false
        let choice = root.present("tool_choice")
        forcesTool = choice.map { $0.kind == .object || $0.equals("required") } ?? false
        let endsWithAssistant = root.elements(of: "messages").last?["role"]?.equals("assistant") == true
        mustRepeat = !root.elements(of: "tools").isEmpty && choice?.equals("none") != true || endsWithAssistant
        mostTokens = ["max_tokens", "max_completion_tokens"].compactMap { (name: StaticString) in
            root.present(name)?.int
        }
        .min()
    }
}
