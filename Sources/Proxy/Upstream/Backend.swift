import NIOHTTP1
import ProxyRouting

/// What an upstream calls: an OCI account or an OpenAI-compatible provider.
///
/// A value without mutable state, used beside the upstream's actor: a signature or a network call must never stand in the way of
/// somebody who only asks how it is doing. Its methods are `nonisolated async`, so they run on the concurrency pool unless the caller
/// prefers an executor.
protocol Backend: Sendable {
    /// Shown in statistics and logs; unique.
    var id: String { get }
    var kind: BackendKind { get }
    /// OCI's, such as `us-chicago-1`; nil for a provider.
    var region: String? { get }
    /// The base URL of its calls, for the operator.
    var endpoint: String { get }
    var time: TimeSource { get }
    /// It may know the trace that a call belongs to.
    var propagatesTrace: Bool { get }
    /// The form in which its chats are sent.
    var chatForm: ChatForm { get }
    /// The APIs in which a request passes to it as it is.
    var dialects: Set<ProviderDialect> { get }
    /// Whether it speaks that API of one of its models.
    func speaks(_ dialect: ProviderDialect, of model: String) -> Bool
    /// Names where it keeps what clients refer to later (responses, items): upstreams of one home know the same.
    var home: String { get }

    /// A call in that form, ready to be sent.
    ///
    /// - Parameter deadline: ends what has to be waited for.
    /// - Throws: `PrivateKeyError`, `CredentialFailure`, `CancellationError`, `MovingDeadline.Exceeded`.
    nonisolated(nonsending) func request(_ document: CallDocument, isStreaming: Bool, until deadline: MovingDeadline?)
        async throws -> TransportRequest

    /// Sends what `request` has made.
    ///
    /// - Parameter deadline: ends the call, and the answer's body, as in `HTTPTransport.send`.
    /// - Throws: `TransportError`, `CancellationError`, `MovingDeadline.Exceeded`; for an account also what `request` throws.
    nonisolated(nonsending) func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportResponse

    /// A refusal, in the words that the client gets.
    ///
    /// - Parameter retryAfter: seconds.
    func refusal(status: Int, retryAfter: Int?, body: [UInt8]) -> Failure

    /// An error of the upstream, in whose words its key may stand, without it.
    func withoutKey(_ error: Failure) -> Failure

    /// One call to find out how it does.
    ///
    /// - Parameter limit: of the models to list.
    /// - Throws: `CancellationError` only; every failure is a report.
    func probe(limit: Int) async throws -> ProbeReport

    /// Everything that it serves.
    ///
    /// - Throws: `Failure` when it refuses or answers with no list; else as `send`.
    func allModels() async throws -> [ModelSummary]
}

/// The raw values are those of the statistics.
enum BackendKind: String, Sendable {
    case oci
    case openAI = "openai"
}

extension Failure {
    /// A status that says that there is no body behind it.
    fileprivate static func noContent(_ status: Int) -> Failure {
        var error = Failure(
            .failed(.empty), "The upstream returned an empty response (HTTP \(status)). Try again.")
        error.upstreamStatus = status
        return error
    }

    /// Shorter ones are words (`none`, `ollama`) that stand for "no key", and stand in messages for themselves.
    private static let shortestSecret = 8

    func without(_ secret: Secret) -> Failure {
        let text = secret.reveal()
        guard text.utf8.count >= Self.shortestSecret else { return self }
        var error = self
        error.message = MaskedWords.without(text, message)
        error.field = field.map { MaskedWords.without(text, $0) }
        error.said?.type = said?.type.map { MaskedWords.without(text, $0) }
        error.said?.code = said?.code.map { MaskedWords.without(text, $0) }
        return error
    }
}

extension Backend {
    var dialects: Set<ProviderDialect> { [] }
    func speaks(_ dialect: ProviderDialect, of model: String) -> Bool { dialects.contains(dialect) }
    var home: String { id }
    var propagatesTrace: Bool { false }

    nonisolated(nonsending) func request(_ document: CallDocument, isStreaming: Bool) async throws -> TransportRequest {
        try await request(document, isStreaming: isStreaming, until: nil)
    }

    nonisolated(nonsending) func send(_ request: TransportRequest) async throws -> TransportResponse {
        try await send(request, until: nil)
    }

    /// The response if it may be an answer (201 and 202 may); the upstream's refusal as an error otherwise.
    ///
    /// - Parameter report: of the attempt, where the upstream's status and name for the call are noted.
    /// - Throws: `Failure`, `CancellationError`, `MovingDeadline.Exceeded`.
    nonisolated(nonsending) func successful(_ response: TransportResponse, noting report: AttemptReport? = nil)
        async throws -> TransportResponse
    {
        report?.note(response, isOfOCI: kind == .oci)
        guard !(200..<300).contains(response.status) else {
            // By definition they have no body.
            guard response.status != 204, response.status != 205 else { throw Failure.noContent(response.status) }
            return response
        }
        // Error bodies are small; what is longer is not read, and an unreadable one says nothing.
        let body: [UInt8]
        do {
            body = try await response.collect(upTo: 256 << 10)
        } catch let error as MovingDeadline.Exceeded {
            throw error
        } catch {
            body = []
        }
        try Task.checkCancellation()
        let retryAfter = RetryHint.seconds({ response.headers.first(name: $0) }, now: time.wallClock())
        var error = refusal(status: response.status, retryAfter: retryAfter, body: body)
        error.upstreamStatus = response.status
        throw error
    }
}
