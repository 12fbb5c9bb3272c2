/// What is known of one call of an upstream when it has ended. What was said in it is none of it.
package struct AttemptFacts: Hashable, Sendable {
    package enum Outcome: String, Hashable, Sendable {
        case succeeded, failed
        /// It was given up although nothing was wrong with it: the client left, or another attempt was faster.
        case abandoned
    }

    /// Its span's, which the provider may have been told.
    package var spanID: SpanID
    /// From 1.
    package var number: Int
    package var operation: GenAIOperation
    /// `gen_ai.provider.name`: `oci.generative_ai`, or the vendor's.
    package var provider: String
    /// The name of the upstream in the configuration.
    package var upstream: String?
    /// Of Oracle's: which account and region it is.
    package var account: String?
    package var region: String?
    /// Oracle's name for the call.
    package var opcRequestID: String?
    package var serverAddress: String?
    package var serverPort: Int?
    /// As the upstream is asked for it.
    package var requestModel: String?
    package var responseModel: String?
    package var responseID: String?
    /// One of each choice: `stop`, `length`, `tool_calls`.
    package var finishReasons: [String] = []
    package var stream: Bool?
    package var parameters = Parameters()
    /// Tokens. Those of the prompt have the cached ones in them, those of the completion the reasoning.
    package var promptTokens: Int?
    package var completionTokens: Int?
    package var cachedTokens: Int?
    package var reasoningTokens: Int?
    /// From the start on, of an answer in pieces.
    package var timeToFirstChunk: Duration?
    /// How long it waited for this upstream.
    package var waited: Duration?
    /// It goes on with an answer that another one broke off.
    package var isRescue = false
    package var outcome: Outcome
    /// Of the upstream's answer; nil when there was none.
    package var status: Int?
    /// A class of error; of one that failed, nil stands for its status.
    package var errorType: String?
    /// Nanoseconds since 1970.
    package var start: UInt64
    /// The same.
    package var end: UInt64

    package init(
        spanID: SpanID, number: Int, operation: GenAIOperation, provider: String, outcome: Outcome, start: UInt64,
        end: UInt64
    ) {
        self.spanID = spanID
        self.number = number
        self.operation = operation
        self.provider = provider
        self.outcome = outcome
        self.start = start
        self.end = end
    }

    /// What the request asks for besides, where the conventions have a name for it.
    package struct Parameters: Hashable, Sendable {
        package var maxTokens: Int?
        package var temperature: Double?
        package var topP: Double?
        package var topK: Int?
        package var frequencyPenalty: Double?
        package var presencePenalty: Double?
        package var seed: Int?
        package var choices: Int?
        /// `low`, `medium`, `high`.
        package var reasoningLevel: String?
        /// `text`, `json`, `image`, `speech`.
        package var outputType: String?
        /// Of embeddings.
        package var dimensions: Int?

        package init() {}
    }
}
