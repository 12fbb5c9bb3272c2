/// The form that a JSON value must have. Every key that is not named is refused, as the service does.
package indirect enum Shape: Sendable {
    case string
    case nonEmptyString
    /// A function's name.
    case name
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case bool
    case oneOf([String])
    /// Any JSON object, unchecked inside (tool schemas, metadata).
    case freeObject
    /// `null`, or what the shape says.
    case nullable(Shape)
    /// One of several forms.
    case either([Shape])
    case list(Shape, count: ClosedRange<Int>)
    case object([Field])
    /// An object whose member `by` names which of several forms it has.
    case tagged(by: String, [String: [Field]])

    /// A member of an object.
    package struct Field: Sendable {
        package let name: String
        package let shape: Shape
        package let isRequired: Bool

        package static func required(_ name: String, _ shape: Shape) -> Field {
            Field(name: name, shape: shape, isRequired: true)
        }

        package static func optional(_ name: String, _ shape: Shape) -> Field {
            Field(name: name, shape: shape, isRequired: false)
        }
    }

    /// Nil when `value` has this form, else where it differs and how: `chatRequest.messages[0].content: ...`.
    /// The service does not say so much; the record of the request does.
    package func mismatch(_ value: JSON, at path: String = "") -> String? {
        let place = path.isEmpty ? "body" : path
        switch (self, value) {
        case (.nullable(let shape), _): return value == .null ? nil : shape.mismatch(value, at: path)
        case (.either(let shapes), _):
            let mismatches = shapes.map { $0.mismatch(value, at: path) }
            guard !mismatches.contains(nil) else { return nil }
            // That of the form which the value has, rather than that of one which it does not even resemble.
            return mismatches.compactMap { $0 }.first { $0 != "\(place): wrong type" } ?? "\(place): wrong type"
        case (_, .null): return "\(place): null"
        case (.string, .string), (.bool, .bool), (.freeObject, .object): return nil
        case (.nonEmptyString, .string(let text)): return text.isEmpty ? "\(place): empty" : nil
        case (.name, .string(let text)): return Self.isName(text) ? nil : "\(place): not a name"
        case (.integer(let range), .integer(let number)):
            return range.contains(number) ? nil : "\(place): \(number) is not in \(range)"
        case (.number(let range), .integer), (.number(let range), .number):
            return value.number.map(range.contains) == true ? nil : "\(place): not in \(range)"
        case (.oneOf(let names), .string(let text)):
            return names.contains(text) ? nil : "\(place): '\(text)' is not one of \(names)"
        case (.list(let shape, let count), .array(let elements)):
            guard count.contains(elements.count) else { return "\(place): \(elements.count) elements" }
            for (index, element) in elements.enumerated() {
                if let mismatch = shape.mismatch(element, at: "\(path)[\(index)]") { return mismatch }
            }
            return nil
        case (.object(let fields), .object(let object)):
            return Self.mismatch(object, fields, at: path)
        case (.tagged(let tag, let forms), .object(let object)):
            guard let name = object[tag]?.string, let fields = forms[name] else {
                return "\(place): unknown or missing '\(tag)'"
            }
            return Self.mismatch(object, [.required(tag, .string)] + fields, at: path)
        default:
            return "\(place): wrong type"
        }
    }

    private static func mismatch(_ object: JSONObject, _ fields: [Field], at path: String) -> String? {
        let prefix = path.isEmpty ? "" : path + "."
        for member in object.members {
            guard let field = fields.first(where: { $0.name == member.name }) else {
                return "\(prefix)\(member.name): unknown key"
            }
            if let mismatch = field.shape.mismatch(member.value, at: prefix + member.name) { return mismatch }
        }
        for field in fields where field.isRequired && object[field.name] == nil {
            return "\(prefix)\(field.name): missing"
        }
        return nil
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
