/// What has become of every key of the source, and what is left to do.
package struct ImportReport: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package let file: SourceFile
        package let line: Int
        package let fate: KeyFate
        /// `router_settings.num_retries`.
        package let path: String
        /// Where it went, what is different there, or why it did not.
        package let text: String
    }

    /// In the order of the file; one for each key, more for a key that means several things.
    package let rows: [Row]
    /// For the operator, before the first start.
    package let steps: [String]
    /// How many keys there are of each fate, by the worst of each key.
    package let counts: [KeyFate: Int]

    init(_ keys: SourceKeys, _ fates: KeyFates, steps: [String]) {
        self.steps = steps
        let all = keys.all
        var hasFate = [Bool](repeating: false, count: all.count)
        for id in fates.notes.keys {
            var next: Int? = id
            while let current = next, !hasFate[current] {
                hasFate[current] = true
                next = all[current].parent
            }
        }
        let order = all.indices.sorted {
            (all[$0].file, all[$0].line, all[$0].column) < (all[$1].file, all[$1].line, all[$1].column)
        }
        var rows: [Row] = []
        var counts: [KeyFate: Int] = [:]
        for id in order {
            let notes = Self.notes(of: id, keys, fates, hasFate)
            counts[notes.map(\.fate).max() ?? .dropped, default: 0] += 1
            for note in notes {
                rows.append(
                    Row(file: all[id].file, line: all[id].line, fate: note.fate, path: all[id].path, text: note.text))
            }
        }
        self.rows = rows
        self.counts = counts
    }

    private static func notes(
        of id: Int, _ keys: SourceKeys, _ fates: KeyFates, _ hasFate: [Bool]
    ) -> [KeyFates.Note] {
        if let notes = fates.notes[id] { return notes }
        if keys.merges.contains(id) {
            return [.init(fate: .taken, text: "what it merges in stands where it is defined")]
        }
        if keys.repeating.contains(id), !hasFate[id] {
            return [.init(fate: .taken, text: "what it repeats stands where it is defined")]
        }
        if hasFate[id] { return [.init(fate: .taken, text: "see its keys")] }
        var ancestor = keys.all[id].parent
        while let current = ancestor {
            if fates.notes[current, default: []].contains(where: { $0.fate == .dropped }) {
                return [.init(fate: .dropped, text: "with \(keys.all[current].path)")]
            }
            ancestor = keys.all[current].parent
        }
        if keys.overridden.contains(id) {
            return [.init(fate: .dropped, text: "overridden wherever it is merged in")]
        }
        return [.init(fate: .dropped, text: "unknown to this import; look whether the proxy has something like it")]
    }

    /// One line each, without line ends.
    package func lines(_ names: SourceNames) -> [String] {
        let told = rows.map { row in
            "\(names[row.file]):\(row.line): \(row.fate.rawValue) \(row.path): \(row.text)"
        }
        let sum = [KeyFate.taken, .changed, .dropped].map { "\(counts[$0, default: 0]) \($0.rawValue)" }
        let total = counts.values.reduce(0, +)
        let end = "\(total) \(total == 1 ? "key" : "keys"): \(sum.joined(separator: ", "))"
        return told + [end] + (steps.isEmpty ? [] : ["to do:"] + steps.map { "  \($0)" })
    }
}
