/// Turns any JSON schema into the common dialect: references inlined, unions with null resolved, one type each.
///
/// A schema is a stranger's program text: it may refer to itself or unfold without end. Inlining is bounded in depth and
/// in bytes, and what goes beyond becomes a plain object.
struct SchemaSimplifier {
    /// Whether a keyword makes a rewrite necessary, or may.
    static func isRewritten(_ key: JSONValue) -> Bool {
        guard let name = key.rawString, let first = name.first else { return false }
        // A quick look first: few of the names in a schema begin like one of these.
        switch first {
        case UInt8(ascii: "$"), UInt8(ascii: "\\"): return true
        case UInt8(ascii: "a"), UInt8(ascii: "d"), UInt8(ascii: "o"), UInt8(ascii: "s"), UInt8(ascii: "t"): break
        default: return false
        }
        return ["definitions", "title", "anyOf", "oneOf", "allOf", "strict"].contains { key.equals($0) }
    }

    /// Levels of schemas and references within each other.
    private static let maximumDepth = 100
    /// Bytes that references may add to one schema.
    private static let maximumExpansion = 128 * 1024

    private let root: JSONValue
    private let dialect: ToolSchema.Dialect
    private var depth = 0
    private var expansion = SchemaSimplifier.maximumExpansion
    /// The schemas that are being inlined, the root first, by their offsets.
    private var active: [Int] = []
    /// Members of objects that references went through, by the object's offset.
    private var indices: [Int: [String: JSONValue]] = [:]

    init(root: JSONValue, dialect: ToolSchema.Dialect) {
        self.root = root
        self.dialect = dialect
        active = [root.raw.startIndex]
    }

    /// What a schema says, together with the schemas that it refers to or consists of. What was said first counts.
    private struct Gathered {
        var keywords: [(name: String, value: JSONValue)] = []
        var properties: [(name: String, value: JSONValue)] = []
        var hasProperties = false
        var required: [JSONValue] = []
        /// The names in the three lists, from the second schema on: most consist of one, and need no sets.
        var names: (keywords: Set<String>, properties: Set<String>, required: Set<String>)?
        var alternatives: (keyword: String, schemas: [JSONValue])?
        var notes: [String] = []
        /// A part could not be inlined.
        var isCut = false
        /// Entries of `active` that belong to it.
        var references = 0

        mutating func add(keyword name: String, _ value: JSONValue) {
            if names?.keywords.insert(name).inserted ?? true { keywords.append((name, value)) }
        }

        mutating func add(property name: String, _ value: JSONValue) {
            if names?.properties.insert(name).inserted ?? true { properties.append((name, value)) }
        }

        mutating func add(required name: String, _ value: JSONValue) {
            if names?.required.insert(name).inserted ?? true { required.append(value) }
        }

        /// From here on, only what has not been said is added.
        mutating func startMerging() {
            guard names == nil else { return }
            names = (Set(keywords.map(\.name)), Set(properties.map(\.name)), Set(required.compactMap(\.string)))
        }
    }

    /// The schema without what the common dialect lacks.
    mutating func simplify(_ schema: JSONValue) -> SchemaNode {
        var gathered = Gathered()
        gather(schema, into: &gathered)
        depth += 1
        let node = build(gathered)
        depth -= 1
        active.removeLast(gathered.references)
        return node
    }

    // MARK: Gathering

    private mutating func gather(_ schema: JSONValue, into gathered: inout Gathered) {
        guard depth < Self.maximumDepth else {
            gathered.isCut = true
            return
        }
        depth += 1
        defer { depth -= 1 }
        var parts: [JSONValue] = []
        var references: [JSONValue] = []
        for (key, value) in schema.members {
            let name = key.string ?? ""
            switch name {
            case "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "strict": continue
            case _ where value.isNull && name != "const": continue
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
                if Self.isUnbounded(value) { continue }
                gathered.add(keyword: name, value)
            case "$ref" where value.kind == .string: references.append(value)
            case "allOf" where value.kind == .array: parts.append(contentsOf: value.elements)
            case "anyOf" where value.kind == .array, "oneOf" where value.kind == .array:
                take(alternatives: value, of: name, into: &gathered, parts: &parts)
            case "properties" where value.kind == .object:
                gathered.hasProperties = true
                for (key, property) in value.members { gathered.add(property: key.string ?? "", property) }
            case "required" where value.kind == .array:
                for element in value.elements {
                    if let name = element.string { gathered.add(required: name, element) }
                }
            default:
                gathered.add(keyword: name, value)
            }
        }
        if !references.isEmpty || !parts.isEmpty { gathered.startMerging() }
        for reference in references { inline(reference, into: &gathered) }
        for part in parts where part.kind == .object { gather(part, into: &gathered) }
    }

    /// Null is no alternative: a model leaves out what it does not want to give.
    private mutating func take(
        alternatives value: JSONValue, of name: String, into gathered: inout Gathered, parts: inout [JSONValue]
    ) {
        let schemas = value.elements.filter { !Self.isNull($0) }
        guard let first = schemas.first else { return }
        if schemas.count == 1 {
            parts.append(first)
        } else if dialect == .gemini || gathered.alternatives != nil {
            parts.append(first)
            let types = schemas.dropFirst().map { $0["type"]?.string ?? "another form" }
            gathered.notes.append("or " + types.prefix(8).joined(separator: " or "))
        } else {
            gathered.alternatives = (name, schemas)
        }
    }

