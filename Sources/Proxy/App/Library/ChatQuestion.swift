/// A chat as it is asked: the JSON body of `POST /v1/chat/completions`.
public struct ChatQuestion: Sendable {
    /// What somebody has said before the answer.
    public struct Message: Sendable, Equatable {
        /// `system`, `user` or `assistant`.
        public var role: String
        public var text: String

        public init(role: String, text: String) {
            self.role = role
            self.text = text
        }

        public static func system(_ text: String) -> Message { Message(role: "system", text: text) }
        public static func user(_ text: String) -> Message { Message(role: "user", text: text) }
        public static func assistant(_ text: String) -> Message { Message(role: "assistant", text: text) }
    }

    /// A JSON document, with all that the API knows: tools, images, `temperature`. With `"stream": true` the events come as the model says
    /// them, else all at the end.
    public var body: [UInt8]

    /// - Parameter body: as it would be sent to `/v1/chat/completions`. It is read when the chat is asked.
    public init(body: [UInt8]) { self.body = body }

    /// The same as a text.
    public init(json: String) { body = Array(json.utf8) }

    /// A streamed chat with token counts at its end.
    ///
    /// - Parameters:
    ///   - model: a name that `GET /v1/models` lists.
    ///   - messages: the one that is to be answered is the last.
    public init(model: String, messages: [Message]) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("model")
        writer.string(model)
        writer.key("stream")
        writer.bool(true)
        writer.key("stream_options")
        writer.beginObject()
        writer.key("include_usage")
        writer.bool(true)
        writer.endObject()
        writer.key("messages")
        writer.beginArray()
        for message in messages {
            writer.beginObject()
            writer.key("role")
            writer.string(message.role)
            writer.key("content")
            writer.string(message.text)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        body = writer.bytes
    }
}
