import NIOCore
import NIOHTTP1
import ProxyRouting

/// A stream that its upstream breaks off after the client has been told a part goes on at another, where that can be done without a lie (`RescuePlan`).
extension ChatSession {
    func rescueMode(of model: String, _ target: ModelCatalog.Target) -> RescueMode {
        let catalog = route.directory.catalog
        return route.rescue.mode(
            for: model, of: catalog.provider(of: target),
            isSame: { name in (try? catalog.resolve(name))?.serving == target.serving },
            wish: { context.request.head.headers.value(of: "x-ociai-rescue") })
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
        // What has named its end is whole, or fails for good.
        guard let relay = broken.success?.relay, !relay.isFinished, let sent = relay.sent,
            let target = try? route.directory.catalog.resolve(broken.name, for: .chat, by: context.caller)
        else { return nil }
        var plan = try await plan(of: broken.name, target)
        let isArmed = plan.mayRescue(sent, after: outcome)
        rescue = plan
        guard isArmed else { return nil }
        note(.armed, broken.name)
        let began = time.now()
        let broke = ChatCall.Broken(relay, sent, of: broken.name, until: plan.deadline(at: began))
        defer {
            plan.note(time.now() - began)
            rescue = plan
        }
        let cut = broken.attempt.upstream.index
        asked[broken.name, default: UpstreamSet()].insert(cut)
        models: for model in models(behind: broken.name) {
            // What cannot be asked is passed over.
            guard let calls = try await calls(for: model, asking: request) else { continue }
            var left: UpstreamSet { calls.target.accepts.subtracting(asked[model] ?? UpstreamSet()) }
            while !left.isEmpty, plan.rescues < RescuePlan.most, time.now() < broke.deadline {
                switch try await ask(calls, at: left, broke, &plan, stream) {
                case .goesOn(let begun): return begun
                case .failed(let upstream): asked[model, default: UpstreamSet()].insert(upstream)
                case .nobody: continue models
                }
            }
        }
        return try await last(cut, model: broken.name, broke, &plan, stream)
    }

    /// That of this request, or a new one.
    private nonisolated(nonsending) func plan(of model: String, _ target: ModelCatalog.Target) async throws
        -> RescuePlan
    {
        if let rescue { return rescue }
        let demands = try await LargeWork.run(on: request.received.count) { RescuePlan.Demands(of: request) }
        return RescuePlan(rescueMode(of: model, target), demands, within: route.rescue.limit)
    }

    /// - Returns: nil for what cannot be asked.
    /// - Throws: `CancellationError`.
    private nonisolated(nonsending) func calls(for model: String, asking asked: PassThroughRequest) async throws
        -> ChatCalls?
    {
        try await LargeWork.run(on: asked.received.count) { try? self.calls(for: model, asking: asked) as ChatCalls }
    }

