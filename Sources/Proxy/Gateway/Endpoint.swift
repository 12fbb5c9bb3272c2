import NIOHTTP1

/// What the proxy serves under one path, to whom, and how: a row of the table of endpoints (`EndpointTable`).
///
/// A class, so that a request holds a reference and no copy.
final class Endpoint: Sendable {
    /// Who may use it.
    enum Access: Sendable {
        case anyone
        case key
        /// A key, or the operator on the machine itself.
        case local
    }

    /// What a request may bring along.
    enum Body: Sendable {
        /// Nothing is read of it.
        case none
        /// Up to `max_request_size`.
        case large
        /// The same; a form is passed on while it comes.
        case streamed
    }

    /// Where its requests are handled.
    enum Place: Sendable {
        /// On the event loop of their connection, when the body has at most that many bytes. Only for what keeps a loop no longer than serving its
        /// connection does.
        case eventLoop(upTo: Int)
        /// On the threads that may wait.
        case pool
    }

    typealias Handler = nonisolated(nonsending) @Sendable (RequestContext) async throws -> Void

    let method: HTTPMethod
    /// Those that it is served under: HEAD is GET without a body.
    let methods: [HTTPMethod]
    /// As `GET /` tells it. A segment in braces stands for the rest of a path.
    let path: String
    /// In metrics: few, and none of them made up by a client.
    let label: String
    let access: Access
    let body: Body
    let place: Place
    /// It costs a request of the key's minute although it needs no key: it calls upstreams, or reads files.
    let isCharged: Bool
    /// The API in whose words its failures are told.
    let errors: ErrorForm
    /// Sends the answer.
    let handler: Handler

    init(
        _ method: HTTPMethod, also others: [HTTPMethod] = [], _ path: String, label: String, for access: Access,
        body: Body = .none, on place: Place = .pool, isCharged: Bool = false, errors: ErrorForm = .openAI,
        shownAs titles: [String] = [], _ handler: @escaping Handler
    ) {
        self.method = method
        methods = (method == .GET ? [.GET, .HEAD] : [method]) + others
        self.path = path
        self.label = label
        self.access = access
        self.body = body
        self.place = place
        self.isCharged = isCharged
        self.errors = errors
        shown = titles
        self.handler = handler
    }

    /// Who sits at this machine is found out by asking the system, which may take its time: never on an event loop.
    func runsOnEventLoop(bodyBytes: Int) -> Bool {
        guard case .eventLoop(let most) = place, access != .local else { return false }
        return bodyBytes <= most
    }

    /// Where one row serves several paths.
    private let shown: [String]
    /// For people: method and path of each.
    var titles: [String] { shown.isEmpty ? [title] : shown }

    /// For people.
    var title: String { "\(methods.filter { $0 != .HEAD }.map(\.rawValue).joined(separator: ",")) \(path)" }
}

/// All endpoints. A new one is a new row where the table is put together (`App/Endpoints`).
struct EndpointTable: Sendable {
    /// In the order in which people read them.
    let endpoints: [Endpoint]
    /// By their segments.
    private let fixed: [[Substring]: Endpoint]
    /// By the segments in front of the one that takes the rest.
    private let open: [[Substring]: Endpoint]
    /// That of nearly all requests.
    private let chat: Endpoint?

    /// - Precondition: no two endpoints have one path; `{id}` follows one segment; who needs no key may send no large body, as nothing
    ///   accounts for it.
    init(_ endpoints: [Endpoint]) {
        self.endpoints = endpoints
        var (fixed, open): ([[Substring]: Endpoint], [[Substring]: Endpoint]) = ([:], [:])
        for endpoint in endpoints {
            precondition(
                endpoint.body == .none || endpoint.access == .key, "\(endpoint.title): a large body without a key")
            let segments = Array(RequestTarget(endpoint.path)?.segments ?? [])
            let known: Endpoint?
            if segments.last?.utf8.first == UInt8(ascii: "{") {
                precondition(segments.count == 2, "\(endpoint.title): the rest of a path follows one segment")
                known = open.updateValue(endpoint, forKey: Array(segments.dropLast()))
            } else {
                known = fixed.updateValue(endpoint, forKey: segments)
            }
            precondition(known == nil, "\(endpoint.title): there is an endpoint at that path")
        }
        (self.fixed, self.open) = (fixed, open)
        chat = fixed[["chat", "completions"]]
    }

    /// What a request is for.
    struct Match: Sendable {
        let endpoint: Endpoint
        /// The rest of its path, decoded, where the endpoint takes one.
        var rest: String?
    }

    /// - Returns: nil when there is nothing at that path.
    func match(_ target: String) -> Match? {
        // As nearly all of them write it.
        if target == "/v1/chat/completions", let chat { return Match(endpoint: chat) }
        guard let segments = RequestTarget(target)?.segments else { return nil }
        if let endpoint = fixed[Array(segments)] { return Match(endpoint: endpoint) }
        guard segments.count > 1, let endpoint = open[Array(segments.prefix(1))] else { return nil }
        guard let rest = segments.dropFirst().joined(separator: "/").removingPercentEncoding else { return nil }
        return Match(endpoint: endpoint, rest: rest)
    }
}
