/// The environment variables that the new configuration refers to, and where their values are.
struct References: Sendable {
    private enum Origin: Equatable {
        /// The source refers to it as well.
        case environment
        /// The source has the value itself.
        case written(SourceFile, Int, path: String)
        /// The source has said nothing: the program took this variable by itself.
        case assumed(String)
    }

    private var names: [String] = []
    private var origins: [String: Origin] = [:]
    /// What the names stand for, where the source has it.
    private var nameOf: [String: String] = [:]
    private var unique = UniqueNames()
    /// Variables that the source sets by itself, with their lines.
    var set: [String: YAMLMember] = [:] {
        didSet { for name in set.keys { unique.take(name) } }
    }

    /// The variable that a text means in the place of a value: `os.environ/NAME`, and `${NAME}`, which people have replaced before the start.
    static func name(in text: String) -> String? {
        if text.hasPrefix("os.environ/") { return checked(text.dropFirst("os.environ/".count)) }
        guard text.hasPrefix("${"), text.hasSuffix("}") else { return nil }
        return checked(text.dropFirst(2).dropLast())
    }

    /// It wants to be a reference, whether it is one or not.
    static func isReference(_ text: String) -> Bool { text.hasPrefix("os.environ/") || text.hasPrefix("${") }

    private static func checked(_ name: Substring) -> String? {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.count <= 128 else { return nil }
        let isName = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "_")
        }
        return isName ? String(name) : nil
    }

    /// `${NAME}` for a variable that the source refers to.
    mutating func environment(_ name: String) -> String {
        if origins[name] == nil || isAssumed(name) { note(name, .environment) }
        return "${\(name)}"
    }

    /// `${NAME}` for a variable that the source's program takes where nothing is said.
    mutating func assumed(_ name: String, because reason: String) -> String {
        if origins[name] == nil { note(name, .assumed(reason)) }
        return "${\(name)}"
    }

    /// `${NAME}` for a value that stands in the source. Equal values have one name.
    mutating func written(_ value: String, as wanted: String, at path: String, _ file: SourceFile, _ line: Int)
        -> String
    {
        if let name = nameOf[value] { return "${\(name)}" }
        let name = unique.name(wanted, separator: "_")
        nameOf[value] = name
        note(name, .written(file, line, path: path))
        return "${\(name)}"
    }

    private func isAssumed(_ name: String) -> Bool { if case .assumed? = origins[name] { true } else { false } }

    private mutating func note(_ name: String, _ origin: Origin) {
        if origins[name] == nil {
            names.append(name)
            unique.take(name)
        }
        origins[name] = origin
    }

    /// What the operator has to do for them.
    func steps(program: String) -> [String] {
        names.map { name in
            switch origins[name] {
            case .written(let file, let line, let path)?:
                let place = file == .main ? "line \(line)" : "line \(line) of the settings"
                return "give the proxy \(name), whose value stands in \(place) (\(path))"
            case .assumed(let reason)?: return "give the proxy \(name): \(reason)"
            case .environment?, nil:
                if let member = set[name] {
                    return "give the proxy \(name), whose value stands in line \(member.line) (environment_variables)"
                }
                return "give the proxy \(name), as \(program) had it"
            }
        }
    }
}
