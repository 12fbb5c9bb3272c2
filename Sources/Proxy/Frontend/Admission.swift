/// What the door makes of a request when only its head is there.
enum Admission: Equatable, Sendable {
    /// To be handled by this route once the body is whole.
    case admit(Route)
    /// A browser asks what it may send.
    case preflight
    case refuse(APIError)

    var isRefusal: Bool { refusal != nil }

    var refusal: APIError? {
        if case .refuse(let error) = self { error } else { nil }
    }
}
