import ProxyRouting

/// A function that the model may call.
struct ChatTool: Sendable {
    let name: String
    /// Escaped; nil when it is missing or empty.
    let description: ArraySlice<UInt8>?
    /// A JSON Schema; nil when it is missing or no object.
    let parameters: JSONValue?

    /// Tools that OCI takes in one request.
    static let maximumCount = 128

    /// The tools of a request. An empty list is none.
    ///
    /// - Parameter budget: for their schemas.
    static func list(_ field: RequestField?, _ budget: inout SchemaBudget) throws(Failure) -> [ChatTool] {
        guard let field else { return [] }
        let elements = try field.elements()
        guard elements.count <= maximumCount else {
            throw field.invalid("has \(elements.count) tools; OCI accepts at most \(maximumCount).")
        }
        var tools: [ChatTool] = []
        for element in elements { tools.append(try ChatTool(element, &budget)) }
        return tools
    }

    private init(_ field: RequestField, _ budget: inout SchemaBudget) throws(Failure) {
        let type = try field.object().member("type")
        if let type, try type.string() != "function" {
            throw type.invalid("must be \"function\"; other tools are not supported.", as: .unsupportedParameter)
        }
        guard let function = field.member("function") else { throw field.invalid("has no 'function'.") }
        guard let name = try function.object().member("name") else { throw function.invalid("has no 'name'.") }
        self.name = try name.string()
        guard Self.isName(self.name) else { throw name.invalid("must be 1 to 64 letters, digits, '_', '-' or '.'.") }
        let text = try function.member("description")?.rawString()
        description = text.flatMap { $0.isEmpty ? nil : $0 }
        let schema = try function.member("parameters").flatMap { field throws(Failure) in
            Self.saysNothing(field.value) ? nil : try field.object()
        }
        if let schema { try budget.take(schema) }
        if let type = schema?.member("type"), type.value.kind == .string, type.value.string?.lowercased() != "object" {
            throw type.invalid("must be \"object\": the parameters of a function are the members of an object.")
        }
        parameters = schema?.value
    }

    /// What stands for no schema: a boolean schema, or the empty array that PHP makes of an empty object.
    private static func saysNothing(_ schema: JSONValue) -> Bool {
        switch schema.kind {
        case .true, .false: true
        case .array: !schema.elements.contains { _ in true }
        default: false
        }
    }

    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
