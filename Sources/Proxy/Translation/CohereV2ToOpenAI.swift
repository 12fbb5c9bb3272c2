/// A whole COHEREV2 answer (ChatResult), translated. Thinking and tool plans become reasoning.
enum CohereV2ToOpenAI {
    /// - Throws: `APIError` 502 when the document is no answer, tells of a failure, or says nothing.
    static func translate(_ body: [UInt8], in envelope: ChunkEnvelope, rules: AnswerRules = AnswerRules()) throws(APIError) -> OpenAIAnswer {
        let response = try chatResponse(body)
        let message = response["message"]
        let parts = message?.elements(of: "content") ?? []
        var answer = CohereAnswer()
        answer.texts = parts.compactMap { $0["text"]?.rawString }
        answer.reasoning = parts.compactMap { $0["thinking"]?.rawString.flatMap { $0.isEmpty ? nil : $0 } }
        if let plan = message?["toolPlan"]?.rawString, !plan.isEmpty {
            // A plan begins a line of its own.
            answer.reasoning += answer.reasoning.isEmpty ? [plan] : [CohereFields.newline, plan]
        }
        answer.logprobs = CohereFields.logprobs(response["logProbabilities"])
        for entry in message?.elements(of: "toolCalls") ?? [] {
            let function = entry.present("function")
            guard CohereFields.isCall(entry, function: function) else { continue }
            let arguments = GenericFields.arguments(of: function ?? entry)
            answer.calls.append(
                CohereAnswer.Call(
                    id: entry["id"]?.rawString.flatMap { $0.isEmpty ? nil : $0 }, name: (function ?? entry)["name"]?.rawString ?? [],
                    arguments: arguments.isEmpty ? Array("{}".utf8)[...] : arguments))
        }
        if rules.hasOneCall { answer.calls = Array(answer.calls.prefix(1)) }
        return try answer.openAI(ending: response, in: envelope)
    }

    static func chatResponse(_ body: [UInt8]) throws(APIError) -> JSONValue {
        try CohereFields.chatResponse(body, with: ["message", "finishReason"])
    }
}
