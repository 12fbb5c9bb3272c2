/// What upstreams say when they refuse, by what it speaks of: each row is one vendor's code, or words that its messages have.
///
/// Rows are in lower case, with one blank between words, no colon behind one, `'` for every apostrophe, and without what stands in quotes.
/// `*` stands for the name of a model: one or two words with something other than letters in them, or anything in quotes. Words begin
/// where a word of the message begins, and may end inside one.
enum RefusalWords {
    /// What a refusal may speak of. Of several, the first counts: what stands above is said in longer and more exact words than what stands
    /// below. That a request is refused for its content harms nobody else, so it comes after all that others should know.
    enum Subject: Int, CaseIterable {
        /// The key is wrong.
        case key
        /// The model cannot do what the request needs.
        case ability
        /// The model is not for this region, tier or organization.
        case permission
        /// The model is gone, or was never there.
        case model
        /// A rate, in words that others have for an empty purse.
        case rate
        /// Credit, quota or good standing.
        case account
        /// Too many requests.
        case throttle
        /// Its content.
        case content
        /// The prompt is longer than the model takes.
        case length
    }

    /// Codes, types and states, whole.
    static let codes: [(subject: Subject, rows: KeyValuePairs<String, String>)] = [
        (
            .key,
            [
                "invalid_api_key": "OpenAI, Groq, DashScope", "invalidapikey": "DashScope", "api_key_invalid": "Google",
                "invalid_authentication_error": "Moonshot",
                "wrong_api_key": "Cerebras", "notauthenticated": "OCI",
            ]
        ),
        (
            .permission,
            [
                "unsupported_country_region_territory": "OpenAI", "regionerror": "OpenCode",
                "model_not_supported": "Copilot, Hugging Face",
                "model.accessdenied": "DashScope", "accessdenied.unpurchased": "DashScope",
                "allocationquota.freetieronly": "DashScope", "modelnotopen": "Volcengine",
                "invalidendpointormodel.modelidaccessdisabled": "Volcengine", "model_terms_required": "Groq",
                "model_permission_blocked_org": "Groq",
                "model_permission_blocked_project": "Groq", "model_access_denied": "gateways",
                "key_model_access_denied": "LiteLLM", "team_model_access_denied": "LiteLLM",
                "1311": "Zhipu",
            ]
        ),
        (
            .model,
            [
                "model_not_found": "OpenAI, xAI, Cerebras", "model_decommissioned": "Groq",
                "model_deprecated": "gateways", "model_archived": "Cerebras",
                "model_retired": "gateways", "invalid_model": "Mistral, Perplexity, Qianfan",
                "model_not_available": "Together", "unknown_model": "GitHub Models",
                "unavailable_model": "GitHub Models", "unsupported_model": "gateways", "modelnotfound": "DashScope",
                "model_not_exist": "gateways",
                "invalidendpointormodel.notfound": "Volcengine", "deploymentnotfound": "Azure",
                "modelarts.81009": "Huawei", "20012": "SiliconFlow", "30003": "SiliconFlow",
                "1211": "Zhipu",
            ]
        ),
        (
            .account,
            [
                "insufficient_quota": "OpenAI", "insufficient_balance": "DeepSeek",
                "insufficient_credits": "aggregators", "insufficient_funds": "aggregators",
                "insufficient_user_quota": "one-api", "pre_consume_token_quota_failed": "one-api",
                "billing_not_active": "OpenAI", "billing_hard_limit_reached": "OpenAI",
                "account_deactivated": "OpenAI", "account_suspended": "aggregators", "billing_error": "Anthropic",
                "payment_required": "Cerebras", "arrearage": "DashScope",
                "accountoverdueerror": "Volcengine", "organization_restricted": "Groq",
                "exceeded_current_quota_error": "Moonshot", "creditserror": "OpenCode",
                "usage_limit_reached": "ChatGPT plans", "budget_exceeded": "LiteLLM",
                "personal-team-blocked:spending-limit": "xAI", "modelarts.81005": "Huawei",
                "1112": "Zhipu", "1113": "Zhipu", "1121": "Zhipu", "30001": "SiliconFlow", "30011": "SiliconFlow",
                "1008": "MiniMax",
            ]
        ),
        (
            .throttle,
            [
                "rate_limit_exceeded": "OpenAI", "rate_limit_error": "Anthropic",
                "rate_limit_reached_error": "Moonshot", "rate_limited": "Mistral",
                "too_many_requests": "gateways", "toomanyrequests": "OCI", "throttling": "DashScope",
                "throttling.ratequota": "DashScope",
                "throttling.allocationquota": "DashScope", "throttling.burstrate": "DashScope",
                "limit_requests": "DashScope", "limit_burst_rate": "DashScope",
                "throttling_exception": "Bedrock", "throttlingexception": "Bedrock", "ratelimitexceeded": "Google",
                "quotaexceeded": "OCI, Google", "limitexceeded": "OCI",
                "freeusagelimiterror": "OpenCode", "tokens_exceeded": "gateways", "1302": "Zhipu", "1303": "Zhipu",
                "1305": "Zhipu",
            ]
        ),
        (
            .content,
            [
                "content_filter": "Azure, Moonshot", "content_policy_violation": "OpenAI",
                "responsibleaipolicyviolation": "Azure", "moderation_blocked": "OpenAI",
                "invalid_prompt": "OpenAI", "data_inspection_failed": "DashScope", "datainspectionfailed": "DashScope",
                "sensitive_words_detected": "one-api",
                "prompt_blocked": "one-api", "inputtextsensitivecontentdetected": "Volcengine",
                "outputtextsensitivecontentdetected": "Volcengine",
                "inputimagesensitivecontentdetected": "Volcengine", "sensitivecontentdetected": "Volcengine",
                "content_blocked": "aggregators",
                "content_moderation": "aggregators", "prohibited_content": "Google", "guardrail_intervened": "Bedrock",
                "modelarts.81011": "Huawei", "1301": "Zhipu",
                "1026": "MiniMax", "1027": "MiniMax", "10013": "Spark", "10014": "Spark",
            ]
        ),
        (
            .length,
            [
                "context_length_exceeded": "OpenAI, Groq, Cerebras", "exceed_context_size_error": "llama.cpp",
                "tokens_limit_reached": "GitHub Models",
                "model_max_prompt_tokens_exceeded": "Copilot", "token_quantity_exceeded": "watsonx",
                "model_context_window_exceeded": "Anthropic",
                "contextwindowexceedederror": "LiteLLM", "1261": "Zhipu", "10907": "Spark", "336103": "Qianfan",
            ]
        ),
    ]

