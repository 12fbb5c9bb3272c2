import ProxyRouting

/// An OpenAI chat request as OCI's ChatDetails with a COHERE chat request (OCI wire notes, 3.4 and 5.5).
///
/// What only tunes the answer and is not taken is left out or brought into range, as for GENERIC.
enum CohereRequestWriter {
    /// - Parameter names: made from the tools of the same chat.
    /// - Throws: `Failure` 400 that names the parameter, for what the client cannot do without and COHERE does not have.
    static func translate(_ chat: ChatRequest, names: CohereToolNames, for target: ChatTarget) throws(Failure)
        -> CallDetails
    {
        let family = target.family
        return try CallDetails(for: target, in: .cohere) { writer throws(Failure) in
            guard chat.tuning.topLogprobs == nil else {
                throw .invalidRequest(
                    "'logprobs' is true, but this model does not return log probabilities; remove it, or choose another model.",
                    field: "logprobs",
                    as: .unsupportedParameter)
            }
            try CohereMessages.write(chat.messages, names: names, to: &writer)
            try CohereTuning.write(chat, for: target, family: family, to: &writer)
            switch chat.toolChoice {
            case nil, .auto: CohereTools.write(chat.tools, names: names, to: &writer)
            // There is no such choice: a model without tools calls none.
            case .some(.none): break
            case .required, .function:
                throw .invalidRequest(
                    "'tool_choice' requires a tool call, which this model does not support; send \"auto\" or \"none\", or choose another model.",
                    field: "tool_choice", as: .unsupportedParameter)
            }
        }
    }
}
