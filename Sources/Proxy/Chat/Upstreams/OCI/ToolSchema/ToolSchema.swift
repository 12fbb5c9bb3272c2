/// Brings the JSON schemas of tools and answers down to what the models behind OCI take (OCI wire notes, 5.6).
///
/// References are put in place, the branch beside a null is taken where a family has no null, types become one type, arrays get items, and words
/// about the schema itself go. What a family cannot express is said in the description, where a model still reads it. Most
/// schemas need none of this and are copied as they stand.
enum ToolSchema {
    /// Writes the schema of a function's parameters: always an object with properties.
    static func write(_ parameters: JSONValue?, dialect: SchemaDialect, to writer: inout JSONWriter) {
        guard let parameters else { return writer.raw(Array(#"{"type":"object","properties":{}}"#.utf8)[...]) }
        if dialect != .gemini, parameters["type"]?.equals("object") == true, parameters["properties"]?.kind == .object,
            isPlain(parameters),
            !["not", "enum", "const"].contains(where: { parameters[$0] != nil })
        {
            return writer.raw(parameters.raw)
        }
        var simplifier = SchemaSimplifier(root: parameters, dialect: dialect)
        var node = simplifier.simplify(parameters: parameters)
        node["type"] = .text("object")
        if case .named? = node["properties"] {} else { node["properties"] = .named([]) }
        if dialect == .gemini {
            node = GeminiSchema.reduce(node)
            // A list of values makes a text of any other schema.
            if node.text("type") != "object" { (node["type"], node["enum"]) = (.text("object"), nil) }
        }
        node.write(to: &writer)
    }

    /// Writes a schema of any type, such as that of an answer.
    static func writeAny(_ schema: JSONValue, dialect: SchemaDialect, to writer: inout JSONWriter) {
        if dialect != .gemini, isPlain(schema) { return writer.raw(schema.raw) }
        var simplifier = SchemaSimplifier(root: schema, dialect: dialect)
        let node = simplifier.simplify(schema)
        (dialect == .gemini ? GeminiSchema.reduce(node) : node).write(to: &writer)
    }

    /// The parameters of a function with one type each and few keywords, the rest said in notes: for a dialect without schemas.
    static func reduced(_ parameters: JSONValue) -> SchemaNode {
        var simplifier = SchemaSimplifier(root: parameters, dialect: .gemini)
        return GeminiSchema.reduce(simplifier.simplify(parameters: parameters))
    }

    /// Whether nothing in `value` looks like what the standard dialect lacks. It may err on the careful side (a property may
    /// be called `title`): then the schema is only written anew as it was.
    private static func isPlain(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .array: return value.elements.allSatisfy(isPlain)
        case .object: break
        default: return true
        }
        var isArray = false
        var hasItems = false
        for (key, member) in value.members {
            switch member.kind {
            case .null: return false
            case .number: if SchemaSimplifier.isUnbounded(member) { return false }
            case .string:
                if key.equals("type") {
                    isArray = member.equals("array")
                    if SchemaSimplifier.isCapitalized(member) { return false }
                }
            case .true: if key.equals("nullable") { return false }
            case .array: if key.equals("type") || key.equals("items") { return false }
            default: break
            }
            if key.equals("items") { hasItems = true }
            if SchemaSimplifier.isRewritten(key) || !isPlain(member) { return false }
        }
        return hasItems || !isArray
    }
}
