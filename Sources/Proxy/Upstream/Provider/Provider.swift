import NIOCore
import NIOHTTP1
import ProxyRouting

/// An OpenAI-compatible provider: its address, and the calls that it takes.
struct Provider: Backend {
    let id: String
    /// What stands before the first `/` of its models; several entries of one name are a pool.
    let name: String
    let base: ServiceURL
    let dialects: Set<ProviderDialect>
    let propagatesTrace: Bool
    /// Exactly what is served; nil: the provider is asked.
    let models: [String]?
    let transport: any HTTPTransport
    let time: TimeSource
    private let token: Secret?
    /// Of the calls without a body, and of those with one.
    private let headers: HTTPHeaders
    private let callHeaders: (document: HTTPHeaders, stream: HTTPHeaders)
    private let chatURL: String
    private let chatHeads = (document: KnownHead(), stream: KnownHead())

    init(_ settings: ProviderSettings, transport: any HTTPTransport, time: TimeSource) {
        id = settings.id
        name = settings.name
        base = ServiceURL(settings.baseURL)
        models = settings.models
        dialects = settings.dialects
        propagatesTrace = settings.propagatesTrace
        token = settings.token
        self.transport = transport
        self.time = time
        let common = Self.headers(for: settings)
        headers = common
        callHeaders = (
            Self.headers(common, isStreaming: false, hasBody: true),
            Self.headers(common, isStreaming: true, hasBody: true)
        )
        chatURL = base.url + OpenAIAction.chat.rawValue
    }

    /// What every call carries. Anthropic's own names for them go out as well, as its documents ask for.
    private static func headers(for settings: ProviderSettings) -> HTTPHeaders {
        var headers: HTTPHeaders = ["user-agent": "ociai-proxy/\(ProxyVersion.current)"]
        let host = settings.baseURL.host.lowercased()
        let isAnthropic = host == "anthropic.com" || host.hasSuffix(".anthropic.com")
        if isAnthropic { headers.add(name: "anthropic-version", value: "2023-06-01") }
        guard let token = settings.token?.reveal() else { return headers }
        headers.add(name: "authorization", value: "Bearer " + token)
        if isAnthropic { headers.add(name: "x-api-key", value: token) }
        return headers
    }

    private static func headers(_ common: HTTPHeaders, isStreaming: Bool, hasBody: Bool) -> HTTPHeaders {
        var headers = common
        headers.add(name: "accept", value: isStreaming ? "text/event-stream" : "application/json")
        // A compressed stream would arrive in lumps. Half of the servers that call something deflate mean another format than the other half.
        headers.add(name: "accept-encoding", value: isStreaming ? "identity" : "gzip")
        if hasBody { headers.add(name: "content-type", value: "application/json") }
        return headers
    }

    private static func headers(_ own: HTTPHeaders, replacing native: [NativeHeader]) -> HTTPHeaders {
        var headers = own
        for field in native { headers.replaceOrAdd(name: field.name, value: field.value) }
        return headers
    }

    var kind: BackendKind { .openAI }
    var region: String? { nil }
    var endpoint: String { base.url }
    var chatForm: ChatForm { .openAI }

    nonisolated(nonsending) func request(_ document: CallDocument, isStreaming: Bool, until deadline: MovingDeadline?)
        async throws -> TransportRequest
    {
        if case .native(let dialect, let body, let native) = document {
            return TransportRequest(
                method: .POST, url: base.url + dialect.path,
                headers: Self.headers(isStreaming ? callHeaders.stream : callHeaders.document, replacing: native),
                body: BodyBuffers.buffer(body))
        }
        if case .forward(let method, let path, let body, let native) = document {
            return TransportRequest(
                method: method, url: base.url + path, headers: Self.headers(headers, replacing: native),
                body: body.map { BodyBuffers.buffer($0) })
        }
        guard case .openAI(let action, let body) = document else {
            throw Failure(
                .internalError, "Provider '\(id)' received a call in OCI's format; please report this bug.")
        }
        let isChat = action == .chat
        return TransportRequest(
            method: .POST, url: isChat ? chatURL : base.url + action.rawValue,
            headers: isStreaming ? callHeaders.stream : callHeaders.document,
            body: BodyBuffers.buffer(body), known: isChat ? isStreaming ? chatHeads.stream : chatHeads.document : nil)
    }

    nonisolated(nonsending) func send(_ request: TransportRequest, until deadline: MovingDeadline?) async throws
        -> TransportResponse
    {
        try await transport.send(request, until: deadline)
    }

    func refusal(status: Int, retryAfter: Int?, body: [UInt8]) -> Failure {
        withoutKey(ProviderErrorReader.translate(status: status, retryAfter: retryAfter, body: body, upstream: id))
    }

