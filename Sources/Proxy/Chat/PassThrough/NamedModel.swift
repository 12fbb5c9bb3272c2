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
        self.body = body
        let type = contentType.split(separator: ";").first.map { $0.lowercased() } ?? ""
        isJSON = !type.hasPrefix("multipart/form-data")
        if isJSON {
            let root = try RequestField(body: body)
            name = try root.model()
            places = ModelMember.ranges(in: root.value)
            return
        }
        guard let boundary = Self.boundary(contentType) else {
            throw .invalidRequest(
                "The content-type multipart/form-data has no usable boundary.", field: nil, as: .value)
        }
        guard let place = Self.field("model", in: body, boundary: boundary), !place.isEmpty,
            place.count <= ModelName.longest
        else {
            throw .invalidRequest("The form has no field 'model'.", field: "model", as: .missing)
        }
        name = String(decoding: body[place], as: UTF8.self)
        places = [place]
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

    /// Where the content of a field stands. Each byte is looked at once.
    private static func field(_ name: StaticString, in body: [UInt8], boundary: [UInt8]) -> Range<Int>? {
        let delimiter = Array("--".utf8) + boundary
        var place = 0
        while let start = ByteSearch.firstIndex(of: delimiter, in: body, from: place) {
            let head = start + delimiter.count
            // The last one has two more dashes behind it.
            guard body.dropFirst(head).starts(with: [0x0D, 0x0A]),
                let blank = ByteSearch.firstIndex(of: [0x0D, 0x0A, 0x0D, 0x0A], in: body, from: head)
            else { return nil }
            let content = blank + 4
            guard let end = ByteSearch.firstIndex(of: [0x0D, 0x0A] + delimiter, in: body, from: blank + 2) else {
                return nil
            }
            if blank - head <= longestHead, names(name, in: body[head..<blank]) { return min(content, end)..<end }
            place = end + 2
        }
        return nil
    }

    private static let longestHead = 4096

    private static func names(_ name: StaticString, in head: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: head, as: UTF8.self)
        let isField = text.lowercased().contains("content-disposition:") && !text.contains("filename")
        return isField
            && (text.contains("name=\"\(name)\"") || text.contains("name=\(name)\r") || text.hasSuffix("name=\(name)"))
    }
}
