/// The names of upstreams by their index in the router's list, for rows that say who could have been asked.
struct UpstreamNames: Sendable {
    private let all: @Sendable () -> [String]

    static let none = UpstreamNames { [] }

    /// - Parameter all: of all that there have been since the start. It is asked when the set changes, and not for each request.
    init(_ all: @escaping @Sendable () -> [String]) { self.all = all }

    /// The names of a set, one a bit, with commas between them.
    func list(_ mask: UInt64) -> String {
        all().prefix(64).enumerated().filter { mask & 1 << UInt64($0.offset) != 0 }.map(\.element).joined(
            separator: ",")
    }
}