    /// Who has broken off is asked when no other can, and only to go on: it would not say the same again.
    private nonisolated(nonsending) func last(
        _ cut: Int, model: String, _ broken: ChatCall.Broken, _ plan: inout RescuePlan, _ stream: EventStream
    ) async throws -> Begun<LiveStream?>? {
        guard plan.rescues < RescuePlan.most, time.now() < broken.deadline,
            let calls = try await calls(for: model, asking: request),
            calls.target.accepts.contains(cut), way(calls, behind: broken, plan) != .verified
        else { return nil }
        guard
            case .goesOn(let begun) = try await ask(
                calls, at: UpstreamSet([cut]), broken, &plan, stream, mayVerify: false)
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

    /// - Parameter mayVerify: it is worth hearing that upstream's whole answer once more.
    private nonisolated(nonsending) func ask(
        _ calls: ChatCalls, at upstreams: UpstreamSet, _ broken: ChatCall.Broken, _ plan: inout RescuePlan,
        _ stream: EventStream, mayVerify: Bool = true
    ) async throws -> Answer {
        let names = context.trace.failedUpstreams
        let failed = UpstreamSet(route.failover.router.upstreams.filter { names.contains($0.id) }.map(\.index))
        let ofModel = calls.name == request.model ? failed : asked[calls.name] ?? UpstreamSet()
        let attempts = route.failover.attempts(
            of: RoutedRequest(
                accepts: upstreams, model: calls.target.serving.id, arrival: time.now(),
                deadline: broken.deadline, isStreaming: true, client: context.record.key ?? "", trace: context.trace,
                call: call, isRetry: true, earlier: EarlierFailures(failed, ofModel: ofModel), charge: context.charge,
                estimate: estimate.counting(characters: calls.characters), pricing: calls.pricing))
        let attempt: Attempt
        do { attempt = try await attempts.next() } catch is Failure { return .nobody }
        let model = calls.name
        plan.begin()
        note(.attempted, model)
        var way = way(calls, behind: broken, plan)
        let backend = attempt.upstream.backend
        var tellsServer = backend.chatForm == .openAI && !AssistantPrefill.isVendor(backend.endpoint)
        while true {
            do {
                if let live = try await begin(calls, way, tellsServer: tellsServer, broken, attempt, stream) {
                    await attempt.begun()
                    note(way == .verified ? .verified : .continued, model)
                    if model != broken.name { context.trace.append(.fellBack(to: model)) }
                    return .goesOn(
                        Begun(success: live, attempt: attempt, model: calls.target.serving.id, name: model))
                }
                try Task.checkCancellation()
                // Another answer speaks against nobody.
                note(.diverged, model)
                await attempt.end(after: CancellationError())
                return .failed(attempt.upstream.index)
            } catch {
                if let failure = error as? Failure, !Task.isCancelled {
                    if way != .verified, tellsServer, failure.namesServerMember {
                        tellsServer = false
                        attempt.report.beginAnew()
                        continue
                    }
                    if way != .verified, failure.mayRefusePrefill {
                        if failure.kind != .failed(.empty) {
                            if failure.namesPrefill { calls.notePrefillRefused() }
                            note(.refused, model)
                        }
                        // Nothing that it refuses so speaks against the upstream, or for its not having the model. Who has nothing to add is no better: whether all
                        // has been said, only who says it once more can tell.
                        way = .verified
                        if mayVerify {
                            attempt.report.beginAnew()
                            continue
                        }
                        note(.failed, model)
                        await attempt.end(after: CancellationError())
                        return .failed(attempt.upstream.index)
                    }
                    if way == .verified,
                        calls.learn(from: failure, in: backend.chatForm)
                            || calls.truncates(after: failure)
                    {
                        attempt.report.beginAnew()
                        continue
                    }
                }
                // A model that is asked for a chat here, or to go on, may be served there in other ways: it stays in the lists.
                let failure = await attempt.end(after: (error as? Failure).map(backend.withoutKey) ?? error).failure
                guard failure != nil else { throw CancellationError() }
                note(.failed, model)
                return .failed(attempt.upstream.index)
            }
        }
    }

    /// How a model is asked.
    private func way(_ calls: ChatCalls, behind broken: ChatCall.Broken, _ plan: RescuePlan) -> RescuePlan.Way {
        broken.sent.isAmbiguous
            ? .verified
            : plan.way(calls.prefill, tokens: broken.tokens, mayHaveHoles: broken.relay.hasHoles)
    }

    private nonisolated(nonsending) func begin(
        _ calls: ChatCalls, _ way: RescuePlan.Way, tellsServer: Bool, _ broken: ChatCall.Broken, _ attempt: Attempt,
        _ stream: EventStream
    ) async throws -> LiveStream? {
        var calls = calls
        let backend = attempt.upstream.backend
        if case .continued(let prefill) = way {
            let asked = try await LargeWork.run(on: request.received.count) {
                request.continuing(
                    broken.sent.prefill, markedBy: prefill.mark, tokens: broken.tokens, tellsServer: tellsServer)
            }
            guard let asked, let continuing = try await self.calls(for: calls.name, asking: asked) else {
                throw Failure(.refused, "The request cannot be gone on with.")
            }
            calls = continuing
        }
        return try await calls.chat(to: backend).goOn(
            behind: broken, way, by: calls.name, at: backend, to: stream, attempt.report,
            until: MovingDeadline(at: broken.deadline, for: .rescue, on: time))
    }

    private func note(_ result: RescueCounters.Result, _ model: String) {
        route.rescue.counters.count(result, of: model)
        context.trace.append(.rescue(model: model, result: result.rawValue))
    }
}

extension Failure {
    /// What was put behind the conversation may be why: it says so, or refuses what was asked and not who asks.
    fileprivate var mayRefusePrefill: Bool {
        switch kind {
        case .refused, .parameterRefused, .invalidRequest, .notFound(.model), .modelGone, .failed(.empty): true
        case .failed, .unavailable, .unusable, .formatRefused, .modelNotAllowed: isAboutPrefill
        default: false
        }
    }

    /// It does not know what servers like vLLM's are told.
    fileprivate var namesServerMember: Bool {
        [message, field ?? ""].contains {
            $0.contains("continue_final_message") || $0.contains("add_generation_prompt")
        }
    }

    /// Of no other thing.
    private var isAboutPrefill: Bool {
        let words = message.lowercased()
        return ["prefill", "model turn", "assistant message"].contains { words.contains($0) }
    }

    /// In whatever words.
    fileprivate var namesPrefill: Bool {
        let words = message.lowercased()
        return [
            "last message", "final message", "prefix", "partial",
        ]
        .contains { words.contains($0) } || isAboutPrefill
    }
}