    func withoutKey(_ error: Failure) -> Failure { token.map { error.without($0) } ?? error }

    // MARK: What it serves and how it does

    /// How long a question about its models may take.
    private static let patience = Duration.seconds(5)

    /// The list of models is the only thing that every provider can be asked for. One whose list is written down is never asked: it
    /// is well until its calls fail.
    func probe(limit: Int) async throws -> ProbeReport {
        let start = time.now()
        if let models { return ProbeReport(latency: .zero, models: models.count, probe: .passed) }
        do {
            let (status, body) = try await withDeadline(
                MovingDeadline(at: start + Self.patience, for: .request, on: time)
            ) {
                let response = try await listModels()
                return (response.status, try await response.collect(upTo: Self.longestList))
            }
            let latency = time.now() - start
            guard status == 200 else {
                return ProbeReport(
                    latency: latency,
                    error: "HTTP \(status): \(refusal(status: status, retryAfter: nil, body: body).message)",
                    // Who throttles the list is there, and says nothing about chats. A key may be good for chats and not for the list (403).
                    probe: status == 401 ? .credentialsRefused : status == 429 ? .passed : .failed)
            }
            guard let models = ModelSummary.providerList(body) else {
                return ProbeReport(latency: latency, error: "the response is not a model list", probe: .failed)
            }
            return ProbeReport(latency: latency, models: models.count, probe: .passed)
        } catch let error as CancellationError {
            throw error
        } catch {
            return ProbeReport(
                latency: time.now() - start, error: UpstreamFault.failure(error, account: id)?.message ?? "cancelled",
                probe: .failed)
        }
    }

    func allModels() async throws -> [ModelSummary] {
        if let models { return models.map { ModelSummary(ofProvider: $0) } }
        let body = try await successful(try await listModels()).collect(upTo: Self.longestList)
        guard let models = ModelSummary.providerList(body) else {
            throw Failure(
                .failed(.invalid),
                "'\(id)' did not return a model list. If it has none, set model_list.")
        }
        return models
    }

    /// OpenRouter's has more than a megabyte.
    private static let longestList = 16 << 20

    private func listModels() async throws -> TransportResponse {
        try await send(
            TransportRequest(
                method: .GET, url: base.url + "/models",
                headers: Self.headers(headers, isStreaming: false, hasBody: false)))
    }
}

extension ModelSummary {
    /// The items of a provider's list; nil when it is none. What each can do is not told: everything is asked of the provider.
    static func providerList(_ body: [UInt8]) -> [ModelSummary]? {
        guard let root = try? JSONDocument(parsing: body).root else { return nil }
        // A few answer with the array itself.
        guard let items = root.kind == .array ? root : root["data"], items.kind == .array else { return nil }
        return items.elements.compactMap { item in
            guard let id = item["id"]?.string, !id.isEmpty else { return nil }
            var model = ModelSummary(ofProvider: id, created: item["created"]?.int)
            model.details = details(of: item)
            model.vendor = item["owned_by"]?.string.flatMap { (1...longestOwner).contains($0.utf8.count) ? $0 : nil }
            return model
        }
    }

    /// What clients read of a model, under all names that vendors and servers have for it: limits above all. Prices and prose would be megabytes.
    private static let told: [StaticString] = [
        "name", "display_name", "type", "context_length", "context_window", "context_size", "max_context_length",
        "loaded_context_length", "max_model_len",
        "max_context_window", "max_input_tokens", "max_output_tokens", "max_completion_tokens", "max_tokens",
        "max_output_length", "n_ctx", "capabilities", "modalities",
        "input_modalities", "output_modalities", "architecture", "supported_parameters", "supported_features",
        "features", "top_provider", "limits", "limit", "meta",
        "reasoning", "supports_reasoning", "supports_tools", "supports_vision", "supports_image_in", "tool_call",
        "deprecated", "active",
    ]
    private static let longestDetail = 2 << 10
    private static let longestOwner = 128

    private static func details(of item: JSONValue) -> [UInt8] {
        var details: [UInt8] = []
        for name in told {
            guard let value = item.present(name), value.raw.count <= longestDetail else { continue }
            details.append(literal: ",\"")
            details.append(literal: name)
            details.append(literal: "\":")
            details.append(contentsOf: value.raw)
        }
        return details
    }

    init(ofProvider id: String, created: Int? = nil) {
        self.init(
            displayName: id, ocid: "", vendor: nil, capabilities: Set(Purpose.allCases.map(\.rawValue)), isActive: true,
            isBase: true, created: created,
            retired: nil)
    }
}
