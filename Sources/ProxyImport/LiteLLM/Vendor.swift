/// Who stands before the slash of a LiteLLM model, and how the proxy can ask them.
struct Vendor: Sendable {
    enum Access: Sendable {
        /// An API like OpenAI's.
        case compatible(Compatible)
        /// None that the proxy speaks; the reason completes "… is left out: ".
        case foreign(String)
    }

    struct Compatible: Sendable {
        /// Where it is; nil for one that somebody runs themselves.
        var base: String?
        /// What LiteLLM's `api_base` lacks of the path of the API.
        var path = ""
        /// The variable that LiteLLM takes its key from; nil for those that ask for none.
        var key: String?
        /// The variable that LiteLLM takes its address from.
        var address: String?
        /// The APIs that it speaks besides.
        var dialects: [String] = []
    }

    /// As the provider is called.
    let label: String
    let access: Access

    /// - Returns: nil for a vendor that nobody here has heard of.
    static func named(_ name: String) -> Vendor? { table[name].map { Vendor(label: $0.label, access: $0.access) } }

    /// For a model without a vendor; LiteLLM knows the names of these.
    static func ofModel(_ model: String) -> String? {
        let starts = [
            ("gpt-", "openai"), ("chatgpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
            ("text-embedding-", "openai"), ("dall-e-", "openai"), ("whisper-", "openai"), ("tts-", "openai"),
            ("omni-moderation", "openai"), ("claude-", "anthropic"), ("command-", "cohere"), ("embed-", "cohere"),
            ("rerank-", "cohere"), ("gemini-", "vertex_ai"),
        ]
        return starts.first { model.hasPrefix($0.0) }?.1
    }

    private static let table: [String: (label: String, access: Access)] = {
        var table: [String: (label: String, access: Access)] = [:]
        for (name, base, key) in hosted {
            table[name] = (label(of: name), .compatible(Compatible(base: base, key: key)))
        }
        for (name, address, key, path) in ownServers {
            table[name] = (label(of: name), .compatible(Compatible(path: path, key: key, address: address)))
        }
        for (names, reason) in foreign {
            for name in names { table[name] = (label(of: name), .foreign(reason)) }
        }
        table["openai"] = (
            "openai",
            .compatible(
                Compatible(base: "https://api.openai.com/v1", key: "OPENAI_API_KEY", dialects: ["chat", "responses"]))
        )
        table["text-completion-openai"] = (
            "openai",
            .compatible(
                Compatible(
                    base: "https://api.openai.com/v1", key: "OPENAI_API_KEY",
                    dialects: ["chat", "responses", "completions"]))
        )
        table["ollama"] = (
            "ollama",
            .compatible(Compatible(base: "http://localhost:11434/v1", path: "/v1", address: "OLLAMA_API_BASE"))
        )
        table["ollama_chat"] = table["ollama"]
        return table
    }()

    private static func label(of name: String) -> String { labels[name] ?? name }

    /// Where LiteLLM has several names for one, or an odd one.
    private static let labels = [
        "azure_text": "azure", "cohere_chat": "cohere", "together_ai": "together", "fireworks_ai": "fireworks",
        "text-completion-codestral": "codestral", "hosted_vllm": "vllm", "openai_like": "custom",
        "custom_openai": "custom", "text_completion_openai": "openai",
    ]

    /// With an address that is known.
    private static let hosted: [(name: String, base: String, key: String)] = [
        ("ai21_chat", "https://api.ai21.com/studio/v1", "AI21_API_KEY"),
        ("aiml", "https://api.aimlapi.com/v1", "AIML_API_KEY"),
        ("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
        ("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        ("codestral", "https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY"),
        ("cohere", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"),
        ("cohere_chat", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"),
        ("dashscope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
        ("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        ("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        ("featherless_ai", "https://api.featherless.ai/v1", "FEATHERLESS_AI_API_KEY"),
        ("fireworks_ai", "https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
        ("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        ("huggingface", "https://router.huggingface.co/v1", "HUGGINGFACE_API_KEY"),
        ("hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
        ("jina_ai", "https://api.jina.ai/v1", "JINA_AI_API_KEY"),
        ("lambda_ai", "https://api.lambda.ai/v1", "LAMBDA_API_KEY"),
        ("meta_llama", "https://api.llama.com/compat/v1", "LLAMA_API_KEY"),
        ("minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
        ("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        ("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        ("nebius", "https://api.studio.nebius.ai/v1", "NEBIUS_API_KEY"),
        ("novita", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
        ("nvidia_nim", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
        ("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        ("perplexity", "https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
        ("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        ("text-completion-codestral", "https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY"),
        ("together_ai", "https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
        ("volcengine", "https://ark.cn-beijing.volces.com/api/v3", "VOLCENGINE_API_KEY"),
        ("voyage", "https://api.voyageai.com/v1", "VOYAGE_API_KEY"),
        ("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
        ("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
    ]

    /// With an address of their own, which the file or a variable has to say.
    private static let ownServers: [(name: String, address: String?, key: String?, path: String)] = [
        ("azure", "AZURE_API_BASE", "AZURE_API_KEY", "/openai/v1"),
        ("azure_text", "AZURE_API_BASE", "AZURE_API_KEY", "/openai/v1"),
        ("custom_openai", nil, nil, ""),
        ("databricks", "DATABRICKS_API_BASE", "DATABRICKS_API_KEY", ""),
        ("hosted_vllm", "HOSTED_VLLM_API_BASE", nil, ""),
        ("infinity", nil, nil, ""),
        ("litellm_proxy", "LITELLM_PROXY_API_BASE", "LITELLM_PROXY_API_KEY", ""),
        ("llamafile", "LLAMAFILE_API_BASE", nil, ""),
        ("lm_studio", "LM_STUDIO_API_BASE", nil, ""),
        ("openai_like", nil, nil, ""),
        ("xinference", "XINFERENCE_API_BASE", nil, ""),
    ]

    private static let foreign: [(names: [String], reason: String)] = [
        (
            ["bedrock", "bedrock_converse", "sagemaker", "sagemaker_chat"],
            "Amazon's API wants requests with an AWS signature, which the proxy does not make"
        ),
        (
            ["vertex_ai", "vertex_ai_beta", "palm"],
            "Google's Vertex AI has an API of its own and tokens that end within the hour; gemini/ with an API key works"
        ),
        (
            ["azure_ai"],
            "its endpoints differ by model; write the one that speaks OpenAI's API as openai/ with api_base"
        ),
        (
            ["watsonx", "watsonx_text"],
            "IBM's API wants tokens that are made anew every hour, which the proxy does not do"
        ),
        (["snowflake", "sap", "gigachat"], "its tokens end soon and are made by a way of their own"),
        (["github_copilot", "chatgpt"], "it wants a person to sign in, and not a key"),
        (
            ["github"],
            "the address of its API depends on the names of its models; write it as openai/ with api_base"
        ),
        (
            ["cloudflare"],
            "its address holds the number of an account; write it as openai/ with api_base https://api.cloudflare.com/client/v4/accounts/NUMBER/ai/v1"
        ),
        (
            [
                "ai21", "aleph_alpha", "assemblyai", "baseten", "bytez", "clarifai", "deepgram", "elevenlabs", "fal_ai",
                "langgraph", "maritalk", "nlp_cloud", "oobabooga", "petals", "predibase", "recraft", "replicate",
                "runwayml", "stability", "topaz", "triton", "vllm",
            ], "it has an API of its own, which the proxy does not speak"
        ),
    ]
}