    /// Words of messages.
    static let phrases: [(subject: Subject, rows: KeyValuePairs<String, String>)] = [
        (
            .key,
            [
                "incorrect api key": "OpenAI, xAI", "invalid x-api-key": "Anthropic",
                "no auth credentials found": "OpenRouter", "invalid api key": "Groq",
                "api key not valid": "Google", "api key is invalid": "gateways", "api key expired": "Google",
            ]
        ),
        (
            .ability,
            [
                "no endpoints found that support": "OpenRouter", "no endpoints found that can handle": "OpenRouter",
                "image not found": "gateways",
                "file not found": "gateways", "no such file": "OpenAI",
            ]
        ),
        (
            .permission,
            [
                "not allowed to sample from this model": "OpenAI", "not available in your region": "OpenRouter",
                "not available in your country": "OpenCode",
                "not available in this region": "Bedrock, Google", "not supported in your region": "Google",
                "not supported in this region": "Google",
                "country, region, or territory not supported": "OpenAI", "user location is not supported": "Google",
                "from unsupported countries": "Bedrock",
                "not available for your tier": "aggregators", "not available on your tier": "aggregators",
                "not available in your tier": "aggregators",
                "not available on your plan": "aggregators", "not available in your plan": "aggregators",
                "not included in your plan": "aggregators",
                "plan does not include": "aggregators", "plan does not yet include": "Zhipu",
                "plan doesn't include": "aggregators",
                "organization must be verified to": "OpenAI", "don't have access to the model": "Bedrock",
                "do not have access to the model": "Azure",
                "does not have access to model": "OpenAI", "does not have access to the model": "OpenAI",
                "have access to this model": "aggregators",
                "no access to model": "one-api", "no permission to use the model": "Qianfan",
                "permission to access this model": "aggregators",
                "access to model denied": "DashScope", "access to this model is denied": "aggregators",
                "access to this model is restricted": "Hugging Face",
                "model access is denied": "Bedrock", "authorized to access the requested model": "AiHubMix",
                "not authorized to access model": "aggregators",
                "not allowed to access model": "LiteLLM", "not allowed to use model": "aggregators",
                "not allowed to use this model": "aggregators",
                "requires terms acceptance": "Groq", "is blocked at the organization level": "Groq",
                "is blocked at the project level": "Groq",
                "with on-demand throughput isn't supported": "Bedrock",
                "doesn't support on-demand throughput": "Bedrock", "marked by provider as legacy": "Bedrock",
                "has not activated the model": "Volcengine", "free tier of the model has been exhausted": "DashScope",
                "need a grok subscription": "xAI",
                "model requires a subscription": "Ollama", "no allowed providers are available": "OpenRouter",
                "no endpoints found matching your": "OpenRouter",
                "no endpoints available matching your": "OpenRouter",
                "supported by any provider you have enabled": "Hugging Face",
                "requested model is not supported": "Copilot",
                "limit 0,": "Google, whose free tier has none of some models", "无权使用模型": "one-api",
                "无权访问模型": "one-api",
            ]
        ),
        (
            .model,
            [
                "model not exist": "DeepSeek, DashScope", "model does not exist": "SiliconFlow, Zhipu",
                "model * does not exist": "OpenAI, Groq, vLLM",
                "model * not exist": "aggregators", "model not found": "xAI, Fireworks",
                "model * not found": "Ollama, Cohere", "model * was not found": "Vertex",
                "is not found for api version": "Google", "is not a valid model": "OpenRouter",
                "not a valid model name": "aggregators", "invalid model id": "aggregators",
                "invalid model name": "LiteLLM", "invalid model *": "Mistral, Perplexity",
                "model identifier is invalid": "Bedrock",
                "model * has been decommissioned": "Groq", "model has been decommissioned": "Groq",
                "model * has been deprecated": "OpenAI",
                "model has been deprecated": "OpenAI", "model * is deprecated": "OpenAI",
                "this model is deprecated": "OpenAI", "model * was deprecated": "xAI",
                "model * has been retired": "Anthropic", "model has been retired": "aggregators",
                "model * is retired": "OCI", "model * was retired": "aggregators",
                "model is retired": "OCI", "model * was removed": "Cohere", "model * has been removed": "aggregators",
                "model * has been shut down": "Google",
                "model has been shut down": "Google", "model * has been discontinued": "aggregators",
                "model has been discontinued": "aggregators",
                "model * has been suspended": "aggregators", "model * is no longer": "Google, OpenAI",
                "this model is no longer": "Google",
                "model is no longer available": "aggregators", "model is no longer supported": "aggregators",
                "model * is archived": "Cerebras",
                "reached its end of life": "NVIDIA", "reached the end of its life": "Bedrock",
                "unknown model": "GitHub Models, MiniMax", "unavailable model": "GitHub Models",
                "no such model": "Cloudflare", "not found the model": "Moonshot",
                "unable to access model": "Together", "unable to access non-serverless model": "Together",
                "model disabled": "SiliconFlow",
                "no endpoints found for": "OpenRouter", "模型不存在": "Zhipu",
            ]
        ),
        (
            .rate,
            [
                "quota exceeded for metric": "Google", "quota exceeded for quota metric": "Google",
                "allocated quota exceeded": "DashScope",
                "can only afford": "OpenRouter, where less would go through",
            ]
        ),
        (
            .account,
            [
                "credit balance is too low": "Anthropic", "insufficient balance": "DeepSeek, Moonshot",
                "balance is insufficient": "SiliconFlow",
                "insufficient account balance": "Novita", "balance not enough": "aggregators",
                "not enough balance": "aggregators", "insufficient credit": "OpenRouter",
                "insufficient funds": "aggregators", "insufficient quota": "aggregators",
                "exceeded your current quota": "OpenAI, Google",
                "exceeded current quota": "Moonshot", "no credits": "aggregators", "out of credits": "xAI, aggregators",
                "run out of credit": "xAI",
                "used all available credits": "xAI", "credits are depleted": "Google",
                "credits have been exhausted": "aggregators", "monthly spending limit": "xAI",
                "monthly included credits": "Hugging Face", "never purchased credits": "OpenRouter",
                "key limit exceeded": "OpenRouter",
                "budget has been exceeded": "LiteLLM", "budget limit exceeded": "aggregators", "in arrears": "Zhipu",
                "in good standing": "DashScope",
                "overdue balance": "Volcengine", "account is not active": "OpenAI",
                "organization has been restricted": "Groq",
                "organization has been disabled": "Anthropic", "account has been deactivated": "OpenAI",
                "with this api key has been deactivated": "OpenAI",
                "account has been disabled": "aggregators", "account has been locked": "Zhipu",
                "account suspended": "AiHubMix", "account is suspended": "aggregators",
                "account * is suspended": "Moonshot", "has been suspended": "Google, Fireworks",
                "access was terminated": "OpenAI", "billing hard limit": "OpenAI", "billing to be enabled": "Google",
                "api usage limits": "Anthropic",
                "payment required": "aggregators", "credit card on file": "Vercel",
                "valid payment method": "aggregators", "quota is not enough": "one-api",
                "free quota has been used up": "Huawei", "余额不足": "Zhipu, SiliconFlow", "欠费": "Zhipu, DashScope",
                "额度不足": "one-api",
            ]
        ),
        (
            .throttle,
            [
                "rate limit reached": "OpenAI", "rate limit exceeded": "OpenRouter", "rate limited": "aggregators",
                "exceeded rate limit": "Huawei",
                "exceeded your rate limit": "Anthropic", "exceed your organization's rate limit": "Anthropic",
                "too many requests": "AWS, OCI",
                "too many tokens, please wait": "Bedrock", "too many tokens per": "Bedrock",
                "too many connections, please wait": "Bedrock",
                "please wait before trying again": "Bedrock", "please reduce your request rate": "aggregators",
                "throttl": "AWS, OCI",
                "请求过于频繁": "Zhipu", "并发数过高": "Zhipu",
            ]
        ),
        (
            .content,
            [
                "requires moderation": "OpenRouter", "input was flagged": "OpenRouter", "prompt was flagged": "OpenAI",
                "request has been flagged": "OpenAI",
                "was flagged as potentially": "OpenAI", "flagged by moderation": "aggregators",
                "blocked by moderation": "aggregators",
                "content policy": "OpenAI", "content management policy": "Azure", "content filter": "Azure",
                "responsible ai": "Azure",
                "usage policy": "OpenAI, Anthropic", "usage policies": "OpenAI", "usage guidelines": "xAI",
                "safety system": "OpenAI",
                "inappropriate content": "OCI, DashScope", "sensitive content": "Zhipu",
                "sensitive information": "Volcengine", "contain sensitive": "Huawei",
                "contain senstive": "Huawei", "unsafe or sensitive": "Zhipu", "content exists risk": "DeepSeek",
                "considered high risk": "Moonshot",
                "prohibited content": "Google", "prompt was blocked": "Google", "prompt is blocked": "Google",
                "violated guardrail": "LiteLLM",
                "blocked by guardrail": "LiteLLM", "sensitive words": "one-api", "敏感内容": "Zhipu", "敏感信息": "Baidu",
                "敏感词": "one-api",
            ]
        ),
        (
            .length,
            [
                "maximum context length": "OpenAI, vLLM, Mistral, OpenRouter", "context length exceeded": "gateways",
                "context_length_exceeded": "gateways",
                "contextwindowexceedederror": "LiteLLM", "exceeds the context": "OpenAI, Ollama",
                "exceed context limit": "Anthropic", "context window": "OpenAI, MiniMax",
                "context overflow": "gateways", "context size exceeded": "LocalAI",
                "available context size": "llama.cpp", "configured context size": "llama.cpp and its kin",
                "context length of only": "LM Studio", "context length is only": "LM Studio",
                "greater than the context length": "LM Studio", "reached context length of": "LM Studio",
                "longer than the model's context length": "SGLang",
                "prompt is too long": "Anthropic, Fireworks", "prompt too long": "Ollama",
                "prompt tokens too long": "Qianfan", "input is too long": "Bedrock",
                "input prompt is too long": "vLLM", "too long to fit into the model": "vLLM",
                "longer than the maximum model length": "vLLM, OCI's Llama",
                "exceeds max length": "Zhipu", "exceeded model token limit": "Moonshot",
                "range of input length should be": "DashScope",
                "must be less than max_seq_len": "SiliconFlow", "greater than max_seq_len": "TabbyAPI",
                "exceed max message tokens": "Volcengine",
                "tokens + ~ must be <": "TGI, Together", "must have less than * tokens": "TGI",
                "max size * tokens": "GitHub Models",
                "max input characters is": "Qianfan", "number of input tokens * cannot exceed": "watsonx",
                "input tokens exceed the configured limit": "OpenAI, Azure",
                "too many input tokens": "gateways", "too many tokens": "Cohere", "total number of tokens": "Cohere",
                "maximum prompt length": "xAI", "maximum allowed input length": "OpenRouter",
                "prompt token count": "Copilot",
                "input token count": "Google", "maximum number of tokens": "Google",
                "maximum allowed number of input tokens": "gateways",
                "maximum number of input tokens": "gateways", "input length and ~ exceed": "Anthropic",
                "reduce the length of the messages": "Groq, Cerebras",
                "reduce your prompt": "OpenAI",
            ]
        ),
    ]

