/// The simplest value that satisfies a JSON schema: required properties only, the first choice of an enumeration. References within the schema are followed.
package enum SchemaExample {
    private static let maximumDepth = 16

    package static func value(for schema: JSON) -> JSON { value(for: schema, in: schema, depth: 0) }

    private static func value(for schema: JSON, in root: JSON, depth: Int) -> JSON {
        guard depth < maximumDepth else { return .null }
        if let reference = schema["$ref"]?.string {
            return target(of: reference, in: root).map { value(for: $0, in: root, depth: depth + 1) } ?? .null
        }
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?.array?.first { return first }
        if let parts = schema["allOf"]?.array, !parts.isEmpty {
            return merged(parts, with: schema, in: root, depth: depth)
        }
        for choice in ["anyOf", "oneOf"] {
            // What is not null says more.
            guard let branches = schema[choice]?.array,
                let first = branches.first(where: { $0["type"]?.string != "null" }) ?? branches.first
            else { continue }
            return value(for: first, in: root, depth: depth + 1)
        }
        switch schema["type"]?.string ?? schema["type"]?.array?.first(where: { $0.string != "null" })?.string {
        case "string":
            let length = schema["minLength"]?.integer ?? 0
            return .string("example" + String(repeating: "x", count: min(max(length - 7, 0), 1000)))
        case "integer":
            return .integer(schema["minimum"]?.integer ?? schema["exclusiveMinimum"]?.integer.map { $0 + 1 } ?? 1)
        case "number": return schema["minimum"] ?? 1.5
        case "boolean": return true
        case "null": return .null
        case "array":
            let count = max(schema["minItems"]?.integer ?? 1, 0)
            return .array(
                (0..<min(count, 16)).map { _ in value(for: schema["items"] ?? "x", in: root, depth: depth + 1) })
        default:
            var object = JSONObject()
            for name in (schema["required"]?.array ?? []).compactMap(\.string) {
                object[name] = value(for: schema["properties"]?[name] ?? ["type": "string"], in: root, depth: depth + 1)
            }
            return .object(object)
        }
    }

    /// The members of all parts together; of parts that are no objects the first.
    private static func merged(_ parts: [JSON], with schema: JSON, in root: JSON, depth: Int) -> JSON {
        var object = JSONObject()
        var isObject = false
        for part in parts {
            let value = value(for: part, in: root, depth: depth + 1)
            guard let members = value.object?.members else {
                if !isObject { return value }
                continue
            }
            isObject = true
            for member in members { object[member.name] = member.value }
        }
        for name in (schema["required"]?.array ?? []).compactMap(\.string) where object[name] == nil {
            object[name] = value(for: schema["properties"]?[name] ?? ["type": "string"], in: root, depth: depth + 1)
        }
        return .object(object)
    }

    /// What `#/$defs/Name` points to.
    private static func target(of reference: String, in root: JSON) -> JSON? {
        guard reference.hasPrefix("#") else { return nil }
        var value = root
        for step in reference.dropFirst().split(separator: "/") {
            let name = String(step).replacing("~1", with: "/").replacing("~0", with: "~")
            guard
                let next = value[name]
                    ?? Int(name).flatMap({ value.array?.indices.contains($0) == true ? value.array?[$0] : nil })
            else { return nil }
            value = next
        }
        return value
    }
}
