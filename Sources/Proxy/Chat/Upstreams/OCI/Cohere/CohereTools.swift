/// The tools of a chat in COHERE's form: a flat list of parameters with Python's names for their types, in lower case: the live service answers 500 to
/// a bare `List` (OCI wire notes, 3.4 and 5.5; docs/decisions/0006). What it cannot express, structure, choices and bounds, is said in the descriptions.
enum CohereTools {
    static func write(_ tools: [ChatTool], names: CohereToolNames, to writer: inout JSONWriter) {
        guard !tools.isEmpty else { return }
        writer.key("tools")
        writer.beginArray()
        for tool in tools {
            let schema = tool.parameters.map { ToolSchema.reduced($0) } ?? SchemaNode()
            writer.beginObject()
            writer.key("name")
            writer.string(names.cohere(tool.name))
            writer.key("description")
            writer.string(text(tool.description.map(JSONString.decode) ?? tool.name, schema.notes))
            write(parametersOf: schema, to: &writer)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(parametersOf schema: SchemaNode, to writer: inout JSONWriter) {
        guard case .named(let properties)? = schema["properties"], !properties.isEmpty else { return }
        var required: Set<String> = []
        if case .list(let names)? = schema["required"] {
            for case .written(let name) in names { required.insert(name.string ?? "") }
        }
        writer.key("parameterDefinitions")
        writer.beginObject()
        for property in properties {
            guard case .schema(let node) = property.value else { continue }
            writer.key(property.name)
            writer.beginObject()
            writer.key("type")
            writer.string(literal: pythonType(node))
            writer.key("description")
            let own = node.text("description").flatMap { $0.isEmpty ? nil : $0 }
            let notes = notes(on: node)
            writer.string(text(own ?? (notes.isEmpty ? property.name : ""), notes))
            writer.key("isRequired")
            writer.bool(required.contains(property.name))
            writer.endObject()
        }
        writer.endObject()
    }

    private static func pythonType(_ node: SchemaNode) -> StaticString {
        switch node.text("type") {
        case "integer": "int"
        case "number": "float"
        case "boolean": "bool"
        case "array": "list"
        case "object": "dict"
        default: "str"
        }
    }

    /// A description and what has to be said beside it, as sentences.
    private static func text(_ description: String, _ notes: [String]) -> String {
        guard !notes.isEmpty else { return description }
        let words = notes.joined(separator: "; ")
        let note = words.prefix(1).uppercased() + words.dropFirst()
        guard let end = description.last else { return note }
        return description + (".!?:".contains(end) ? " " : ". ") + note
    }

    /// What the type alone does not say.
    private static func notes(on node: SchemaNode) -> [String] {
        var notes: [String] = []
        for keyword in node.keywords {
            switch (keyword.name, keyword.value) {
            case ("enum", .list(let values)): notes.append("one of: " + values.map(words).joined(separator: ", "))
            case ("properties", .named(let members)) where !members.isEmpty: notes.append("JSON schema: " + json(node))
            case ("items", .schema(let items)):
                if let type = bareType(items) {
                    if type != "string" { notes.append("items: \(type)") }
                } else {
                    notes.append("JSON schema of an item: " + json(items))
                }
            case ("minimum", let bound): notes.append("at least " + words(bound))
            case ("maximum", let bound): notes.append("at most " + words(bound))
            case ("minItems", let count): notes.append("at least \(words(count)) items")
            case ("maxItems", let count): notes.append("at most \(words(count)) items")
            case ("minLength", let count): notes.append("at least \(words(count)) characters")
            case ("maxLength", let count): notes.append("at most \(words(count)) characters")
            case ("pattern", let pattern): notes.append("pattern: " + words(pattern))
            case ("format", let format): notes.append("format: " + words(format))
            default: break
            }
        }
        return notes + node.notes
    }

    /// The type of a schema that says nothing else.
    private static func bareType(_ node: SchemaNode) -> String? {
        guard node.notes.isEmpty, node.keywords.count == 1 else { return nil }
        return node.text("type")
    }

    private static func words(_ value: SchemaNode.Value) -> String {
        switch value {
        case .written(let value): value.string ?? String(decoding: value.raw, as: UTF8.self)
        case .text(let text): text
        case .int(let number): String(number)
        case .list, .named, .schema: ""
        }
    }

    /// A schema as text, without the description of its outermost level.
    private static func json(_ node: SchemaNode) -> String {
        var node = node
        node["description"] = nil
        node.notes = []
        var writer = JSONWriter()
        node.write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
