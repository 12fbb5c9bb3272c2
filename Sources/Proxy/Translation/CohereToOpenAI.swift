/// A whole COHERE answer (ChatResult), translated. Citations, documents and the repeated history are not passed on: the
/// OpenAI form has no place for them.
enum CohereToOpenAI {
    /// - Throws: `APIError` 502 when the document is no answer, tells of a failure, or says nothing.
    static func translate(_ body: [UInt8], names: CohereToolNames, in envelope: ChunkEnvelope, rules: AnswerRules = AnswerRules()) throws(APIError) -> OpenAIAnswer {
        let response = try chatResponse(body)
        var answer = CohereAnswer()
        answer.texts = response["text"]?.rawString.map { [$0] } ?? []
        answer.calls = response.elements(of: "toolCalls").filter { CohereFields.isCall($0, function: nil) }.map { call in
            CohereAnswer.Call(
                id: nil, name: names.client(call["name"]?.rawString ?? []), arguments: CohereFields.arguments(of: call))
        }
        if rules.hasOneCall { answer.calls = Array(answer.calls.prefix(1)) }
        return try answer.openAI(ending: response, in: envelope)
    }

    static func chatResponse(_ body: [UInt8]) throws(APIError) -> JSONValue {
        try CohereFields.chatResponse(body, with: ["text", "toolCalls", "finishReason"])
    }
}
