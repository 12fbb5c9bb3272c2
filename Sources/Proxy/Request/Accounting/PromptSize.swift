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
            guard let value = request[name], value.raw.count > Media.least else { continue }
            for message in value.elements where message.raw.count > Media.least { media.look(into: message) }
        }
        if let prompt = request["prompt"] { media.look(atTokensIn: prompt) }
        return tokens(bytes: request.raw.count - media.bytes) + media.tokens
    }

    /// The same of what is embedded or ranked, where a text may be a picture.
    static func tokens(ofTextsIn request: JSONValue) -> Int64 {
        var media = Media()
        if let input = request["input"] {
            media.look(atText: input)
            media.look(atTokensIn: input)
            for element in input.elements { media.look(atText: element) }
        }
        return tokens(bytes: request.raw.count - media.bytes) + media.tokens
    }

    /// The same of what asks for pictures or sound, or is to be judged: any of its texts may be a picture.
    static func tokens(ofForwarded request: JSONValue) -> Int64 {
        var media = Media()
        media.look(atTextsIn: request)
        return tokens(bytes: request.raw.count - media.bytes) + media.tokens
    }

    /// The same of a file of sound.
    static func tokens(ofSound bytes: Int) -> Int64 { Int64(max(bytes, 0) / bytesOfSound + 1) }

    /// The same of texts by themselves, as they stand between the quotes of JSON strings.
    static func tokens(ofTexts texts: some Sequence<ArraySlice<UInt8>>) -> Int64 {
        var sum: Int64 = 0
        for text in texts { sum += Media.isPicture(text) ? Int64(image) : tokens(bytes: text.count) }
        return sum
    }

    private static func tokens(bytes: Int) -> Int64 { Int64((max(bytes, 0) + 3) / 4) }

    // MARK: Characters

    /// Unicode scalars that a chat sends to its model: the texts of its messages, names and arguments of calls in them, and the lists of tools and the schema of the answer as they are written.
    ///
    /// The proxy's own count, of the request as it came: what is put around it for an upstream is not in it.
    static func characters(ofChat request: JSONValue) -> Int64 {
        var sum = 0
        for message in request["messages"].map({ Array($0.elements) }) ?? [] {
            if let content = message["content"] { sum += characters(ofContent: content) }
            for call in message.elements(of: "tool_calls") {
                for name in ["name", "arguments"] as [StaticString] {
                    if let text = call["function"]?[name]?.rawString {
                        sum += TextMeter.characters(ofEscaped: text.span)
                    }
                }
            }
        }
        for name in ["tools", "functions", "response_format"] as [StaticString] {
            if let written = request.present(name) { sum += TextMeter.characters(ofWritten: written.raw.span) }
        }
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
        if let text = content.rawString { return TextMeter.characters(ofEscaped: text.span) }
        var sum = 0
        for part in content.elements {
            if let text = (part["text"] ?? part).rawString { sum += TextMeter.characters(ofEscaped: text.span) }
        }
        return sum
    }

    /// Of what is embedded or ranked. A picture is no text.
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

        /// Looks at the parts of a message, of a tool's result in one, or of an item. Its other members are text, whatever they say.
        mutating func look(into message: JSONValue) {
            guard message.kind == .object else { return }
            for name in ["content", "output"] as [StaticString] {
                guard let parts = message[name] else { continue }
                // Nearly all messages are a text and nothing else.
                guard parts.kind != .string else { break }
                guard parts.raw.count > Self.least else { continue }
                for part in parts.elements where part.raw.count > Self.least {
                    guard part.kind == .object else { continue }
                    if let kind = Self.kind(of: part) { take(part, kind) } else { look(into: part) }
                }
            }
        }

        mutating func look(atText value: JSONValue) {
            guard let text = value.rawString, Self.isPicture(text) else { return }
            bytes += value.raw.count
            tokens += Int64(image)
        }

        /// The numbers of a list, or of its lists, are tokens: one each, however few digits it has.
        mutating func look(atTokensIn value: JSONValue) {
            switch value.elements.first(where: { _ in true })?.kind {
            case .number:
                bytes += value.raw.count
                tokens += value.elements.reduce(0) { sum, _ in sum + 1 }
            case .array:
                for list in value.elements where list.elements.first(where: { _ in true })?.kind == .number {
                    look(atTokensIn: list)
                }
            case .object, .string, .true, .false, .null, nil: break
            }
        }

        /// Wherever they stand. What has nothing but Base64 is a picture, whether it says so or not.
        mutating func look(atTextsIn value: JSONValue) {
            switch value.kind {
            case .string:
                guard let text = value.rawString, text.count > Self.longestWord,
                    Self.isPicture(text) || Self.isBase64(text)
                else { return }
                bytes += value.raw.count
                tokens += Int64(image)
            case .array: for element in value.elements { look(atTextsIn: element) }
            case .object: for (_, member) in value.members { look(atTextsIn: member) }
            case .number, .true, .false, .null: break
            }
        }

        /// Bytes that a text without a space has at most.
        private static let longestWord = 256

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

        /// What of a part is no text: a URL, or the content in Base64. What stands beside it is read as text.
        private static func content(of part: JSONValue) -> JSONValue? {
            for name in ["image_url", "video_url", "input_audio", "audio", "source", "file"] as [StaticString] {
                guard let value = part[name] else { continue }
                if value.kind == .string { return value }
                for name in ["url", "data", "file_data"] as [StaticString] {
                    if let content = value[name], content.kind == .string { return content }
                }
            }
            for name in ["file_data", "data", "image", "video"] as [StaticString] {
                if let content = part[name], content.kind == .string { return content }
            }
            return nil
        }

        private mutating func take(_ part: JSONValue, _ kind: Kind) {
            let size = Self.content(of: part)?.raw.count ?? 0
            bytes += size
            // Base64 has four bytes for three.
            let decoded = size / 4 * 3
            switch kind {
            case .image: tokens += Int64(image)
            case .file: tokens += Int64(max(leastFile, decoded / bytesOfFile))
            case .sound: tokens += Int64(decoded / bytesOfSound + 1)
            }
        }

        /// A text that is a picture, where pictures are embedded: nothing but Base64 behind its head.
        static func isPicture(_ text: ArraySlice<UInt8>) -> Bool {
            guard text.count > 256, text.starts(with: ("data:image/" as StaticString).utf8),
                let comma = text.prefix(64).firstIndex(of: UInt8(ascii: ",")),
                text[..<comma].suffix(7).elementsEqual((";base64" as StaticString).utf8)
            else { return false }
            return isBase64(text[(comma + 1)...])
        }

        private static func isBase64(_ text: ArraySlice<UInt8>) -> Bool {
            text.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="),
                    UInt8(ascii: "\\"):
                    true
                default: false
                }
            }
        }
    }
}
