import ProxyRouting

/// A member of a request with the path under which its sender knows it, so that every complaint says where to look.
struct RequestField: Sendable {
    let value: JSONValue
    /// Whose place is told in this one's stead.
    private let known: JSONValue?

    init(_ value: JSONValue, namedAs known: JSONValue? = nil) {
        self.value = value
        self.known = known
    }

    /// Such as `messages[2].content`; empty for the whole body. Found when it is asked for, as hardly any request is refused.
    var path: String { (known ?? value).path }

    /// The member of that name, unless it is absent or null: clients write null for what they do not want to say.
    func member(_ name: StaticString) -> RequestField? { value.present(name).map { RequestField($0) } }

    /// The elements of an array, each with its place.
    func elements() throws(Failure) -> [RequestField] {
        guard value.kind == .array else { throw wrongType("an array") }
        return value.elements.map { RequestField($0) }
    }

    func string() throws(Failure) -> String {
        guard let string = value.string else { throw wrongType("a string") }
        return string
    }

    /// The string as it is written, escapes untouched.
    func rawString() throws(Failure) -> ArraySlice<UInt8> {
        guard let string = value.rawString else { throw wrongType("a string") }
        return string
    }

    func bool() throws(Failure) -> Bool {
        guard let bool = value.bool else { throw wrongType("true or false") }
        return bool
    }

    /// A whole number, also written as `3.0`. One that is too great becomes the greatest that OCI's 32 bits hold.
    func int() throws(Failure) -> Int {
        let number = try double()
        guard number.rounded() == number else {
            throw invalid("must be a whole number, but it has a fraction.", as: .type)
        }
        return Int(exactly: Int32(clamping: value.int ?? (number < 0 ? .min : .max))) ?? 0
    }

    /// A number. One beyond the range of doubles becomes the end of that range.
    func double() throws(Failure) -> Double {
        guard value.kind == .number else { throw wrongType("a number") }
        if let double = value.double { return double }
        return value.raw.first == UInt8(ascii: "-") ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude
    }

    func object() throws(Failure) -> RequestField {
        guard value.kind == .object else { throw wrongType("an object") }
        return self
    }

    /// 400: the field is of another type than the API says.
    func wrongType(_ wanted: String) -> Failure {
        let path = path
        return .invalidRequest("'\(path)' must be \(wanted), but it is \(value.kindName).", field: path, as: .type)
    }

    /// 400: the field's value cannot be served.
    func invalid(_ reason: String, as fault: Failure.InvalidRequest = .value) -> Failure {
        let path = path
        return .invalidRequest("'\(path)' \(reason)", field: path, as: fault)
    }
}

extension RequestField {
    /// The whole body of a request.
    ///
    /// - Throws: `Failure` 400 when it is no JSON object, with line and column where the text is no JSON.
    init(body: [UInt8]) throws(Failure) {
        let limit = Self.mostValues(in: body.count)
        let parsed: JSONDocument?
        do {
            parsed = try JSONDocument.parse(body, upTo: limit)
        } catch {
            throw .invalidRequest("The request body is not valid JSON: \(error.description).", field: nil, as: .json)
        }
        guard let document = parsed else {
            throw .invalidRequest(
                "The request body has more than \(limit) JSON values, the limit for a body of \(body.count) bytes. Send fewer values.",
                field: nil, as: .tooManyValues)
        }
        guard document.root.kind == .object else {
            throw .invalidRequest(
                "The request body must be a JSON object, but it is \(document.root.kindName).", field: nil, as: .type)
        }
        self.init(document.root)
    }

    /// Values that a body may have: more than any real one has, and for a large one so few that their list is no longer than two bodies.
    static func mostValues(in bytes: Int) -> Int { max(524_288, bytes / 8) }

    /// Whether a name is more than white space.
    private static func hasWords(_ name: String) -> Bool {
        name.utf8.contains { (0x21...0x7E).contains($0) }
            || name.unicodeScalars.contains { !$0.properties.isWhitespace }
    }

    /// Whether a string of JSON may be a model's name by its length alone; an escape takes at most six bytes for one.
    private static func isShortEnough(_ written: ArraySlice<UInt8>) -> Bool { written.count <= 6 * ModelName.longest }

    /// Whether a member's name is `model` in whatever case, however it is written.
    private static func mayMeanModel(_ key: JSONValue) -> Bool {
        guard let written = key.rawString, (5...30).contains(written.count),
            (written.first ?? 0) | 0x20 == 0x6D || written.first == 0x5C
        else { return false }
        guard written.count > 5 else {
            return written.elementsEqual(("model" as StaticString).utf8) { $0 | 0x20 == $1 }
        }
        return written.contains(0x5C) && key.string?.lowercased() == "model"
    }

    /// The name of the model in a body.
    ///
    /// - Throws: also for a name of more than 256 bytes, before it is decoded or compared with anything; and when it is named `Model` as well: some servers take that
    ///   for the same.
    func model() throws(Failure) -> String {
        for (key, _) in value.members where Self.mayMeanModel(key) && !key.equals("model") { throw .secondModel }
        let field = member("model")
        if let written = field?.value.rawString, !Self.isShortEnough(written) { throw .modelNameTooLong }
        guard let model = try field?.string(), Self.hasWords(model) else {
            throw .invalidRequest(
                "'model' is missing. GET /v1/models lists the available models.", field: "model", as: .missing)
        }
        guard ModelName.isShortEnough(model) else { throw .modelNameTooLong }
        return model
    }
}

extension Failure {
    fileprivate static let secondModel = Failure.invalidRequest(
        "The request names 'model' in capital letters, which some servers take for the same. Send 'model' alone.",
        field: "model", as: .value)

    fileprivate static let modelNameTooLong = Failure.invalidRequest(
        "'model' is longer than \(ModelName.longest) bytes, the limit for model names. GET /v1/models lists the available models.",
        field: "model",
        as: .value)
}
