/// A whole answer of either Cohere dialect told as a stream, for clients that asked for one while the upstream is called
/// without (`force_non_stream`).
enum CohereAnswerAsStream {
    /// The events of the whole stream, `[DONE]` included, and the token counts. A whole answer has the form of a stream's last
    /// event, so that both ways obey one set of rules.
    ///
    /// - Parameter response: the `chatResponse` of a ChatResult, with at least one member.
    /// - Throws: `APIError` 502 when the answer tells of a failure, or says nothing.
    static func frames(of response: JSONValue, through stream: some AnswerStream) throws(APIError) -> (frames: [UInt8], usage: TokenUsage?) {
        var stream = stream
        var frames: [UInt8] = []
        frames.reserveCapacity(response.raw.count * 2)
        var event = Array(response.raw)
        if CohereFields.finishReason(of: response) == nil {
            // An empty reason says as little as none; of two members the last counts.
            event.removeLast()
            event.append(literal: #","finishReason":"COMPLETE"}"#)
        }
        if case .failed(let error) = stream.translate(event[...], into: &frames) { throw error }
        if let error = stream.end(into: &frames) { throw error }
        return (frames, stream.usage)
    }
}
