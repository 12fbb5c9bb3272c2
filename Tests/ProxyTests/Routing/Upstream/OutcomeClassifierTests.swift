import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct OutcomeClassifierTests {
    @Test(
        arguments: [
            (400, .refused), (404, .modelUnavailable), (413, .refused), (422, .refused), (401, .credentialsDoubted),
            (403, .credentialsDoubted), (402, .accountDoubted(retryAfter: 7)),
            (429, .rateLimited(retryAfter: 7)), (408, .timedOut), (409, .unavailable(retryAfter: 7)), (418, .failed),
            (302, .failed), (500, .failed),
            (502, .failed), (503, .unavailable(retryAfter: 7)), (504, .timedOut), (529, .unavailable(retryAfter: 7)),
        ] as [(Int, AttemptOutcome)])
    func `A status of the upstream means`(status: Int, outcome: AttemptOutcome) {
        let error = OCIErrorReader.translate(status: status, retryAfter: 7, body: [], account: "a")
        #expect(OutcomeClassifier.outcome(of: error) == outcome)
    }

    @Test(
        arguments: [
            ("Model meta.llama-3.1-70b-instruct 1.0.0 is retired", .modelUnavailable),
            ("prompt is too long: 210000 tokens > 200000 maximum", .promptTooLong),
            ("temperature must be between 0 and 2", .refused),
        ] as [(String, AttemptOutcome)])
    func `The words of a refusal mean`(message: String, outcome: AttemptOutcome) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("message")
        writer.string(message)
        writer.endObject()
        let error = OCIErrorReader.translate(status: 400, retryAfter: nil, body: writer.bytes, account: "a")
        #expect(OutcomeClassifier.outcome(of: error) == outcome)
    }

    @Test(
        arguments: [
            (.refused, .refused), (.parameterRefused, .refused), (.formatRefused, .refused),
            (.contentFiltered, .refused), (.promptTooLong, .promptTooLong),
            (.modelNotAllowed, .modelNotAllowed), (.modelGone, .modelUnavailable),
            (.throttled, .rateLimited(retryAfter: 7)),
            (.accountExhausted, .accountExhausted(retryAfter: 7)), (.credentialsRefused, .credentialsRefused),
            (.credentialsDoubted, .credentialsDoubted),
            (.accountDoubted, .accountDoubted(retryAfter: 7)), (.unavailable, .unavailable(retryAfter: 7)),
            (.failed(.serverError), .failed),
            (.failed(.empty), .failed), (.timedOut, .timedOut), (.unusable(.otherForm), .refused),
            (.unusable(.noVector), .refused),
        ] as [(Failure.Kind, AttemptOutcome)])
    func `A kind decides whatever the status`(kind: Failure.Kind, outcome: AttemptOutcome) {
        for status in [400, 404, 429, 502] {
            #expect(
                OutcomeClassifier.outcome(of: Failure(kind, "m", retryAfter: 7, said: .init(status: status))) == outcome
            )
        }
    }

    @Test(
        arguments: [
            (TransportError.cannotConnect("x"), .unreachable), (.connectTimeout, .connectTimedOut),
            (.tls("x"), .unreachable),
            (.connectionLost("x"), .brokenOff), (.answerCut("x"), .failed),
            (.malformedAnswer("x"), .failed), (.tooLarge(limit: 1), .refused),
        ] as [(TransportError, AttemptOutcome)])
    func `A failure of the way means`(error: TransportError, outcome: AttemptOutcome) {
        #expect(OutcomeClassifier.outcome(of: error) == outcome)
    }

    @Test(
        arguments: [
            (DeadlineCause.request, .outOfTime), (.head, .timedOut), (.firstToken, .timedOut),
            (.idleTimeout, .timedOut), (.slowClient, .abandoned),
            (.tail, .succeeded),
        ] as [(DeadlineCause, AttemptOutcome)])
    func `A deadline means`(cause: DeadlineCause, outcome: AttemptOutcome) {
        #expect(OutcomeClassifier.outcome(of: MovingDeadline.Exceeded(cause: cause)) == outcome)
    }

    @Test func `A stream that is not whole is the upstream's failure`() throws {
        for events in [
            "data: {\"message\":{\"content\":[{\"text\":\"a\"}]}}\n\n", "data: {\"finishReason\":\"stop\"}\n\n", "",
        ] {
            let error = try #require(try StreamRun([Array(events.utf8)[...]]).error)
            #expect(OutcomeClassifier.outcome(of: error) == .failed)
        }
    }

    @Test func `A client that leaves says nothing about the upstream`() {
        #expect(OutcomeClassifier.outcome(of: CancellationError()) == .abandoned)
    }

    @Test func `What cannot sign is a case of credentials`() {
        #expect(OutcomeClassifier.outcome(of: PrivateKeyError.signingFailed) == .credentialsRefused)
    }
}
