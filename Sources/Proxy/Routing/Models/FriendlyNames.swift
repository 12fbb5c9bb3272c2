/// The short names of models (section 7 of the contract).
enum FriendlyNames {
    /// `meta.llama-3-70b-instruct` -> `llama-3-70b`: what follows the vendor, without `-instruct` at its end.
    static func short(_ id: String) -> String {
        var name = id[...]
        if let dot = name.firstIndex(of: "."), name.index(after: dot) < name.endIndex { name = name[name.index(after: dot)...] }
        if name.hasSuffix("-instruct"), name.count > "-instruct".count { name = name.dropLast("-instruct".count) }
        return String(name)
    }

    /// The name of each id. On a clash the id that sorts first gets the short one and the others keep their own, whatever the
    /// order in which they came.
    static func assign(_ ids: some Sequence<String>) -> [(name: String, id: String)] {
        var taken: Set<String> = []
        return Set(ids).sorted().map { id in
            let name = short(id)
            return (taken.insert(name).inserted ? name : id, id)
        }
    }
}
