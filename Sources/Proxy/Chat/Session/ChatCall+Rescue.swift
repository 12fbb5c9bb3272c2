import ProxyRouting

/// A call that goes on with another's answer.
extension ChatCall {
    /// A stream that has broken off.
    struct Broken {
        /// What has made the client's stream so far.
        let relay: any ResponseRelay
        /// What the client has been told.
        let sent: SentText
        /// The model, as the client or a fallback names it.
        let name: String
        /// Until when somebody has to go on.
        let deadline: Duration

        /// Of what was sent: as the upstream has counted them, or a guess.
        let tokens: Int

        init(_ relay: any ResponseRelay, _ sent: SentText, of name: String, until deadline: Duration) {
            (self.relay, self.sent, self.name, self.deadline) = (relay, sent, name, deadline)
            // Some count as they go, and some have counted before they had said much.
            tokens = max((relay.usage?.completion ?? 0) + relay.tokensBefore, sent.tokens)
        }

        /// - Parameter endpoint: of who goes on. Only the vendor's own repeats a prefill.
        fileprivate func comparison(_ way: RescuePlan.Way, at endpoint: String) -> TextComparison {
            switch way {
            case .verified: TextComparison(repeating: sent)
            case .continued(let prefill):
                TextComparison(continuing: sent, echoes: prefill.echoes && AssistantPrefill.isVendor(endpoint))
            }
        }
    }

    /// Begins the rest of a stream that another upstream has broken off. Returns when something has been told that the client has not known.
    ///
    /// - Parameters:
    ///   - way: in which it has been asked.
    ///   - model: who goes on, for people.
    ///   - deadline: for that.
    /// - Returns: nil when nobody can go on with the client's stream, or the answer is another one: then nothing has been told.
    /// - Throws: why there is no second answer.
    nonisolated(nonsending) func goOn(
        behind broken: Broken, _ way: RescuePlan.Way, by model: String, at backend: any Backend, to stream: EventStream,
        _ report: AttemptReport, until deadline: MovingDeadline
    ) async throws -> LiveStream? {
        guard isStreaming,
            let relay = reader.relay(
                of: backend.id, to: callContext.client, goingOn: broken.relay, behind: broken.sent,
                broken.comparison(way, at: backend.endpoint), tokensBefore: way == .verified ? 0 : broken.tokens,
                by: model, meter: callContext.meter ?? TextMeter())
        else { return nil }
        deadline.arm()
        do {
            let request = report.watching(
                try await backend.request(document, isStreaming: true, until: deadline))
            if callContext.executor.isCurrent {
                return try await begin(request, at: backend, through: relay, to: stream, report, deadline)
            }
            // nonisolated(unsafe): it stays in this task, which goes to another thread and back.
            nonisolated(unsafe) let relay = relay
            return try await callContext.executor.run {
                unsafe try await self.begin(request, at: backend, through: relay, to: stream, report, deadline)
            }
        } catch {
            deadline.disarm()
            if relay.hasDiverged { return nil }
            throw error
        }
    }

    private nonisolated(nonsending) func begin(
        _ request: TransportRequest, at backend: any Backend, through relay: any ResponseRelay, to stream: EventStream,
        _ report: AttemptReport, _ deadline: MovingDeadline
    ) async throws -> LiveStream {
        let response = try await backend.successful(
            try await backend.send(request, until: deadline), noting: report)
        let live = LiveStream(
            response, through: relay, of: backend.id, reader, to: stream, report, deadline, callContext, isRescue: true)
        try await live.begin()
        return live
    }
}
