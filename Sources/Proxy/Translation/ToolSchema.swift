/// Brings a tool's JSON Schema down to what the models behind OCI take (OCI wire notes, 5.6).
///
/// References are put in place, the branch beside a null is taken, types become one type, arrays get items, and words about
/// the schema itself go. What a family cannot express is said in the description, where a model still reads it.
struct ToolSchema {
    /// What a family understands.
    enum Dialect: Sendable {
        case standard
        /// A part of OpenAPI 3.0.
        case gemini
    }

    /// References that lead through more levels than this, or that blow a schema up beyond as many nodes, end in an
    /// object of any kind: they are recursive, or meant to do harm.
    private static let deepestReference = 12
    private static let mostNodes = 20_000

    private let root: JSONValue
    private let dialect: Dialect
    private var nodes = 0

    /// Writes the schema of a function's parameters: always an object with properties.
    static func write(_ parameters: JSONValue?, dialect: Dialect, to writer: inout JSONWriter) {
        guard let parameters, parameters.members.contains(where: { _ in true }) else {
            return writer.raw(Array(#"{"type":"object","properties":{}}"#.utf8)[...])
        }
        var schema = ToolSchema(root: parameters, dialect: dialect)
        schema.write(parameters, isParameters: true, references: 0, to: &writer)
    }

    private init(root: JSONValue, dialect: Dialect) {
        self.root = root
        self.dialect = dialect
    }

    private mutating func write(_ schema: JSONValue, isParameters: Bool = false, references: Int, to writer: inout JSONWriter) {
        nodes += 1
        guard schema.kind == .object, nodes <= Self.mostNodes, references <= Self.deepestReference else {
            return writer.raw(Array(#"{"type":"object"}"#.utf8)[...])
        }
        // The schema that says what this one is: itself, the target of its reference, or its branch beside a null.
        if let target = schema["$ref"]?.string.flatMap(resolve) {
            return write(target, described: schema.present("description"), references: references + 1, to: &writer)
        }
        if let branch = onlyBranch(schema) {
            return write(branch, described: schema.present("description"), references: references + 1, to: &writer)
        }
        writeMembers(of: schema, described: nil, isParameters: isParameters, references: references, to: &writer)
    }

    /// A schema that stands for another: the other's description gives way.
    private mutating func write(_ schema: JSONValue, described: JSONValue?, references: Int, to writer: inout JSONWriter) {
        guard let described, schema.kind == .object, schema["$ref"] == nil, onlyBranch(schema) == nil else {
            return write(schema, references: references, to: &writer)
        }
        writeMembers(of: schema, described: described, isParameters: false, references: references, to: &writer)
    }

    private mutating func writeMembers(
        of schema: JSONValue, described: JSONValue?, isParameters: Bool, references: Int, to writer: inout JSONWriter
    ) {
        var hints: [String] = []
        var hasType = false, hasProperties = false, hasItems = false, isArray = false
        writer.beginObject()
        for (name, value) in schema.members {
            guard let keyword = name.string else { continue }
            switch keyword {
            case "type":
                guard let type = Self.singleType(value) else { continue }
                hasType = true
                isArray = type == "array"
                writer.key("type")
                writer.string(type)
            case "properties" where value.kind == .object:
                hasProperties = true
                writeMap("properties", value, references: references, to: &writer)
            case "items":
                hasItems = true
                writer.key("items")
                write(value.kind == .array ? value.elements.first { _ in true } ?? value : value, references: references, to: &writer)
            case "anyOf", "oneOf", "allOf":
                writeBranches(keyword, value, references: references, to: &writer)
            case "additionalProperties" where value.kind == .object && dialect == .standard:
                writer.key("additionalProperties")
                write(value, references: references, to: &writer)
            case "description": continue
            case _ where isDropped(keyword, value): if let hint = Self.hint(keyword, value) { hints.append(hint) }
            case _ where value.isNull: continue
            default:
                writer.key(keyword)
                writer.raw(value.raw)
            }
        }
        if isParameters, !hasType {
            writer.key("type")
            writer.string(literal: "object")
        }
        if isParameters, !hasProperties {
            writer.key("properties")
            writer.raw(Array("{}".utf8)[...])
        }
        if isArray, !hasItems {
            writer.key("items")
            writer.raw(Array(#"{"type":"string"}"#.utf8)[...])
        }
        writeDescription(described ?? schema.present("description"), hints, to: &writer)
        writer.endObject()
    }

    private mutating func writeMap(_ name: StaticString, _ map: JSONValue, references: Int, to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginObject()
        for (name, value) in map.members {
            writer.key(name.string ?? "")
            write(value, references: references, to: &writer)
        }
        writer.endObject()
    }

    private mutating func writeBranches(_ keyword: String, _ value: JSONValue, references: Int, to writer: inout JSONWriter) {
        guard value.kind == .array else { return }
        // Gemini knows only anyOf; for the others each keeps its word.
        writer.key(dialect == .gemini && keyword == "oneOf" ? "anyOf" : keyword)
        writer.beginArray()
        for branch in value.elements where !Self.isNullType(branch) { write(branch, references: references, to: &writer) }
        writer.endArray()
    }

    private func writeDescription(_ description: JSONValue?, _ hints: [String], to writer: inout JSONWriter) {
        guard description?.kind == .string || !hints.isEmpty else { return }
        let text = description?.rawString ?? []
        var suffix: [UInt8] = []
        if !hints.isEmpty { JSONString.append((text.isEmpty ? "" : " ") + "(" + hints.joined(separator: ", ") + ")", to: &suffix) }
        writer.key("description")
        writer.string(escaped: [text, suffix[...]])
    }

    // MARK: What a schema says

    /// `#/$defs/Name` and any other pointer into the same document.
    private func resolve(_ reference: String) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return reference == "#" ? root : nil }
        var value = root
        for step in reference.dropFirst(2).split(separator: "/") {
            let name = String(step.replacing("~1", with: "/").replacing("~0", with: "~"))
            guard let next = value.members.first(where: { $0.key.string == name })?.value else { return nil }
            value = next
        }
        return value
    }

    /// The one branch of an `anyOf` or `oneOf` that is left when the nulls are gone; nil when there are more, or none.
    private func onlyBranch(_ schema: JSONValue) -> JSONValue? {
        guard let branches = schema["anyOf"] ?? schema["oneOf"], branches.kind == .array else { return nil }
        let rest = branches.elements.filter { !Self.isNullType($0) }
        return rest.count == 1 ? rest[0] : nil
    }

    private static func isNullType(_ schema: JSONValue) -> Bool {
        schema["type"]?.equals("null") == true
    }

    /// One type; of several, the first that is not null.
    private static func singleType(_ value: JSONValue) -> String? {
        if let type = value.string { return type }
        for type in value.elements {
            if let type = type.string, type != "null" { return type }
        }
        return nil
    }

    private func isDropped(_ keyword: String, _ value: JSONValue) -> Bool {
        switch keyword {
        case "$schema", "$id", "$defs", "definitions", "$comment", "$anchor", "$ref", "strict": true
        case "title": value.kind == .string
        case "default": value.isNull || dialect == .gemini
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
            Self.isUnbounded(value) || (dialect == .gemini && keyword.hasPrefix("exclusive"))
        case "additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties", "const", "not", "if", "then", "else",
            "multipleOf", "uniqueItems", "examples", "contains", "dependentRequired", "dependentSchemas", "readOnly", "writeOnly", "deprecated":
            dialect == .gemini
        default: false
        }
    }

    /// The edges of what JavaScript can count, which generators write and nobody means.
    private static func isUnbounded(_ value: JSONValue) -> Bool {
        value.double.map { abs($0) >= 9_007_199_254_740_991 } ?? false
    }

    /// What a model may still want to know of a dropped keyword.
    private static func hint(_ keyword: String, _ value: JSONValue) -> String? {
        guard ["exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "default"].contains(keyword), !isUnbounded(value),
            value.kind == .number || value.kind == .string || value.bool != nil
        else { return nil }
        return "\(keyword): \(String(decoding: value.raw, as: UTF8.self))"
    }
}
