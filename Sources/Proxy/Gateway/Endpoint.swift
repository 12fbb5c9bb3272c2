import NIOHTTP1
import ProxyAccounting

/// What the proxy serves under one path, to whom, and how: a row of the table of endpoints (`EndpointTable`).
///
/// A class, so that a request holds a reference and no copy.
final class Endpoint: Sendable {
    /// Who may use it.
    enum Access: Sendable {
        case anyone
        /// Who has a key.
        case client
        /// The same, and the operator on the machine itself.
        case clientOrLocal
        /// Who has the key of a viewer, and the operator on the machine itself.
        case viewer
        /// Who has the key of an administrator, and the operator on the machine itself.
        case admin

        /// It needs no key where the operator on the machine itself asks: who that is, is found out behind the head.
        var admitsLocal: Bool {
            switch self {
            case .anyone, .client: false
            case .clientOrLocal, .viewer, .admin: true
            }
        }

        /// What a key has to have.
        var role: KeyRole {
            switch self {
            case .anyone, .client, .clientOrLocal: .client
            case .viewer: .viewer
            case .admin: .admin
            }
        }
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
    /// Clients need it: it is also served where the operator's endpoints have an address of their own.
    let isForClients: Bool
    /// The segment in braces stands for one segment, and not for all the rest.
    let takesOneSegment: Bool
    /// The API in whose words its failures are told.
    let errors: ErrorForm
    /// Sends the answer.
    let handler: Handler
    /// Its requests use models, and are written down.
    var isBooked: Bool { access == .client && body != .none }

    init(
        _ method: HTTPMethod, also others: [HTTPMethod] = [], _ path: String, label: String, for access: Access,
        body: Body = .none, on place: Place = .pool, isCharged: Bool = false, errors: ErrorForm = .openAI,
        isForClients: Bool? = nil, takesOneSegment: Bool = false, shownAs titles: [String] = [],
        _ handler: @escaping Handler
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
        self.takesOneSegment = takesOneSegment
        self.isForClients = isForClients ?? (access == .client || access == .clientOrLocal)
        shown = titles
        self.handler = handler
    }

    /// Who sits at this machine is found out by asking the system, which may take its time: never on an event loop.
    func runsOnEventLoop(bodyBytes: Int) -> Bool {
        guard case .eventLoop(let most) = place, !access.admitsLocal else { return false }
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
    /// Segments in front of it, at most.
    private let deepest: Int
    /// That of nearly all requests.
    private let chat: Endpoint?

    /// - Precondition: no two endpoints have one path; who needs no key may send no large body, as nothing
    ///   accounts for it.
    init(_ endpoints: [Endpoint]) {
        self.endpoints = endpoints
        var (fixed, open): ([[Substring]: Endpoint], [[Substring]: Endpoint]) = ([:], [:])
        var deepest = 0
        for endpoint in endpoints {
            precondition(
                endpoint.body == .none || endpoint.access == .client, "\(endpoint.title): a large body without a key")
            let segments = Array(RequestTarget(endpoint.path)?.segments ?? [])
            let known: Endpoint?
            if segments.last?.utf8.first == UInt8(ascii: "{") {
                deepest = max(deepest, segments.count - 1)
                known = open.updateValue(endpoint, forKey: Array(segments.dropLast()))
            } else {
                known = fixed.updateValue(endpoint, forKey: segments)
            }
            precondition(known == nil, "\(endpoint.title): there is an endpoint at that path")
        }
        (self.fixed, self.open, self.deepest) = (fixed, open, deepest)
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
        for depth in stride(from: min(deepest, segments.count - 1), to: 0, by: -1) {
            guard let endpoint = open[Array(segments.prefix(depth))] else { continue }
            // What is of one folder takes no path in it.
            if endpoint.takesOneSegment, segments.count > depth + 1 { continue }
            guard let rest = segments.dropFirst(depth).joined(separator: "/").removingPercentEncoding else {
                return nil
            }
            return Match(endpoint: endpoint, rest: rest)
        }
        return nil
    }
}
