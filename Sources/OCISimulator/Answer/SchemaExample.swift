/// The simplest value that satisfies a JSON schema: required properties only, the first choice of an enumeration.
package enum SchemaExample {
    private static let maximumDepth = 16

    package static func value(for schema: JSON) -> JSON { value(for: schema, depth: 0) }

    private static func value(for schema: JSON, depth: Int) -> JSON {
        guard depth < maximumDepth else { return .null }
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?.array?.first { return first }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let first = schema[choice]?.array?.first { return value(for: first, depth: depth + 1) }
        }
        switch schema["type"]?.string ?? schema["type"]?.array?.first?.string {
        case "string": return "example"
        case "integer": return .integer(schema["minimum"]?.integer ?? 1)
        case "number": return schema["minimum"] ?? 1.5
        case "boolean": return true
        case "null": return .null
        case "array":
            let count = max(schema["minItems"]?.integer ?? 1, 0)
            return .array((0..<min(count, 16)).map { _ in value(for: schema["items"] ?? "x", depth: depth + 1) })
        default:
            var object = JSONObject()
            for name in (schema["required"]?.array ?? []).compactMap(\.string) {
                object[name] = value(for: schema["properties"]?[name] ?? ["type": "string"], depth: depth + 1)
            }
            return .object(object)
        }
    }
}
