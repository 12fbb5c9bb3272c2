/// How much a model reads of a request, as far as that can be told before its call.
///
/// The request has been parsed. A message is looked through for pictures and files, nothing else of it is; what has a few bytes cannot hold any.
enum PromptSize {
    /// Tokens of a picture, however many bytes it has: vendors count 85 to 1,600 for one.
    static let image = 1500
    /// A file has no fewer.
    private static let leastFile = 1500
    /// Bytes of a file for each token: a page of a document has some 30,000 bytes and 2,000 tokens.
    private static let bytesOfFile = 16
    /// The same of sound and moving pictures: a second has some 16,000 bytes and 32 tokens.
    private static let bytesOfSound = 500

    /// What a request says to its model, in tokens: one for each four bytes of it, but of pictures and files what models take them for.
    static func tokens(of request: JSONValue) -> Int64 {
        var media = Media()
        for name in ["messages", "input"] as [StaticString] {
            if let value = request[name], value.raw.count > Media.least { media.look(at: value) }
        }
        return tokens(bytes: request.raw.count - media.bytes) + media.tokens
    }

    /// The same of texts by themselves, as they stand between the quotes of JSON strings.
    static func tokens(ofTexts texts: some Sequence<ArraySlice<UInt8>>) -> Int64 {
        var sum: Int64 = 0
        for text in texts { sum += Media.isPicture(text) ? Int64(image) : tokens(bytes: text.count) }
        return sum
    }

    private static func tokens(bytes: Int) -> Int64 { Int64((max(bytes, 0) + 3) / 4) }

    // MARK: Characters

    /// Unicode scalars that a chat sends to its model: the texts of its messages, names and arguments of calls in them, and the list of tools as it is written.
    ///
    /// The proxy's own count, of the request as it came: what is put around it for an upstream is not in it.
    static func characters(ofChat request: JSONValue) -> Int64 {
        var sum = 0
        for message in request["messages"].map({ Array($0.elements) }) ?? [] {
            if let content = message["content"] { sum += characters(ofContent: content) }
            for call in message.elements(of: "tool_calls") {
                for name in ["name", "arguments"] as [StaticString] {
                    if let text = call["function"]?[name]?.rawString { sum += characters(text) }
                }
            }
        }
        if let tools = request.present("tools") { sum += TextMeter.characters(ofWritten: tools.raw.span) }
        return Int64(sum)
    }

    /// Those of what is embedded or ranked.
    static func characters(ofTexts request: JSONValue) -> Int64 {
        var sum = 0
        for name in ["input", "query", "documents"] as [StaticString] {
            guard let value = request[name] else { continue }
            if let text = value.rawString { sum += characters(text) }
            for element in value.elements {
                if let text = (element["text"] ?? element).rawString { sum += characters(text) }
            }
        }
        return Int64(sum)
    }

    static func characters(ofTexts texts: some Sequence<ArraySlice<UInt8>>) -> Int64 {
        Int64(texts.reduce(0) { $0 + characters($1) })
    }

    private static func characters(ofContent content: JSONValue) -> Int {
        if let text = content.rawString { return characters(text) }
        var sum = 0
        for part in content.elements {
            if let text = (part["text"] ?? part).rawString { sum += characters(text) }
        }
        return sum
    }

    /// A picture is no text.
    private static func characters(_ text: ArraySlice<UInt8>) -> Int {
        Media.isPicture(text) ? 0 : TextMeter.characters(ofEscaped: text.span)
    }

    // MARK: Pictures and files

    /// Those of a request.
    private struct Media {
        /// Less than that has no part of another type than text.
        static let least = 24
        /// What they take of the request as it is written.
        var bytes = 0
        var tokens: Int64 = 0

        private enum Kind { case image, file, sound }

        mutating func look(at value: JSONValue) {
            switch value.kind {
            case .object:
                if let kind = Self.kind(of: value) { return take(value, kind) }
                for (_, member) in value.members where member.raw.count > Self.least { look(at: member) }
            case .array: for element in value.elements where element.raw.count > Self.least { look(at: element) }
            case .string: if let text = value.rawString, Self.isPicture(text) { take(value, .image) }
            case .number, .true, .false, .null: break
            }
        }

        /// Of a part of a message, in any of the languages.
        private static func kind(of part: JSONValue) -> Kind? {
            guard let type = part["type"], type.kind == .string else { return nil }
            for name in ["image_url", "input_image", "image"] as [StaticString] where type.equals(name) {
                return .image
            }
            for name in ["input_audio", "audio", "video_url", "input_video", "video"] as [StaticString]
            where type.equals(name) {
                return .sound
            }
            for name in ["file", "input_file"] as [StaticString] where type.equals(name) { return .file }
            // A document may be a text.
            return type.equals("document") && part["source"]?["type"]?.equals("base64") == true ? .file : nil
        }

        private mutating func take(_ value: JSONValue, _ kind: Kind) {
            let size = value.raw.count
            bytes += size
            // Base64 has four bytes for three.
            let decoded = size / 4 * 3
            switch kind {
            case .image: tokens += Int64(image)
            case .file: tokens += Int64(max(leastFile, decoded / bytesOfFile))
            case .sound: tokens += Int64(decoded / bytesOfSound + 1)
            }
        }

        /// A text that is a picture, where pictures are embedded. Text of people's is never so long without a space.
        static func isPicture(_ text: ArraySlice<UInt8>) -> Bool {
            text.count > 256 && text.starts(with: ("data:" as StaticString).utf8)
                && !text.prefix(256).contains(UInt8(ascii: " "))
        }
    }
}
