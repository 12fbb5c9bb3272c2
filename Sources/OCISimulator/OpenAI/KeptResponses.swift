import Synchronization

/// The responses that projects keep: each project in its region, and no other knows them.
package final class KeptResponses: Sendable {
    package struct Kept: Sendable {
        package let response: JSON
        /// All that the model has read, and what it has said.
        package let input: [JSON]
        package let output: [JSON]
    }

    private let kept = Mutex<[String: [String: Kept]]>([:])

    package init() {}

    /// - Parameter place: project and region.
    package subscript(place: String, id: String) -> Kept? {
        get { kept.withLock { $0[place]?[id] } }
        set { kept.withLock { $0[place, default: [:]][id] = newValue } }
    }

    /// An item of any response.
    package func item(_ id: String, in place: String) -> JSON? {
        kept.withLock { kept in
            for one in kept[place, default: [:]].values {
                if let item = (one.input + one.output).first(where: { $0["id"]?.string == id }) { return item }
            }
            return nil
        }
    }

    package func reset() { kept.withLock { $0 = [:] } }
}
