/// Then it is written in the common dialect.
extension SchemaSimplifier {
    mutating func build(_ gathered: GatheredSchema) -> SchemaNode {
        var gathered = gathered
        var node = SchemaNode()
        node.notes = gathered.notes
        node.isNullable = gathered.isNullable
        for (name, value) in gathered.keywords { set(name, value, in: &node) }
        if gathered.hasProperties {
            var properties: [SchemaNode.Member] = []
            let required = Set(gathered.required.compactMap(\.string))
            var optional: Set<String> = []
            for (name, value) in gathered.properties {
                var property = self.property(value, and: gathered.variants[name] ?? [])
                if case .schema(var schema) = property, schema.isNullable, required.contains(name) {
                    optional.insert(name)
                    schema.notes.append("may be left out")
                    property = .schema(schema)
                }
                properties.append(.init(name: name, value: property))
            }
            node["properties"] = .named(properties)
            gathered.required.removeAll { optional.contains($0.string ?? "") }
        }
        if !gathered.required.isEmpty { node["required"] = .list(gathered.required.map(SchemaNode.Value.written)) }
        if let (keyword, schemas) = gathered.alternatives { node[keyword] = list(schemas) }
        if gathered.isCut, node["type"] == nil { node["type"] = .text("object") }
        if node.type == "array", node["items"] == nil {
            // A tuple's first place speaks for the rest; where nothing is said, texts are what most tools mean.
            if case .list(let places)? = node["prefixItems"], let first = places.first {
                node["items"] = first
            } else {
                var items = SchemaNode()
                items["type"] = .text("string")
                node["items"] = .schema(items)
            }
        }
        return node
    }

    mutating func set(_ name: String, _ value: JSONValue, in node: inout SchemaNode) {
        switch name {
        case "type" where value.kind == .array:
            counter.count(value.size)
            let all = value.elements.compactMap(\.string).map { $0.lowercased() }
            let types = all.filter { $0 != "null" }
            guard let first = types.first else { return }
            if types.count == all.count {
                node["type"] = .text(first)
            } else if dialect == .nullable {
                node["type"] = .list([.text(first), .text("null")])
            } else {
                node["type"] = .text(first)
                node.isNullable = true
            }
            if types.count > 1 {
                node.notes.append(
                    "or "
                        + types.dropFirst().prefix(Self.mostTypes).map { $0.cut(toBytes: Self.longestWord) }.joined(
                            separator: " or "))
            }
        case "type" where Self.isCapitalized(value): node["type"] = .text((value.string ?? "").lowercased())
        case "enum" where value.kind == .array:
            counter.count(value.size)
            let values = dialect == .nullable ? Array(value.elements) : value.elements.filter { !$0.isNull }
            node["enum"] = values.isEmpty ? .written(value) : .list(values.map(SchemaNode.Value.written))
        case "items", "prefixItems":
            node[name] = value.kind == .array ? list(Array(value.elements)) : self.value(value)
            if case .schema(var schema)? = node[name], schema.isNullable {
                schema.notes.append("or null")
                node[name] = .schema(schema)
            }
        case "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "contains",
            "propertyNames",
            "not", "if", "then", "else":
            node[name] = self.value(value)
        case "patternProperties" where value.kind == .object, "dependentSchemas" where value.kind == .object:
            var schemas: [SchemaNode.Member] = []
            for (name, schema) in members(once: value) { schemas.append(.init(name: name, value: self.value(schema))) }
            node[name] = .named(schemas)
        default: node.append(name, .written(value))
        }
    }

    /// A property, of which branches may have several schemas.
    mutating func property(_ first: JSONValue, and others: [JSONValue]) -> SchemaNode.Value {
        var different: [JSONValue] = []
        var known: Set<ArraySlice<UInt8>> = [first.raw]
        for other in others where known.insert(other.raw).inserted { different.append(other) }
        guard !different.isEmpty else { return value(first) }
        var schemas: [SchemaNode] = []
        for schema in [first] + different {
            guard case .schema(let node) = value(schema) else { continue }
            schemas.append(node)
        }
        guard var joined = schemas.first else { return value(first) }
        if let values = Self.values(of: schemas) {
            joined["const"] = nil
            joined["enum"] = .list(values)
            return .schema(joined)
        }
        guard dialect != .gemini else {
            let types = schemas.dropFirst().prefix(Self.mostTypes).map { $0.type ?? "another form" }
            joined.notes.append("or " + types.joined(separator: " or "))
            return .schema(joined)
        }
        var union = SchemaNode()
        union["anyOf"] = .list(schemas.map(SchemaNode.Value.schema))
        return .schema(union)
    }

    /// All values of schemas that each allow only some; nil when one of them allows others.
    static func values(of schemas: [SchemaNode]) -> [SchemaNode.Value]? {
        var values: [SchemaNode.Value] = []
        var known: Set<ArraySlice<UInt8>> = []
        for schema in schemas {
            let own: [SchemaNode.Value]
            switch (schema["const"], schema["enum"]) {
            case (let constant?, _): own = [constant]
            case (nil, .list(let list)?): own = list
            default: return nil
            }
            for case .written(let value) in own where known.insert(value.raw).inserted {
                values.append(.written(value))
            }
        }
        return values
    }

    mutating func list(_ schemas: [JSONValue]) -> SchemaNode.Value {
        var values: [SchemaNode.Value] = []
        for schema in schemas {
            counter.count()
            values.append(value(schema))
        }
        return .list(values)
    }

    /// A schema below; a boolean one stays as it is.
    mutating func value(_ schema: JSONValue) -> SchemaNode.Value {
        schema.kind == .object ? .schema(simplify(schema)) : .written(schema)
    }
}
