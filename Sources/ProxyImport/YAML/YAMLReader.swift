import Yams

/// Reads a YAML file into a document: one pass of the parser, then one over its tree.
struct YAMLReader {
    /// What nobody writes by hand, and no configuration needs.
    private static let deepest = 100

    private var keys = SourceKeys()
    /// Where keys stand, so that one that an alias repeats is known again.
    private var ids: [Place: Int] = [:]
    /// How many more pieces there may be: aliases of aliases multiply.
    private var budget: Int

    private struct Place: Hashable {
        let line: Int
        let column: Int
    }

    private init(bytes: Int) { budget = max(100_000, 4 * bytes) }

    /// - Throws: `ImportFailure` with the line of what is wrong.
    static func read(_ bytes: [UInt8]) throws(ImportFailure) -> YAMLDocument {
        let text = try YAMLText.text(of: bytes)
        let node = try parse(text)
        var reader = YAMLReader(bytes: bytes.count)
        let root = try reader.value(node, at: "", parent: nil, depth: 0)
        return YAMLDocument(root: root, keys: reader.keys)
    }

    /// The only document of the text.
    private static func parse(_ text: String) throws(ImportFailure) -> Node {
        do {
            // A text of a few bytes would lie in the parser's stack frame, from where it is read later.
            let padded = text.utf8.count < 64 ? text + String(repeating: "\n", count: 64) : text
            // What the scalars are is decided here; the parser's own rules are regular expressions for each of them.
            let parser = try Parser(yaml: padded, resolver: .basic, encoding: .utf8)
            guard let root = try parser.nextRoot() else {
                throw ImportFailure(
                    line: nil, "the file has nothing but comments", "name the file with the configuration")
            }
            if let second = try parser.nextRoot(), !isNothing(second) {
                throw ImportFailure(
                    line: second.mark?.line, "a second document begins here",
                    "keep one, and remove the --- between them")
            }
            return root
        } catch let failure as ImportFailure {
            throw failure
        } catch let error as YamlError {
            throw ImportFailure(error, in: text)
        } catch {
            throw ImportFailure(line: nil, "the file cannot be read as YAML", "check it with a YAML checker")
        }
    }

    private static func isNothing(_ node: Node) -> Bool {
        if case .scalar(let scalar) = node { scalar.string.isEmpty } else { false }
    }

    // MARK: The tree

    private mutating func value(
        _ node: Node, at path: String, parent: Int?, depth: Int
    ) throws(ImportFailure) -> YAMLValue {
        let line = node.mark?.line ?? 1
        budget -= 1
        guard budget > 0 else {
            throw ImportFailure(
                line: line, "aliases repeat so much that the document would not end", "write the repeated parts out")
        }
        guard depth <= Self.deepest else {
            throw ImportFailure(
                line: line, "the document is nested deeper than \(Self.deepest) levels",
                "check the brackets and the indentation")
        }
        switch node {
        case .scalar(let scalar):
            return YAMLValue(content: .scalar(scalar.string, isPlain: scalar.style == .plain), line: line)
        case .sequence(let sequence):
            var elements: [YAMLValue] = []
            elements.reserveCapacity(sequence.count)
            for (index, element) in sequence.enumerated() {
                elements.append(try value(element, at: "\(path)[\(index)]", parent: parent, depth: depth + 1))
            }
            return YAMLValue(content: .list(elements), line: line)
        case .mapping(let mapping):
            return YAMLValue(
                content: .mapping(try members(mapping, at: path, parent: parent, depth: depth)), line: line)
        case .alias:
            throw ImportFailure(line: line, "an alias stands for nothing", "define its anchor before it")
        }
    }

    private mutating func members(
        _ mapping: Node.Mapping, at path: String, parent: Int?, depth: Int
    ) throws(ImportFailure) -> [YAMLMember] {
        var members: [YAMLMember] = []
        var merged: [YAMLMember] = []
        members.reserveCapacity(mapping.count)
        for (key, node) in mapping {
            guard case .scalar(let scalar) = key else {
                throw ImportFailure(
                    line: key.mark?.line, "a key is \(key.isMapping ? "a mapping" : "a list")",
                    "write a text before the colon; put braces and brackets that are meant as text in quotes")
            }
            let name = scalar.string
            let shown = SourceKeys.shown(name)
            let place = Place(line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
            let keyPath = path.isEmpty ? shown : "\(path).\(shown)"
            let id = id(of: place, path: keyPath, parent: parent)
            let value = try value(node, at: keyPath, parent: id, depth: depth + 1)
            if name == "<<", scalar.style == .plain {
                keys.noteMerge(id)
                // Of several, the first that has a key counts.
                for source in value.elements ?? [value] { merged += source.members ?? [] }
            } else {
                members.append(YAMLMember(key: name, id: id, line: place.line, value: value))
            }
        }
        guard !merged.isEmpty else { return members }
        var names = Set(members.map(\.key))
        for member in merged {
            if names.insert(member.key).inserted { members.append(member) } else { keys.noteOverridden(member.id) }
        }
        return members
    }

    private mutating func id(of place: Place, path: String, parent: Int?) -> Int {
        if let known = ids[place] {
            if let parent, keys.all[known].parent != parent { keys.noteRepeating(parent) }
            return known
        }
        let id = keys.add(
            .init(path: path, file: .main, line: place.line, column: place.column, parent: parent))
        ids[place] = id
        return id
    }
}

extension Node {
    fileprivate var isMapping: Bool { if case .mapping = self { true } else { false } }
}

extension ImportFailure {
    /// The parser's sentence, its line, and what is usually meant by it.
    fileprivate init(_ error: YamlError, in text: String) {
        switch error {
        case .scanner(let context?, let problem, _, _) where problem.contains("end of stream"):
            // What is not closed is of more use than the end of the file.
            self.init(
                line: context.mark.line, "the file is no valid YAML: \(problem) \(context.text)",
                "close the quotes that begin here")
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
            self.init(
                line: min(mark.line, lines), "the file is no valid YAML: \(problem)", Self.fix(problem, mark.line, text)
            )
        case .duplicatedKeysInMapping(let names, let context):
            let shown = names.sorted().map(SourceKeys.shown).joined(separator: ", ")
            self.init(
                line: context.mark.line, "a key is set twice in one mapping, first here: \(shown)",
                "remove one of the two, or merge them")
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
            self.init(line: line, "the file is no valid YAML: \(problem)", "remove the character")
        default:
            self.init(line: nil, "the file cannot be read as YAML", "check it with a YAML checker")
        }
    }

    private static func fix(_ problem: String, _ number: Int, _ text: String) -> String {
        let lines = text.split(separator: "\n", maxSplits: number, omittingEmptySubsequences: false)
        let line = number <= lines.count ? lines[number - 1] : ""
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            return "indent with blanks: the line begins with a tab"
        }
        if problem.contains("undefined alias") { return "define its anchor (&NAME) before it, or put the * in quotes" }
        if problem.contains("nesting") { return "check the brackets and the indentation" }
        if problem.contains("cannot start any token") { return "put the value in quotes" }
        if problem.contains("mapping values") {
            return "check the indentation, and put a value with a colon and a blank in quotes"
        }
        return "check the indentation, quotes and brackets of this line and the one before"
    }
}
