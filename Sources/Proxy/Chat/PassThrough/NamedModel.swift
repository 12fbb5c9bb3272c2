import ProxyRouting

/// The model that a request names which passes to a provider as it is: a member of JSON, or a field of a form. The rest of the body is nobody's business.
struct NamedModel: Sendable {
    let name: String
    /// Where the name stands in the body, as often as it does.
    private let places: [Range<Int>]
    private let isJSON: Bool
    private let body: [UInt8]
    /// What it asks for.
    let size: ForwardedSize
    /// Of a form: looks after what follows.
    let watch: FormWatch?
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
    /// - Throws: `Failure` 400 when no model will be named, or more than one.
    static func look(in body: [UInt8], contentType: String) throws(Failure) -> NamedModel? {
        let type = contentType.split(separator: ";").first.map { $0.lowercased() } ?? ""
        guard type != "application/x-www-form-urlencoded" else {
            throw .invalidRequest(
                "A form must be sent as multipart/form-data, not as \(type).", field: nil, as: .value)
        }
        guard type.hasPrefix("multipart/form-data") else {
            let root = try RequestField(body: body)
            return NamedModel(
                name: try root.model(), places: ModelMember.ranges(in: root.value), isJSON: true, body: body,
                size: ForwardedSize(of: root.value))
        }
        guard var scan = FormScan(contentType: contentType) else {
            throw .invalidRequest(
                "The content-type multipart/form-data has no usable boundary.", field: nil, as: .value)
        }
        var place = 0
        var found: Range<Int>?
        while let part = scan.next(in: body, from: &place) {
            switch part {
            case .other: continue
            case .model(let content) where found == nil:
                // The line break belongs to the delimiter behind it.
                guard
                    let end = ByteSearch.firstIndex(of: [0x0D, 0x0A] + scan.delimiter, in: body, from: content - 2)
                else { return nil }
                found = min(content, end)..<end
                place = end
            case .model, .doubtful: throw .secondModelInForm
            }
        }
        guard let found else {
            if scan.hasEnded { throw .noModelInForm }
            return nil
        }
        guard !found.isEmpty, found.count <= ModelName.longest else { throw .noModelInForm }
        return NamedModel(
            name: String(decoding: body[found], as: UTF8.self), places: [found], isJSON: false, body: body,
            watch: FormWatch(scan, behind: body[min(place, body.count)...]))
    }

    private init(
        name: String, places: [Range<Int>], isJSON: Bool, body: [UInt8], size: ForwardedSize = ForwardedSize(),
        watch: FormWatch? = nil
    ) {
        self.name = name
        self.size = size
        self.watch = watch
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
}

extension Failure {
    fileprivate static let noModelInForm = Failure.invalidRequest(
        "The form has no field 'model'. GET /v1/models lists the available models.", field: "model", as: .missing)

    /// The upstream might take another one for the model than was judged here.
    static let secondModelInForm = Failure.invalidRequest(
        "The form names 'model' more than once, or in a way that servers read differently. Send one field: Content-Disposition: form-data; name=\"model\".",
        field: "model", as: .value)
}
