import Testing

@testable import Proxy
@testable import ProxyRouting

/// How upstreams say that a prompt is too long for a model, as they were seen, and the limit that each names.
@Suite struct OverlongPromptTests {
    private static let words: [(vendor: String, message: String, limit: String)] = [
        ("llama.cpp", "the request exceeds the available context size, try increasing it", "exceeded"),
        (
            "llama.cpp", "request (11000 tokens) exceeds the available context size (8192 tokens), try increasing it",
            "8192 tokens"
        ),
        (
            "Moonshot", "Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)",
            "131072 tokens"
        ),
        (
            "DashScope", "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
            "129024 tokens"
        ),
        (
            "vLLM, OCI's Llama",
            "The decoder prompt (length 9000) is longer than the maximum model length of 8192. Make sure that `max_model_len` is no smaller.",
            "8192 tokens"
        ),
        (
            "vLLM", "The prompt (total length 33000) is too long to fit into the model (context length 32768).",
            "32768 tokens"
        ),
        ("Zhipu", "Prompt exceeds max length", "exceeded"),
        ("SGLang", "The input (9000 tokens) is longer than the model's context length (8192 tokens).", "8192 tokens"),
        (
            "SGLang",
            "Requested token count exceeds the model's maximum context length of 32768 tokens. You requested a total of 40000 tokens.",
            "32768 tokens"
        ),
        ("SiliconFlow", "length of prompt_tokens (40000) must be less than max_seq_len (32768).", "32768 tokens"),
        (
            "TGI",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
            "4096 tokens"
        ),
        ("TGI", "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000", "exceeded"),
        ("GitHub Models", "Request body too large for gpt-4o model. Max size: 8000 tokens.", "8000 tokens"),
        (
            "LM Studio", "The number of tokens to keep from the initial prompt is greater than the context length",
            "exceeded"
        ),
        (
            "LM Studio",
            "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
            "4096 tokens"
        ),
        ("Volcengine", "Total tokens of image and text exceed max message tokens. Request id: 0217", "exceeded"),
        ("Ollama", "the input length exceeds the context length", "exceeded"),
        ("Ollama", "prompt too long; exceeded max context length by 300 tokens", "exceeded"),
        ("Groq", "Please reduce the length of the messages or completion.", "exceeded"),
        ("MiniMax", "invalid params, context window exceeds limit", "exceeded"),
        (
            "Mistral",
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "32768 tokens"
        ),
        (
            "Azure",
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
            "272000 tokens"
        ),
        (
            "watsonx",
            "Invalid input argument for Model 'm': the number of input tokens 4098 cannot exceed the total tokens limit 4096 for this model",
            "4096 tokens"
        ),
        ("Fireworks", "The prompt is too long: 200000, model maximum context length: 131071", "131071 tokens"),
        ("Copilot", "prompt token count of 70000 exceeds the limit of 64000", "64000 tokens"),
        ("Bedrock", "Input is too long for requested model.", "exceeded"),
        ("LiteLLM", "litellm.ContextWindowExceededError: no", "exceeded"),
        ("OpenAI", "Your input exceeds the context window of this model.", "exceeded"),
        ("gateways", "Too many input tokens. Max input tokens: 128000, request input token count: 140000", "exceeded"),
        // NousResearch/hermes-agent#89504, openclaw/openclaw#64196, earendil-works/pi#5929, abetlen/llama-cpp-python#416, AIAnytime/ChatCSV-Llama2-Chatbot#2.
        (
            "llama.cpp", "request (66202 tokens) exceeds the available context size (65536 tokens), try increasing it",
            "65536 tokens"
        ),
        (
            "vLLM",
            "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and your prompt contains at least 262145 input tokens.",
            "262144 tokens"
        ),
        ("llama-cpp-python", "Requested tokens (643) exceed context window of 512", "exceeded"),
        ("CTransformers", "Number of tokens (757) exceeded maximum context length (512).", "512 tokens"),
        (
            "Together", "The input (265330 tokens) is longer than the model's context length (262144 tokens).",
            "262144 tokens"
        ),
        (
            "OpenRouter", "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
            "131040 tokens"
        ),
        (
            "xAI", "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
            "131072 tokens"
        ),
        ("DS4", "Prompt has 256468 tokens, but the configured context size is 256000 tokens", "256000 tokens"),
        ("TabbyAPI", "Prompt length 9000 is greater than max_seq_len 8192", "8192 tokens"),
    ]

    @Test(arguments: words)
    func `Words are recognised`(form: (vendor: String, message: String, limit: String)) {
        let body = Array(openAI(form.message).utf8)
        for status in [400, 413, 422, 500] {
            for error in [
                ProviderErrorReader.translate(status: status, retryAfter: nil, body: body, upstream: "acme"),
                OCIErrorReader.translate(status: status, retryAfter: nil, body: body, account: "a"),
                ProviderErrorReader.translate(document: try? JSONDocument(parsing: body).root, upstream: "acme"),
            ] {
                #expect(
                    error.status == 400 && error.code == "context_length_exceeded" && error.about == .promptTooLong,
                    "\(status)")
                #expect(
                    error.message.hasPrefix("This model's maximum context length is ")
                        || error.message.contains(form.message))
                if error.message.hasPrefix("This model's") {
                    #expect(
                        error.message.hasPrefix("This model's maximum context length is \(form.limit)"),
                        "\(error.message)")
                }
            }
        }
    }

    @Test(arguments: [
        #"{"error":{"code":400,"message":"no","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}}"#,
        #"{"error":{"code":"1261","message":"?"}}"#,
        #"{"error":{"code":"tokens_limit_reached","message":"?"}}"#,
        #"{"error":{"code":"context_length_exceeded","message":"?"}}"#,
        #"{"error":{"code":"model_max_prompt_tokens_exceeded","message":"?"}}"#,
        #"{"errors":[{"code":"token_quantity_exceeded","message":"?"}]}"#,
    ])
    func `Codes are recognised`(body: String) {
        for status in [400, 413] {
            let error = ProviderErrorReader.translate(
                status: status, retryAfter: nil, body: Array(body.utf8), upstream: "acme")
            #expect(error.code == "context_length_exceeded" && error.about == .promptTooLong)
        }
    }

    /// What sounds like one and is a rate, a field, or a size in bytes.
    @Test(arguments: [
        ("Too many tokens, please wait before trying again.", 429), ("Too many tokens per day", 429),
        ("Rate limit reached: too many tokens per minute", 429),
        ("max_tokens must be at least 1", 400), ("The request is larger than 4 MB", 400),
        ("'prompt is too long' is not a valid value of 'suffix'", 400),
        // aaif-goose/goose#9831 has those that were once taken for one.
        ("max_tokens must be less than or equal to 4096", 400),
        ("Requested max_tokens exceeds the model output limit", 400),
        ("temperature exceeds maximum allowed value", 400),
        ("schema is too long", 400), ("string too long. Expected a string with maximum length 64", 400),
        ("temperature exceeds the maximum", 400),
    ])
    func `Others are not`(message: String, status: Int) {
        let error = ProviderErrorReader.translate(
            status: 400, retryAfter: nil, body: Array(openAI(message).utf8), upstream: "acme")
        #expect(error.status == status && error.code != "context_length_exceeded")
    }

    @Test func `A rate is no overflow whatever its status`() {
        for status in [413, 429] {
            let error = ProviderErrorReader.translate(
                status: status, retryAfter: nil, body: Array(openAI("too many tokens per minute").utf8),
                upstream: "acme")
            #expect(error.about != .promptTooLong)
        }
    }
}