    /// A message with one of these, all of them anywhere, speaks of a rate and not of one prompt.
    static let rates: KeyValuePairs<String, String> = [
        "per minute": "OpenAI, Cohere", "per day": "Bedrock", "per hour": "gateways", "rate limit": "OpenAI",
        "please wait": "Bedrock", "throttl": "AWS, OCI", "quota": "Google",
    ]

    /// What a code or a type says that names no more than a kind. It decides only where no status does.
    static let kinds: [String: Refusal.Subject] = [
        "invalid_request_error": .request, "bad_request": .request, "badrequesterror": .request,
        "invalid_argument": .request, "failed_precondition": .request,
        "validation_error": .request, "validationexception": .request, "unsupported_parameter": .request,
        "unsupported_value": .request, "request_too_large": .request,
        "not_found_error": .modelGone, "resource_exhausted": .throttled, "authentication_error": .credentialsRefused,
        "permission_error": .credentialsRefused,
        "unauthenticated": .credentialsRefused, "permission_denied": .credentialsRefused,
        "unauthorized": .credentialsRefused, "overloaded_error": .unavailable,
        "overloaded": .unavailable, "engine_overloaded_error": .unavailable, "server_is_overloaded": .unavailable,
        "slow_down": .unavailable,
        "service_unavailable": .unavailable, "serviceunavailable": .unavailable, "unavailable": .unavailable,
        "capacity_exceeded": .unavailable, "timeout_error": .timedOut,
        "deadline_exceeded": .timedOut,
    ]

    // MARK: Looking for them

    /// What codes speak of. They are the upstream's own, where a message may repeat a client's words.
    static func subjects(ofCodes words: ErrorWords) -> Set<Subject> {
        var found: Set<Subject> = []
        for code in words.codes {
            if let subject = subjectOfCode[code] { found.insert(subject) }
            // With the kind of content behind it.
            if code.contains("sensitivecontentdetected") || code.hasPrefix("safety_check") { found.insert(.content) }
        }
        return found
    }

    /// What codes and message speak of.
    static func subjects(of words: ErrorWords) -> Set<Subject> {
        var found = subjects(ofCodes: words)
        if let message = words.message {
            let plain = PlainWords(message)
            plain.matches(of: index, into: &found)
            if found.contains(.length), plain.has(anyOf: rateWords) { found.remove(.length) }
        }
        return found
    }

    private static let subjectOfCode = Dictionary(
        codes.flatMap { group in group.rows.map { ($0.key, group.subject) } }, uniquingKeysWith: { first, _ in first })

    private static let rateWords = rates.map { Array($0.key.utf8) }
    private static let index = PhraseIndex(phrases.flatMap { group in group.rows.map { ($0.key, group.subject) } })
}
