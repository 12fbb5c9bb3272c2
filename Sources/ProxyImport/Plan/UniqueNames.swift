/// Gives names of which no two are the same, whatever the case.
struct UniqueNames: Sendable {
    private var taken: Set<String> = []
    /// Where counting goes on, so that a thousand of one name are no million tries.
    private var next: [String: Int] = [:]

    /// The name, or with a number where it is taken: `openai-2`.
    mutating func name(_ wanted: String, separator: String = "-") -> String {
        var name = wanted
        while !taken.insert(name.lowercased()).inserted {
            let number = next[wanted, default: 1] + 1
            next[wanted] = number
            name = "\(wanted)\(separator)\(number)"
        }
        return name
    }

    /// Nobody is to be given this one.
    mutating func take(_ name: String) { taken.insert(name.lowercased()) }
}
