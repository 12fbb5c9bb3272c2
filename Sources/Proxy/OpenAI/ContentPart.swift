/// A piece of a message's content. Texts and URLs are escaped, as they came.
enum ContentPart: Sendable {
    case text(ArraySlice<UInt8>)
    /// A data URI or a URL, and how closely to look (`auto`, `low`, `high`).
    case image(ArraySlice<UInt8>, detail: String?)
    /// Base64 and its format, such as `wav`.
    case audio(ArraySlice<UInt8>, format: String)
    case video(ArraySlice<UInt8>)
    /// A data URI of a document, such as a PDF.
    case document(ArraySlice<UInt8>)

    /// The parts of a `content`: a string, an array of parts, or nothing at all.
    static func list(_ field: RequestField) throws(APIError) -> [ContentPart] {
        if let text = field.value.rawString { return [.text(text)] }
        guard field.value.kind == .array else { throw field.wrongType("a string or an array of parts") }
        var parts: [ContentPart] = []
        for element in try field.elements() {
            if let part = try part(element) { parts.append(part) }
        }
        return parts
    }

    private static func part(_ field: RequestField) throws(APIError) -> ContentPart? {
        if let text = field.value.rawString { return .text(text) }
        guard let type = try field.object().member("type") else { throw field.invalid("has no 'type'.") }
        switch try type.string() {
        case "text", "input_text", "output_text": return .text(try field.member("text")?.rawString() ?? [])
        case "refusal": return .text(try field.member("refusal")?.rawString() ?? [])
        case "image_url", "input_image": return try image(field)
        case "input_audio": return try audio(field)
        case "video_url": return try url(of: "video_url", in: field).map { .video($0) }
        case "file", "input_file": return try file(field)
        // An assistant's own thoughts, echoed: no upstream wants them back.
        case "thinking", "redacted_thinking", "reasoning": return nil
        default: throw type.invalid("is no part that is served here; send text, image_url, input_audio, video_url or file.")
        }
    }

    private static func image(_ field: RequestField) throws(APIError) -> ContentPart {
        guard let url = try url(of: "image_url", in: field), let place = field.member("image_url") else {
            throw field.invalid("has no 'image_url'.")
        }
        if url.starts(with: ("data:application/pdf" as StaticString).utf8) { return .document(url) }
        guard isImage(url) else {
            throw place.invalid("must be a data URI of a png, jpeg, webp or gif image in base64 (data:image/png;base64,...) or an http(s) URL.")
        }
        let detail = place.value.kind == .object ? place.value["detail"]?.string : field.value["detail"]?.string
        return .image(url, detail: detail)
    }

    /// `{url}`, or the bare string that some clients send.
    private static func url(of name: StaticString, in field: RequestField) throws(APIError) -> ArraySlice<UInt8>? {
        guard let place = field.member(name) else { return nil }
        if let url = place.value.rawString { return url }
        guard let url = try place.object().member("url") else { throw place.invalid("has no 'url'.") }
        return try url.rawString()
    }

    private static func isImage(_ url: ArraySlice<UInt8>) -> Bool {
        let start = String(decoding: url.prefix(32), as: UTF8.self).lowercased().replacing("\\/", with: "/")
        if start.hasPrefix("http://") || start.hasPrefix("https://") { return true }
        return ["png", "jpeg", "jpg", "webp", "gif"].contains { start.hasPrefix("data:image/\($0);base64,") }
    }

    private static func audio(_ field: RequestField) throws(APIError) -> ContentPart {
        guard let audio = field.member("input_audio"), let data = try audio.object().member("data") else {
            throw field.invalid("has no 'input_audio' with 'data'.")
        }
        let format = try audio.member("format")?.string() ?? "wav"
        guard format.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }) else {
            throw audio.invalid("has an unknown 'format'; send wav or mp3.")
        }
        return .audio(try data.rawString(), format: format)
    }

    private static func file(_ field: RequestField) throws(APIError) -> ContentPart {
        let file = field.member("file") ?? field
        guard let data = try file.object().member("file_data") else {
            throw field.invalid("has no 'file_data': files are taken as data URIs only, since there is no file store here.")
        }
        return .document(try data.rawString())
    }
}
