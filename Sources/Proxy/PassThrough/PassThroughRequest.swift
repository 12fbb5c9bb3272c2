/// A chat request for an upstream that speaks the OpenAI API itself: read as far as routing needs it, and otherwise left as
/// it came. What is right in it, the upstream knows best.
struct PassThroughRequest: Sendable {
    /// The name that the client sent; the last one when there are several.
    let model: String
    let isStreaming: Bool
    /// `stream_options.include_usage`.
    let includesUsage: Bool

    /// The body.
    let received: [UInt8]
    /// Where the values of `model` stand.
    private let models: [Range<Int>]

    /// - Throws: `APIError` 400 when the body is no JSON object (with line and column where the text is no JSON), when
    ///   `model` is missing or no string, and when `stream` is neither true nor false: the answer's form depends on it.
    init(body: [UInt8]) throws(APIError) { try self.init(RequestField(body: body), of: body) }

    /// The same for a body that has been parsed already.
    init(_ root: RequestField, of body: [UInt8]) throws(APIError) {
        model = try root.model()
        isStreaming = try root.member("stream")?.bool() ?? false
        includesUsage = root.member("stream_options")?.value["include_usage"]?.bool ?? false
        received = body
        models = root.value.members.compactMap { $0.key.equals("model") ? $0.value.raw.indices : nil }
    }

    /// The body for an upstream that calls the model `name`: every byte as it came, but for the values of `model`.
    func body(model name: String) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(received.count + name.utf8.count + 2)
        ModelMember.append(received[...], replacing: models, with: ModelMember.quoted(name), to: &body)
        return body
    }
}
