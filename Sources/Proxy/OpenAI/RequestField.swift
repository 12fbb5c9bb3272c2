/// A member of a request with the path under which its sender knows it, so that every complaint says where to look.
struct RequestField: Sendable {
    let value: JSONValue
    /// Such as `messages[2].content`; empty for the whole body.
    let path: String

    /// The member of that name, unless it is absent or null: clients write null for what they do not want to say.
    func member(_ name: StaticString) -> RequestField? {
        value.present(name).map { RequestField(value: $0, path: path.isEmpty ? "\(name)" : "\(path).\(name)") }
    }

    /// The elements of an array, each with its place.
    func elements() throws(APIError) -> [RequestField] {
        guard value.kind == .array else { throw wrongType("an array") }
        var index = -1
        return value.elements.map { element in
            index += 1
            return RequestField(value: element, path: "\(path)[\(index)]")
        }
    }

    func string() throws(APIError) -> String {
        guard let string = value.string else { throw wrongType("a string") }
        return string
    }

    /// The string as it is written, escapes untouched.
    func rawString() throws(APIError) -> ArraySlice<UInt8> {
        guard let string = value.rawString else { throw wrongType("a string") }
        return string
    }

    func bool() throws(APIError) -> Bool {
        guard let bool = value.bool else { throw wrongType("true or false") }
        return bool
    }

    func int() throws(APIError) -> Int {
        guard let int = value.int else { throw wrongType("a whole number") }
        return int
    }

    func double() throws(APIError) -> Double {
        guard let double = value.double else { throw wrongType("a number") }
        return double
    }

    func object() throws(APIError) -> RequestField {
        guard value.kind == .object else { throw wrongType("an object") }
        return self
    }

    /// 400: the field is of another type than the API says.
    func wrongType(_ wanted: String) -> APIError {
        .invalidRequest("'\(path)' must be \(wanted), but it is \(value.kindName).", param: path, code: "invalid_type")
    }

    /// 400: the field's value cannot be served.
    func invalid(_ reason: String, code: String = "invalid_value") -> APIError {
        .invalidRequest("'\(path)' \(reason)", param: path, code: code)
    }
}
