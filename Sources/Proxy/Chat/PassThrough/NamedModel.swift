import ProxyRouting

/// The model that a request names which passes to a provider as it is: a member of JSON, or a field of a form. The rest of the body is nobody's business.
struct NamedModel: Sendable {
    let name: String
    /// Where the name stands in the body, as often as it does.
    private let places: [Range<Int>]
    private let isJSON: Bool
    private let body: [UInt8]
    /// Bytes of the body, as far as it is there.
    var count: Int { body.count }

    /// - Parameter contentType: as the client has sent it.
    /// - Throws: `Failure` 400 when no model is named.
    init(in body: [UInt8], contentType: String) throws(Failure) {
        guard let named = try Self.look(in: body, contentType: contentType) else { throw .noModelInForm }
        self = named
    }

    /// - Parameter body: or the beginning of a form.
    /// - Returns: nil for a form that may name the model further on.
    /// - Throws: `Failure` 400 when no model will be named.
    static func look(in body: [UInt8], contentType: String) throws(Failure) -> NamedModel? {
        let type = contentType.split(separator: ";").first.map { $0.lowercased() } ?? ""
        guard type != "application/x-www-form-urlencoded" else {
            throw .invalidRequest(
                "A form must be sent as multipart/form-data, not as \(type).", field: nil, as: .value)
        }
        guard type.hasPrefix("multipart/form-data") else {
            let root = try RequestField(body: body)
            return NamedModel(
                name: try root.model(), places: ModelMember.ranges(in: root.value), isJSON: true, body: body)
        }
        guard let boundary = boundary(contentType) else {
            throw .invalidRequest(
                "The content-type multipart/form-data has no usable boundary.", field: nil, as: .value)
        }
        switch field("model", in: body, boundary: boundary) {
        case .found(let place) where !place.isEmpty && place.count <= ModelName.longest:
            return NamedModel(
                name: String(decoding: body[place], as: UTF8.self), places: [place], isJSON: false, body: body)
        case .found, .ended: throw .noModelInForm
        case .unfinished: return nil
        }
    }

    private init(name: String, places: [Range<Int>], isJSON: Bool, body: [UInt8]) {
        self.name = name
        self.places = places
        self.isJSON = isJSON
        self.body = body
    }

    /// The body for a provider that calls the model `name`.
    func body(naming name: String) -> SplicedText {
        var text = SplicedText(capacity: name.utf8.count + 2)
        var rest = 0
        for place in places {
            text.splice(body[rest..<place.lowerBound])
            if isJSON { text.append(quoted: name) } else { text.append(contentsOf: name.utf8) }
            rest = place.upperBound
        }
        text.splice(body[rest...])
        return text
    }

    // MARK: Forms (RFC 7578)

    private static func boundary(_ contentType: String) -> [UInt8]? {
        guard let start = contentType.lowercased().firstRange(of: "boundary=") else { return nil }
        let offset = contentType.lowercased().utf8.distance(from: contentType.startIndex, to: start.upperBound)
        var text = Substring(contentType.utf8.dropFirst(offset))
        if text.hasPrefix("\"") {
            text = text.dropFirst().prefix { $0 != "\"" }
        } else {
            text = text.prefix { $0 != ";" && $0 != " " }
        }
        return (1...70).contains(text.utf8.count) ? Array(text.utf8) : nil
    }

    private enum Search {
        case found(Range<Int>)
        /// There is no such field, and none will come.
        case ended
        case unfinished
    }

    /// Where the content of a field stands. Each byte is looked at once.
    private static func field(_ name: StaticString, in body: [UInt8], boundary: [UInt8]) -> Search {
        let delimiter = Array("--".utf8) + boundary
        var place = 0
        while let start = ByteSearch.firstIndex(of: delimiter, in: body, from: place) {
            let head = start + delimiter.count
            guard body.count >= head + 2 else { return .unfinished }
            // The last one has two more dashes behind it.
            guard body[head] == 0x0D, body[head + 1] == 0x0A else { return .ended }
            guard let blank = ByteSearch.firstIndex(of: [0x0D, 0x0A, 0x0D, 0x0A], in: body, from: head) else {
                return body.count - head > longestHead ? .ended : .unfinished
            }
            let content = blank + 4
            guard let end = ByteSearch.firstIndex(of: [0x0D, 0x0A] + delimiter, in: body, from: blank + 2) else {
                return .unfinished
            }
            if blank - head <= longestHead, names(name, in: body[head..<blank]) {
                return .found(min(content, end)..<end)
            }
            place = end + 2
        }
        return .unfinished
    }

    private static let longestHead = 4096

    private static func names(_ name: StaticString, in head: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: head, as: UTF8.self)
        let isField = text.lowercased().contains("content-disposition:") && !text.contains("filename")
        return isField
            && (text.contains("name=\"\(name)\"") || text.contains("name=\(name)\r") || text.hasSuffix("name=\(name)"))
    }
}

extension Failure {
    fileprivate static let noModelInForm = Failure.invalidRequest(
        "The form has no field 'model'. GET /v1/models lists the available models.", field: "model", as: .missing)
}
