/// `[SUCCESSORS]`: models that take over when others are retired.
struct Successors: Sendable {
    private let names: [String: String]
    private let retirements: ModelRetirements?
    private let wallClock: @Sendable () -> Int64

    static let none = Successors([:])

    /// - Parameters:
    ///   - names: of the old models, each with its successor's.
    ///   - retirements: what answers have said.
    ///   - wallClock: seconds since 1970.
    init(
        _ names: [String: String], retirements: ModelRetirements? = nil,
        wallClock: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        self.names = names
        self.retirements = retirements
        self.wallClock = wallClock
    }

    var isEmpty: Bool { names.isEmpty }

    subscript(name: String) -> String? { names[name] }

    /// Whether a model is gone.
    ///
    /// - Parameter listed: what its list says of when it goes, in seconds since 1970.
    func isRetired(_ id: String, listed: Int64?) -> Bool {
        guard let at = listed ?? retirements?[id]?.at else { return false }
        return at <= wallClock()
    }
}
