import ProxyRouting

/// A piece of a message's content. Texts are escaped, as they came.
enum ContentPart: Sendable {
    case text(ArraySlice<UInt8>)
    /// A picture, and how closely to look (`auto`, `low`, `high`).
    case image(MediaURL, detail: String?)
    case audio(MediaURL)
    case video(MediaURL)
    /// A document, such as a PDF.
    case document(MediaURL)

    /// Whether this is a text of nothing but white space.
    var isBlank: Bool {
        guard case .text(var rest) = self else { return false }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: " ") { continue }
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst(), "nrt".utf8.contains(escape) else {
                return false
            }
        }
        return true
    }

    /// The parts of a `content`: a string, an array of parts, or nothing at all.
    static func list(_ field: RequestField) throws(Failure) -> [ContentPart] {
        if let text = field.value.rawString { return [.text(text)] }
        guard field.value.kind == .array else { throw field.wrongType("a string or an array of parts") }
        var parts: [ContentPart] = []
        for element in field.value.elements.lazy.map({ RequestField($0) }) {
            guard parts.count <= ChatRequest.mostParts else { break }
            if let part = try part(element) { parts.append(part) }
        }
        return parts
    }

    private static func part(_ field: RequestField) throws(Failure) -> ContentPart? {
        if let text = field.value.rawString { return .text(text) }
        guard let type = try field.object().member("type") else { throw field.invalid("has no 'type'.") }
        switch try type.string() {
        case "text", "input_text", "output_text": return .text(try field.member("text")?.rawString() ?? [])
        case "refusal": return .text(try field.member("refusal")?.rawString() ?? [])
        case "image_url", "input_image": return try image(field)
        case "input_audio": return try audio(field)
        case "video_url": return .video(try MediaURL(try url(of: "video_url", in: field)))
        case "audio_url": return .audio(try MediaURL(try url(of: "audio_url", in: field)))
        case "file", "input_file": return try file(field)
        // An assistant's own thoughts, echoed: no upstream wants them back.
        case "thinking", "redacted_thinking", "reasoning": return nil
        default:
            throw type.invalid("is not a supported part; send text, image_url, input_audio, video_url or file.")
        }
    }

    private static let imageTypes: Set<String> = ["image/png", "image/jpeg", "image/webp", "image/gif"]

    private static func image(_ field: RequestField) throws(Failure) -> ContentPart {
        let place = try url(of: "image_url", in: field)
        let url = try MediaURL(place)
        // Some clients have only this part for everything.
        if url.mediaType == "application/pdf" { return .document(url) }
        if let type = url.mediaType, !imageTypes.contains(type) {
            throw place.invalid("is of type \(type.cut(toBytes: 80)); send a png, jpeg, webp or gif image.")
        }
        return .image(url, detail: field.value["image_url"]?["detail"]?.string ?? field.value["detail"]?.string)
    }

    /// The `url` of an object, or the bare string that some clients send.
    private static func url(of name: StaticString, in field: RequestField) throws(Failure) -> RequestField {
        guard let place = field.member(name) else { throw field.invalid("has no '\(name)'.") }
        if place.value.kind == .string { return place }
        guard let url = try place.object().member("url") else { throw place.invalid("has no 'url'.") }
        return RequestField(url.value, namedAs: place.value)
    }

    private static func audio(_ field: RequestField) throws(Failure) -> ContentPart {
        guard let audio = field.member("input_audio"), let data = try audio.object().member("data") else {
            throw field.invalid("has no 'input_audio' with 'data'.")
        }
        let base64 = try data.rawString()
        if let url = MediaURL(dataURI: data.value) { return .audio(url) }
        let format = try audio.member("format")?.string().lowercased() ?? "wav"
        guard !base64.isEmpty, (1...32).contains(format.utf8.count), format.utf8.allSatisfy(\.isMediaTypeByte) else {
            throw audio.invalid("has no 'data' or an unknown 'format'; send wav or mp3 in base64.")
        }
        return .audio(MediaURL(base64: base64, type: "audio/" + format))
    }

    private static func file(_ field: RequestField) throws(Failure) -> ContentPart {
        let file = field.member("file") ?? field
        guard let data = try file.object().member("file_data") else {
            throw field.invalid(
                "has no 'file_data'; send the file as a data URI, because this proxy has no file store.")
        }
        let base64 = try data.rawString()
        if let url = MediaURL(dataURI: data.value), let type = url.mediaType {
            if imageTypes.contains(type) { return .image(url, detail: nil) }
            if type.hasPrefix("audio/") { return .audio(url) }
            return type.hasPrefix("video/") ? .video(url) : .document(url)
        }
        // Bare base64, as the API also has it: then the name says what it is.
        guard !base64.isEmpty, !base64.contains(UInt8(ascii: ":")),
            file.value["filename"]?.string?.lowercased().hasSuffix(".pdf") == true
        else {
            throw data.invalid("must be a data URI: data:application/pdf;base64,...")
        }
        return .document(MediaURL(base64: base64, type: "application/pdf"))
    }
}
