/// The short names of models.
enum FriendlyNames {
    /// `meta.llama-3-70b-instruct` -> `llama-3-70b`: what follows the vendor, without `-instruct` at its end.
    static func short(_ id: String) -> String {
        var name = id.utf8[...]
        if let dot = name.firstIndex(of: UInt8(ascii: ".")), name.index(after: dot) < name.endIndex {
            name = name[name.index(after: dot)...]
        }
        let ending = "-instruct".utf8
        if name.count > ending.count, name.suffix(ending.count).elementsEqual(ending) {
            name = name.dropLast(ending.count)
        }
        return String(Substring(name))
    }

    /// The name of each id. On a clash the id that sorts first gets the short one and the others keep their own, whatever the
    /// order in which they came. What is the full id of one is never the short name of another: full ids always work.
    static func assign(_ ids: some Sequence<String>) -> [(name: String, id: String)] {
        let ids = Set(ids)
        var taken: Set<String> = []
        return ids.sorted().map { id in
            let name = short(id)
            return (!ids.contains(name) && taken.insert(name).inserted ? name : id, id)
        }
    }
}