    /// The edges of what JavaScript can count, which generators write and nobody means.
    static func isUnbounded(_ value: JSONValue) -> Bool {
        value.double.map { abs($0) >= 9_007_199_254_740_991 } ?? (value.kind == .number)
    }

    private static func isNull(_ schema: JSONValue) -> Bool {
        if schema["type"]?.equals("null") == true || schema["const"]?.isNull == true { return true }
        guard let values = schema["enum"], values.kind == .array else { return false }
        return values.elements.allSatisfy(\.isNull)
    }

    private mutating func inline(_ reference: JSONValue, into gathered: inout Gathered) {
        let pointer = reference.string ?? ""
        guard let target = resolve(pointer), target.kind == .object else {
            gathered.isCut = true
            return
        }
        guard active.count < Self.maximumDepth, !active.contains(target.raw.startIndex), target.raw.count <= expansion else {
            gathered.isCut = true
            let name = pointer.split(separator: "/").last.map(String.init) ?? ""
            gathered.notes.append(name == "#" || name.isEmpty ? "same structure as the whole" : "same structure as \(name.prefix(80))")
            return
        }
        expansion -= target.raw.count
        active.append(target.raw.startIndex)
        gathered.references += 1
        gather(target, into: &gathered)
    }

    /// What a JSON pointer within the schema (`#/$defs/Leg`) points to.
    private mutating func resolve(_ pointer: String) -> JSONValue? {
        guard pointer.hasPrefix("#") else { return nil }
        guard pointer != "#" else { return root }
        var value = root
        for step in pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let name = Self.unescaped(step)
            let next: JSONValue?
            if value.kind == .array {
                next = Int(name).flatMap { index in value.elements.enumerated().first { $0.offset == index }?.element }
            } else {
                next = members(of: value)[name]
            }
            guard let next else { return nil }
            value = next
        }
        return pointer.hasPrefix("#/") ? value : nil
    }

    private mutating func members(of object: JSONValue) -> [String: JSONValue] {
        if let known = indices[object.raw.startIndex] { return known }
        let members = Dictionary(object.members.lazy.map { ($0.key.string ?? "", $0.value) }) { _, last in last }
        indices[object.raw.startIndex] = members
        return members
    }

    /// A step of a pointer: `~1` is a slash, `~0` a tilde, `%20` a blank.
    private static func unescaped(_ step: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(step.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "~"), let next = rest.first, next == UInt8(ascii: "0") || next == UInt8(ascii: "1") {
                bytes.append(next == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                rest.removeFirst()
            } else if byte == UInt8(ascii: "%"), rest.count >= 2, let high = rest[rest.startIndex].hexDigitValue,
                let low = rest[rest.startIndex + 1].hexDigitValue
            {
                bytes.append(high << 4 | low)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Building

    private mutating func build(_ gathered: Gathered) -> SchemaNode {
        var node = SchemaNode()
        node.notes = gathered.notes
        for (name, value) in gathered.keywords { set(name, value, in: &node) }
        if gathered.hasProperties {
            var properties: [SchemaNode.Member] = []
            for (name, value) in gathered.properties { properties.append(.init(name: name, value: self.value(value))) }
            node["properties"] = .named(properties)
        }
        if !gathered.required.isEmpty { node["required"] = .list(gathered.required.map(SchemaNode.Value.written)) }
        if let (keyword, schemas) = gathered.alternatives { node[keyword] = list(schemas) }
        if gathered.isCut, node["type"] == nil { node["type"] = .text("object") }
        if node.text("type") == "array", node["items"] == nil {
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

    private mutating func set(_ name: String, _ value: JSONValue, in node: inout SchemaNode) {
        switch name {
        case "type" where value.kind == .array:
            let types = value.elements.compactMap(\.string).filter { $0 != "null" }
            guard let first = types.first else { return }
            node["type"] = .text(first)
            if types.count > 1 { node.notes.append("or " + types.dropFirst().prefix(8).joined(separator: " or ")) }
        case "enum" where value.kind == .array:
            let values = value.elements.filter { !$0.isNull }
            node["enum"] = values.isEmpty ? .written(value) : .list(values.map(SchemaNode.Value.written))
        case "items", "prefixItems":
            node[name] = value.kind == .array ? list(Array(value.elements)) : self.value(value)
        case "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "contains", "propertyNames",
            "not", "if", "then", "else":
            node[name] = self.value(value)
        case "patternProperties" where value.kind == .object, "dependentSchemas" where value.kind == .object:
            var schemas: [SchemaNode.Member] = []
            for (key, schema) in value.members { schemas.append(.init(name: key.string ?? "", value: self.value(schema))) }
            node[name] = .named(schemas)
        default: node.append(name, .written(value))
        }
    }

    private mutating func list(_ schemas: [JSONValue]) -> SchemaNode.Value {
        var values: [SchemaNode.Value] = []
        for schema in schemas { values.append(value(schema)) }
        return .list(values)
    }

    /// A schema below; a boolean one stays as it is.
    private mutating func value(_ schema: JSONValue) -> SchemaNode.Value {
        schema.kind == .object ? .schema(simplify(schema)) : .written(schema)
    }
}
