/// A YAML file with one document, and all keys that stand in it.
struct YAMLDocument: Sendable, Equatable {
    let root: YAMLValue
    /// Each key that stands in the file, once.
    let keys: SourceKeys
}

/// The keys of the source, by their numbers.
struct SourceKeys: Sendable, Equatable {
    struct Key: Sendable, Equatable {
        /// Where it stands in the document: `model_list[0].litellm_params.model`.
        let path: String
        let file: SourceFile
        let line: Int
        let column: Int
        /// The key of which this one is a member.
        let parent: Int?
    }

    private(set) var all: [Key] = []
    /// Merges: their members belong to somebody else.
    private(set) var merges: Set<Int> = []
    /// Keys whose own keys an alias repeats, which stand elsewhere.
    private(set) var repeating: Set<Int> = []
    /// Keys of an anchor that a mapping, into which it is merged, has itself.
    private(set) var overridden: Set<Int> = []

    mutating func add(_ key: Key) -> Int {
        all.append(key)
        return all.count - 1
    }

    mutating func noteMerge(_ id: Int) { merges.insert(id) }
    mutating func noteRepeating(_ id: Int) { repeating.insert(id) }
    mutating func noteOverridden(_ id: Int) { overridden.insert(id) }

    /// A name as a report shows it: a pasted key can end up as one, and a control character could forge a line.
    static func shown(_ name: String) -> String {
        guard name.utf8.count <= 80 else { return "(a name of \(name.utf8.count) bytes)" }
        let visible = name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }
        return name.isEmpty ? "(empty)" : String(String.UnicodeScalarView(visible))
    }
}
