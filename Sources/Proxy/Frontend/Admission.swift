import NIOHTTP1

/// What the door makes of a request when only its head is there.
enum Admission: Equatable, Sendable {
    /// To be handled by this route once the body is whole; of a route that needs a key, with the name of that which it came with.
    case admit(Route, key: String? = nil)
    /// A browser asks what it may send.
    case preflight
    case refuse(APIError)

    var isRefusal: Bool { refusal != nil }

    /// Whether anybody will look at the body. Of the other requests, which need no key, none may make the process keep one.
    var readsBody: Bool {
        if case .admit(let route, _) = self { route.methods.contains(.POST) } else { false }
    }

    var refusal: APIError? {
        if case .refuse(let error) = self { error } else { nil }
    }
}
