/// Reduces a schema of the common dialect to the few keywords that Google's models take (OCI wire notes, 5.3).
enum GeminiSchema {
    /// The schema in Google's dialect. Every schema in it has a type, every array `items`, every enum only texts.
    static func reduce(_ node: SchemaNode) -> SchemaNode {
        var result = SchemaNode()
        result.notes = node.notes
        let type = type(of: node)
        result["type"] = .text(type)
        for keyword in node.keywords {
            let (name, value) = (keyword.name, keyword.value)
            switch name {
            case "type": break
            case "description": result[name] = value
            case "enum": takeEnum(value, into: &result)
            case "const":
                if case .written(let constant) = value, constant.kind == .string, constant.isEmptyString == false {
                    result["type"] = .text("string")
                    result["enum"] = .list([value])
                } else {
                    note("always", value, in: &result)
                }
            case "properties" where type == "object": result[name] = reduceProperties(value)
            case "items" where type == "array": result[name] = reduceItems(value)
            case "minItems", "maxItems", "minLength", "maxLength", "pattern": result[name] = value
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
                takeBound(name, value, type, into: &result)
            case "format": takeFormat(value, type, into: &result)
            case "default": note("default:", value, in: &result)
            case "multipleOf": note("a multiple of", value, in: &result)
            case "uniqueItems":
                if case .written(let flag) = value, flag.bool == true { result.notes.append("without duplicates") }
            case "additionalProperties":
                if case .schema(let member) = value {
                    result.notes.append("further members of type \(self.type(of: member))")
                }
            default: break
            }
        }
        if type == "array", result["items"] == nil { result["items"] = .schema(anything) }
        if type == "object" { takeRequired(node["required"], into: &result) }
        return result
    }

    /// Google demands a type everywhere; a text is what any value can be written as.
    private static var anything: SchemaNode {
        var node = SchemaNode()
        node["type"] = .text("string")
        return node
    }

    private static func type(of node: SchemaNode) -> String {
        switch node.text("type") {
        case let type? where ["string", "number", "integer", "boolean", "array", "object"].contains(type): type
        default:
            if node["properties"] != nil { "object" } else if node["items"] != nil { "array" } else { "string" }
        }
    }

    private static func reduceProperties(_ value: SchemaNode.Value) -> SchemaNode.Value {
        guard case .named(let properties) = value else { return value }
        return .named(properties.map { .init(name: $0.name, value: reduceValue($0.value)) })
    }

    private static func reduceItems(_ value: SchemaNode.Value) -> SchemaNode.Value {
        if case .list(let places) = value { return places.first.map(reduceValue) ?? .schema(anything) }
        return reduceValue(value)
    }

    private static func reduceValue(_ value: SchemaNode.Value) -> SchemaNode.Value {
        if case .schema(let node) = value { .schema(reduce(node)) } else { .schema(anything) }
    }

    /// Only texts, and no empty ones.
    private static func takeEnum(_ value: SchemaNode.Value, into result: inout SchemaNode) {
        guard case .list(let values) = value else { return }
        let written = values.compactMap { if case .written(let value) = $0 { value } else { nil } }
        guard written.allSatisfy({ $0.kind == .string }) else {
            let list = written.prefix(20).map { String(decoding: $0.raw.prefix(40), as: UTF8.self) }.joined(
                separator: ", ")
            result.notes.append("one of: \(list)")
            return
        }
        result["type"] = .text("string")
        let texts = written.filter { $0.isEmptyString == false }
        result["enum"] = texts.isEmpty ? nil : .list(texts.map(SchemaNode.Value.written))
    }

    /// Exclusive bounds do not exist; for an integer the next one is the same.
    private static func takeBound(
        _ name: String, _ value: SchemaNode.Value, _ type: String, into result: inout SchemaNode
    ) {
        guard case .written(let bound) = value, bound.kind == .number else { return }
        let isLower = name == "minimum" || name == "exclusiveMinimum"
        let inclusive = isLower ? "minimum" : "maximum"
        if name == inclusive {
            if result[inclusive] == nil { result[inclusive] = value }
        } else if type == "integer", let integer = bound.int {
            result[inclusive] = .int(isLower ? integer + 1 : integer - 1)
        } else {
            note(isLower ? "greater than" : "less than", value, in: &result)
        }
    }

    private static func takeFormat(_ value: SchemaNode.Value, _ type: String, into result: inout SchemaNode) {
        guard case .written(let format) = value, let name = format.string else { return }
        switch (type, name) {
        case ("string", "date-time"), ("number", "float"), ("number", "double"), ("integer", "int32"),
            ("integer", "int64"):
            result["format"] = value
        default: result.notes.append("format: \(name.cut(toBytes: 40))")
        }
    }

    /// Only members that exist.
    private static func takeRequired(_ value: SchemaNode.Value?, into result: inout SchemaNode) {
        guard case .list(let names)? = value, case .named(let properties)? = result["properties"] else { return }
        let known = Set(properties.map(\.name))
        let required = names.filter {
            if case .written(let name) = $0 { known.contains(name.string ?? "") } else { false }
        }
        if !required.isEmpty { result["required"] = .list(required) }
    }

    private static func note(_ word: String, _ value: SchemaNode.Value, in result: inout SchemaNode) {
        guard case .written(let value) = value, value.raw.count <= 200 else { return }
        result.notes.append("\(word) \(value.string ?? String(decoding: value.raw, as: UTF8.self))")
    }
}
