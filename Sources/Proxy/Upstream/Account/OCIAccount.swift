import NIOCore
import NIOHTTP1
import ProxyRouting

/// An OCI account as its configuration describes it, and the signed calls that it can make.
///
/// A value without mutable state: what changes about its credentials is behind `RequestCredentials`. Its methods are `nonisolated
/// async`, so a signature (0.2 ms of RSA) is computed on the concurrency pool: never on an event loop, never inside an actor.
struct OCIAccount: Backend {
    let id: String
    let region: String?
    /// OCID sent with each call.
    let compartment: String
    let inference: ServiceURL
    let management: ServiceURL
    let credentials: RequestCredentials
    /// How it authenticates, for hints to the operator.
    var auth = AuthKind.apiKey
    /// OCID of the project in which OCI keeps responses; nil: they are not asked for there.
    var project: String?
    let transport: any HTTPTransport
    let time: TimeSource
    /// Whether its services repeat the ids of requests.
    private let habits = (inference: EchoHabit(), management: EchoHabit())

    /// A call, signed and ready to be sent: a signature is valid for five minutes.
    ///
    /// - Throws: `PrivateKeyError`, `CredentialFailure`, `CancellationError`, `MovingDeadline.Exceeded`.
    func request(_ document: CallDocument, isStreaming: Bool, until deadline: MovingDeadline?) async throws
        -> TransportRequest
    {
        let accept = isStreaming ? "application/json, text/event-stream" : "application/json"
        return switch document {
        case .details(let action, let details):
            try await signed(
                .POST, "/20231130/actions/" + action.rawValue, at: inference, body: details.document(in: compartment),
                accept: accept, until: deadline)
        case .openAI(let action, let body):
            try await signed(
                .POST, Self.openAIPath + action.rawValue, at: inference, body: body, accept: accept, until: deadline)
        case .forward(let method, let path, let body, headers: _):
            try await inProject(
                signed(method, Self.openAIPath + path, at: inference, body: body, accept: accept, until: deadline))
        case .native(let dialect, let body, headers: _):
            try await inProject(
                signed(
                    .POST, Self.openAIPath + dialect.path, at: inference, body: body, accept: accept, until: deadline))
        }
    }

    // MARK: Responses (OCI wire notes, 7)

    var dialects: Set<ProviderDialect> { project == nil ? [] : [.responses] }

    func speaks(_ dialect: ProviderDialect, of model: String) -> Bool {
        dialects.contains(dialect) && OCIResponses.serve(model)
    }

    /// Accounts that share a project share what OCI keeps there.
    var home: String { project.map { "\($0) in \(region ?? inference.url)" } ?? id }

    /// Where OCI is to keep what it says, which no signature covers.
    private func inProject(_ request: TransportRequest) -> TransportRequest {
        var request = request
        // The first is the newer name; services of both ages are in use.
        request.headers.replaceOrAdd(name: "opc-compartment-id", value: compartment)
        request.headers.replaceOrAdd(name: "CompartmentId", value: compartment)
        if let project { request.headers.replaceOrAdd(name: "OpenAI-Project", value: project) }
        return request
    }

    /// The form in which its chats are sent. A Generative AI API key is good for OCI's OpenAI-compatible path only.
    var chatForm: ChatForm { credentials.bearerKey == nil ? .oci : .openAIOnOCI }

    var kind: BackendKind { .oci }
    var endpoint: String { inference.url }

    func refusal(status: Int, retryAfter: Int?, body: [UInt8]) -> Failure {
        withoutKey(OCIErrorReader.translate(status: status, retryAfter: retryAfter, body: body, account: id))
    }

    func withoutKey(_ error: Failure) -> Failure {
        var error = credentials.bearerKey.map { error.without($0) } ?? error
        error.message = MaskedWords.withoutTokens(error.message)
        return error
    }

    func probe(limit: Int) async throws -> ProbeReport { try await AccountProbe.run(self, limit: limit) }

    /// Where OCI speaks OpenAI's own API (OCI wire notes, 7).
    static let openAIPath = "/openai/v1"

