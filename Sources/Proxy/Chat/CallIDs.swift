/// Sees to it that each call of an answer has an id of its own.
struct CallIDs {
    private var taken: Set<String> = []

    /// - Parameter told: the upstream's own; nil or empty where there is none.
    mutating func id(for told: String?, of response: ResponseID, choice: Int, call: Int) -> String {
        if let told, !told.isEmpty, taken.insert(told).inserted { return told }
        var id = response.inventedCallID(choice: choice, call: call)
        // An upstream may have thought of the same.
        while !taken.insert(id).inserted { id += "_" }
        return id
    }
}
