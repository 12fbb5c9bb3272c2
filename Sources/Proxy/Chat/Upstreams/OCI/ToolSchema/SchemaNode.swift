/// A JSON schema that can be changed: its keywords in order, over values that still stand in the request.
struct SchemaNode {
    indirect enum Value {
        /// As the client wrote it.
        case written(JSONValue)
        case text(String)
        case int(Int)
        case list([Value])
        case named([Member])
        case schema(SchemaNode)
    }

    struct Member {
        let name: String
        var value: Value
    }

    private(set) var keywords: [Member] = []
    /// What keywords said that had to go, in words; they end up in the description.
    var notes: [String] = []
    /// Null would do, too, but the dialect has no word for it.
    var isNullable = false

    subscript(name: String) -> Value? {
        get { keywords.first { $0.name == name }?.value }
        set {
            if let index = keywords.firstIndex(where: { $0.name == name }) {
                if let newValue { keywords[index].value = newValue } else { keywords.remove(at: index) }
            } else if let newValue {
                append(name, newValue)
            }
        }
    }

    /// Adds a keyword that is known to be new, without looking for it.
    mutating func append(_ name: String, _ value: Value) {
        keywords.append(Member(name: name, value: value))
    }

    /// The value of a keyword that is a string.
    func text(_ name: String) -> String? {
        switch self[name] {
        case .text(let text): text
        case .written(let value): value.string
        default: nil
        }
    }

    /// The type, without null.
    var type: String? {
        if case .list(let types)? = self["type"], case .text(let first)? = types.first { return first }
        return text("type")
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for keyword in keywords where keyword.name != "description" || notes.isEmpty {
            writer.key(keyword.name)
            Self.write(keyword.value, to: &writer)
        }
        if !notes.isEmpty {
            let note = notes.joined(separator: "; ")
            writer.key("description")
            writer.string(text("description").map { $0.isEmpty ? note : "\($0) (\(note))" } ?? note)
        }
        writer.endObject()
    }

    private static func write(_ value: Value, to writer: inout JSONWriter) {
        switch value {
        case .written(let value): writer.raw(value.raw)
        case .text(let text): writer.string(text)
        case .int(let number): writer.int(number)
        case .schema(let node): node.write(to: &writer)
        case .list(let values):
            writer.beginArray()
            for value in values { write(value, to: &writer) }
            writer.endArray()
        case .named(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.name)
                write(member.value, to: &writer)
            }
            writer.endObject()
        }
    }
}