    /// Sends a signed request. When the service refuses its token (401) and there is a newer one, or one can be had, sends it once
    /// more.
    ///
    /// - Throws: `TransportError`, `CancellationError`, `PrivateKeyError`, `CredentialFailure`, `MovingDeadline.Exceeded`.
    func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws -> TransportResponse {
        let response = try await transport.send(request, until: deadline)
        guard response.status == 401, let refused = request.headers.first(name: "authorization"),
            try await withTaskExecutorPreference(
                globalConcurrentExecutor, operation: { try await credentials.renew(after: refused, until: deadline) })
        else { return response }
        // Read to its end, so that the connection can be used again.
        _ = try? await response.collect(upTo: 64 << 10)
        return try await transport.send(try await signedAnew(request, until: deadline), until: deadline)
    }

    /// The same request with another signature, computed off the event loop wherever the caller runs.
    private func signedAnew(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportRequest
    {
        guard let signer = try await credentials.signer(until: deadline) else { return request }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            let target = HTTPTarget(of: request.url)
            let body = request.body ?? ByteBuffer()
            let signed = try await LargeWork.run(on: body.readableBytes) {
                try signer.sign(
                    method: request.method.rawValue, authority: target.authority, target: target.path,
                    date: time.wallClock(), body: body.readableBytesUInt8Span)
            }
            var request = request
            for (name, value) in signed { request.headers.replaceOrAdd(name: name, value: value) }
            return request
        }
    }

    /// A request to the service, signed or with the key that stands for a signature.
    func signed(
        _ method: HTTPMethod, _ target: String, at endpoint: ServiceURL, body: SplicedText?, accept: String,
        until deadline: MovingDeadline? = nil
    ) async throws -> TransportRequest {
        let target = endpoint.path + target
        let body = body.map { BodyBuffers.buffer($0) }
        var headers = HTTPHeaders()
        headers.reserveCapacity(10)
        if let key = credentials.bearerKey {
            headers.add(name: "authorization", value: "Bearer " + key.reveal())
            if body != nil { headers.add(name: "content-type", value: "application/json") }
            // The first is the newer name; services of both ages are in use.
            headers.add(name: "opc-compartment-id", value: compartment)
            headers.add(name: "CompartmentId", value: compartment)
        } else {
            // Off the event loop, if this is one: a signature takes most of a millisecond, and a new session's key more.
            let signed = try await withTaskExecutorPreference(globalConcurrentExecutor) {
                let signer = try await credentials.signer(until: deadline)
                let body = body ?? ByteBuffer()
                return try await LargeWork.run(on: body.readableBytes) {
                    try signer?.sign(
                        method: method.rawValue, authority: endpoint.authority, target: target,
                        date: time.wallClock(), body: body.readableBytesUInt8Span)
                }
            }
            for (name, value) in signed ?? [] { headers.add(name: name, value: value) }
        }
        let echo = RequestEcho(to: endpoint == inference ? habits.inference : habits.management)
        headers.add(name: RequestEcho.field, value: echo.id)
        headers.add(name: "accept", value: accept)
        // Never zstd: the service compresses each event as a frame of its own, which decoders cut after the first.
        headers.add(name: "accept-encoding", value: "identity")
        headers.add(name: "user-agent", value: "ociai-proxy/\(ProxyVersion.current)")
        return TransportRequest(method: method, url: endpoint.origin + target, headers: headers, body: body, echo: echo)
    }
}

/// The base of a service's URLs, split once as each signature needs it.
struct ServiceURL: Equatable, Sendable {
    /// Scheme and authority.
    let origin: String
    /// Host, and port when the URL names one: what goes into the `host` header.
    let authority: String
    /// What stands in front of `/20231130`, without a slash at its end.
    let path: String

    /// As one text.
    var url: String { origin + path }

    init(_ url: BaseURL) {
        authority = (url.host.contains(":") ? "[\(url.host)]" : url.host) + (url.explicitPort.map { ":\($0)" } ?? "")
        origin = "\(url.scheme.rawValue)://\(authority)"
        path = url.path
    }
}

extension String {
    /// The text as a query value (RFC 3986: everything but unreserved characters becomes `%XX`).
    var percentEncodedForQuery: String {
        var bytes: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                let digits: StaticString = "0123456789ABCDEF"
                bytes += [UInt8(ascii: "%"), digits.utf8[Int(byte >> 4)], digits.utf8[Int(byte & 0xF)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
