import Testing

@testable import Proxy
@testable import ProxyRouting

/// What vendors' refusals speak of, as they were seen.
@Suite struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let body: String
        let kind: FailureSubject
        /// What the client gets.
        let client: Int

        init(_ status: Int, _ body: String, _ kind: FailureSubject, _ client: Int) {
            self.status = status
            self.body = body
            self.kind = kind
            self.client = client
        }

        /// With a message in OpenAI's form.
        init(_ status: Int, says message: String, _ kind: FailureSubject, _ client: Int) {
            self.init(status, openAI(message), kind, client)
        }

        var testDescription: String { "\(status) \(body)" }
    }

    private func provider(_ status: Int, _ body: String) -> Failure {
        ProviderErrorReader.translate(status: status, retryAfter: nil, body: Array(body.utf8), upstream: "acme")
    }

    private func inPlaceOfAnAnswer(_ body: String) -> Failure? {
        do {
            _ = try PassThroughResponse.read(Array(body.utf8), model: "m", upstream: "acme")
            return nil
        } catch {
            return error
        }
    }

    /// Who says each of them is beside it, and each is written as it is looked for.
    @Test func `Every row has a source`() {
        for row in RefusalWords.codes.flatMap(\.rows) + RefusalWords.phrases.flatMap(\.rows) + Array(RefusalWords.rates)
        {
            #expect(!row.value.isEmpty && row.key == row.key.lowercased() && !row.key.isEmpty, "\(row.key)")
        }
        let codes = RefusalWords.codes.flatMap(\.rows).map(\.key)
        #expect(Set(codes).count == codes.count)
    }

    // MARK: The request's content

    private static let content: [Case] = [
        Case(
            403,
            #"{"error":{"code":403,"message":"Your chosen model requires moderation and your input was flagged for \"x\".","metadata":{"reasons":["x"]}}}"#,
            .request, 403),
        Case(
            400,
            #"{"error":{"code":"data_inspection_failed","param":null,"message":"Input data may contain inappropriate content.","type":"data_inspection_failed"}}"#,
            .request, 400),
        Case(
            400,
            #"{"code":"DataInspectionFailed","message":"Input text data may contain something.","request_id":"r"}"#,
            .request, 400),
        Case(
            400,
            #"{"error":{"message":"The response was filtered.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            .request, 400),
        Case(
            400, #"{"error":{"message":"Refused.","code":null,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            .request, 400),
        Case(400, #"{"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容"}}"#, .request, 400),
        Case(
            400,
            #"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
            .request, 400),
        Case(
            400,
            #"{"error":{"type":"content_filter","message":"The request was rejected because it was considered high risk"}}"#,
            .request, 400),
        Case(
            403,
            #"{"code":"The caller does not have permission","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}"#,
            .request, 403),
        Case(400, #"{"error":{"code":"SensitiveContentDetected.Violence","message":"no"}}"#, .request, 400),
        Case(
            403,
            #"{"error_code":"ModelArts.81011","error_msg":"May contain senstive information","message":"May contain senstive information"}"#,
            .request, 403),
        Case(
            400, says: "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", .request,
            400),
        Case(451, says: "blocked by moderation", .request, 451),
        Case(403, says: "Prompt is blocked: sensitive words detected", .request, 403),
        Case(451, "", .request, 451),
    ]

    @Test(arguments: content)
    func `What is said in the request is nobody's fault`(refusal: Case) {
        let error = provider(refusal.status, refusal.body)
        #expect(error.about == .request && error.status == refusal.client && error.type == "invalid_request_error")
        if !refusal.body.isEmpty {
            #expect(error.forbidsRetry && !error.message.isEmpty && error.code != "upstream_auth_failed")
        }
    }

    @Test func `It keeps the upstream's code or gets OpenAI's`() {
        #expect(provider(400, Self.content[1].body).code == "data_inspection_failed")
        #expect(provider(403, Self.content[0].body).code == "content_filter")
        #expect(provider(403, Self.content[0].body).message.hasPrefix("Your chosen model requires moderation"))
    }

    // MARK: The model

    private static let permission: [Case] = [
        Case(403, says: "You are not allowed to sample from this model", .modelNotAllowed, 403),
        Case(
            403,
            #"{"error":{"message":"Project `proj_x` does not have access to model `gpt-4`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            .modelNotAllowed, 403),
        Case(
            400,
            #"{"error":{"message":"Your organization must be verified to stream this model. Please go to: https://x","type":"invalid_request_error","param":"stream","code":"unsupported_value"}}"#,
            .modelNotAllowed, 403),
        Case(403, #"{"type":"error","error":{"type":"RegionError","message":"No."}}"#, .modelNotAllowed, 403),
        Case(
            403,
            #"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}"#,
            .modelNotAllowed, 403),
        Case(
            400,
            #"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
            .modelNotAllowed, 403),
        Case(
            403, #"{"message":"You don't have access to the model with the specified model ID."}"#, .modelNotAllowed,
            403),
        Case(
            400,
            #"{"message":"Invocation of model ID a.b-1:0 with on-demand throughput isn’t supported. Retry your request with the ID of an inference profile."}"#,
            .modelNotAllowed, 403),
        Case(
            404,
            says: "Access denied. This Model is marked by provider as Legacy and you have not been actively using it.",
            .modelNotAllowed, 403),
        Case(
            404,
            #"{"error":{"code":"ModelNotOpen","message":"Your account 2100 has not activated the model doubao-1-5. Please activate it."}}"#,
            .modelNotAllowed, 403),
        Case(
            403, #"{"code":"AllocationQuota.FreeTierOnly","message":"The free tier of the model has been exhausted."}"#,
            .modelNotAllowed, 403),
        Case(403, #"{"code":"Model.AccessDenied","message":"Model access denied."}"#, .modelNotAllowed, 403),
        Case(
            401,
            #"{"error":{"message":"key not allowed to access model. This key can only access models=['a']","type":"key_model_access_denied"}}"#,
            .modelNotAllowed, 403),
        Case(403, says: "The model `x-y` is blocked at the organization level.", .modelNotAllowed, 403),
        Case(404, says: "No allowed providers are available for the selected model.", .modelNotAllowed, 403),
        Case(404, says: "No endpoints found matching your data policy.", .modelNotAllowed, 403),
        Case(451, says: "Access to Anthropic models is not available in your region (IM)", .modelNotAllowed, 403),
        Case(
            400,
            #"{"error":{"message":"The requested model is not supported.","code":"model_not_supported","param":"model","type":"invalid_request_error"}}"#,
            .modelNotAllowed, 403),
        Case(
            429,
            says: "Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: gemini-2.5-pro",
            .modelNotAllowed, 403),
    ]

    private static let gone: [Case] = [
        Case(
            400,
            #"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
            .modelGone, 404),
        Case(
            400,
            #"{"error":{"message":"The model `llama-3.1-70b-versatile` has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}}"#,
            .modelGone, 404),
        Case(
            400, says: "The model `gemma2-9b-it` has been decommissioned and is no longer supported.", .modelGone, 404),
        Case(
            400, #"{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}"#,
            .modelGone, 404), Case(400, #"{"code":20012,"message":"?","data":null}"#, .modelGone, 404),
        Case(
            400,
            #"{"object":"error","message":"Invalid model: foo","type":"invalid_model","param":null,"code":"1500"}"#,
            .modelGone, 404),
        Case(400, says: "acme/foo is not a valid model ID", .modelGone, 404),
        Case(404, says: "No endpoints found for acme/foo.", .modelGone, 404),
        Case(400, says: "The model `gpt-x` does not exist or you do not have access to it.", .modelGone, 404),
        Case(400, says: "The model gpt-4.5 does not exist", .modelGone, 404),
        Case(
            400,
            #"[{"error":{"code":400,"message":"models/gemini-pro is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}]"#,
            .modelGone, 404),
        Case(
            410, says: "The model 'a/b' has reached its end of life on 2026-01-01 and is no longer available.",
            .modelGone, 404), Case(410, "", .modelGone, 404),
        Case(400, #"{"error":{"code":"1211","message":"模型不存在，请检查模型代码"}}"#, .modelGone, 404),
        Case(400, #"{"code":"ModelNotFound","message":"?"}"#, .modelGone, 404),
        Case(422, says: "Unable to access model acme/foo. Please visit the list of models.", .modelGone, 404),
        Case(400, says: "Model not found, inaccessible, and/or not deployed", .modelGone, 404),
        Case(400, says: #"model "llama9" not found, try pulling it first"#, .modelGone, 404),
        Case(400, says: "Unknown model: acme/foo", .modelGone, 404),
        Case(400, says: "model 'command' was removed on September 15, 2025.", .modelGone, 404),
        Case(400, says: "The provided model identifier is invalid.", .modelGone, 404),
        Case(400, says: "This model version has reached the end of its life.", .modelGone, 404),
        Case(400, says: "The model grok-beta was deprecated on 2025-09-15.", .modelGone, 404),
        Case(400, says: "Model meta.llama-3.1-70b-instruct 1.0.0 is retired", .modelGone, 404),
        Case(404, "404 page not found", .modelGone, 404),
        // Who makes such a name up must not take the account out.
        Case(400, says: "insufficient balance is not a valid model ID", .modelGone, 404),
    ]

    @Test(arguments: permission + gone)
    func `A model that is not served is recognised whatever the status`(refusal: Case) {
        let error = provider(refusal.status, refusal.body)
        #expect(error.about == refusal.kind && error.status == refusal.client)
        if refusal.kind == .modelGone, refusal.status != 404 { #expect(error.code == "model_not_found") }
    }

    // MARK: The account

    private static let account: [Case] = [
        Case(
            400,
            #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."}}"#,
            .accountDoubted, 429),
        Case(
            400,
            #"{"error":{"code":"Arrearage","param":null,"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage"}}"#,
            .accountExhausted, 429),
        Case(400, #"{"code":"Arrearage","message":"?"}"#, .accountExhausted, 429),
        Case(
            400,
            #"{"error":{"message":"Organization has been restricted. Please reach out to support.","type":"invalid_request_error","code":"organization_restricted"}}"#,
            .accountExhausted, 429),
        Case(
            402,
            #"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            .accountExhausted, 429), Case(402, "", .accountDoubted, 429),
        Case(402, says: "Prompt tokens limit exceeded: 5000 > 3000.", .accountDoubted, 429),
        Case(
            429,
            #"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            .accountExhausted, 429),
        Case(
            429,
            says:
                "Your account org-ea6a <ak-f8t> is suspended due to insufficient balance, please recharge your account",
            .accountExhausted, 429),
        Case(429, #"{"error":{"code":"1113","message":"余额不足或无可用资源包,请充值。"}}"#, .accountExhausted, 429),
        Case(
            403, #"{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}"#,
            .accountExhausted, 429),
        Case(
            403,
            #"{"code":"The caller does not have permission","error":"Your team x-1 has either used all available credits or reached its monthly spending limit."}"#,
            .accountExhausted, 429),
        Case(403, says: "Key limit exceeded (daily limit).", .accountExhausted, 429),
        Case(402, says: "Insufficient credits. This account never purchased credits.", .accountExhausted, 429),
        Case(
            401,
            #"{"error":{"message":"The OpenAI account associated with this API key has been deactivated.","type":"invalid_request_error","code":"account_deactivated"}}"#,
            .accountExhausted, 429),
        Case(
            429,
            #"{"error":{"message":"Your account is not active, please check your billing details.","type":"billing_not_active","code":"billing_not_active"}}"#,
            .accountExhausted, 429),
        Case(
            403,
            #"{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance."}}"#,
            .accountExhausted, 429),
        Case(
            403,
            #"{"error":{"message":"user quota is not enough","type":"new_api_error","code":"insufficient_user_quota"}}"#,
            .accountExhausted, 429),
        Case(
            400, says: "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
            .accountDoubted, 429),
        Case(401, #"{"type":"error","error":{"type":"CreditsError","message":"?"}}"#, .accountExhausted, 429),
        Case(403, says: "You have run out of credits.", .accountExhausted, 429),
        Case(400, #"{"message":"You have no credits left."}"#, .accountDoubted, 429),
        Case(403, says: "Permission denied: Consumer 'api_key:x' has been suspended.", .accountExhausted, 429),
        Case(
            429,
            #"{"error":{"code":429,"message":"Your prepayment credits are depleted.","status":"RESOURCE_EXHAUSTED"}}"#,
            .accountExhausted, 429),
    ]

    @Test(arguments: account)
    func `An account without credit is recognised whatever the status`(refusal: Case) {
        let error = provider(refusal.status, refusal.body)
        #expect(
            error.about == refusal.kind && error.status == 429 && error.code == "insufficient_quota"
                && error.type == "insufficient_quota" && error.forbidsRetry)
    }

    @Test func `A client does not learn the operator's account`() {
        let error = provider(
            429, openAI("Your account org-ea6a80cc0e77 <ak-f8tyo15zao81> is suspended due to insufficient balance"))
        #expect(
            !error.message.contains("ea6a80") && !error.message.contains("f8tyo")
                && error.message.contains("insufficient balance"))
    }

    @Test func `How long an account rests is kept`() {
        let error = ProviderErrorReader.translate(status: 402, retryAfter: 30, body: [], upstream: "acme")
        #expect(error.about == .accountDoubted && error.retryAfter == 30)
    }

    // MARK: Rates and trouble

    private static let others: [Case] = [
        Case(429, "", .throttled, 429),
        Case(
            429, #"{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#,
            .throttled, 429),
        // The sentence that OpenAI has for an empty purse, for a minute's limit of one model.
        Case(
            429,
            #"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: x/generate_content_free_tier_requests, limit: 20, model: gemini-2.5-flash","status":"RESOURCE_EXHAUSTED"}}]"#,
            .throttled, 429),
        Case(
            429,
            #"{"error":{"code":"insufficient_quota","message":"Allocated quota exceeded, please increase your quota limit.","type":"insufficient_quota"}}"#,
            .throttled, 429),
        Case(
            402,
            says:
                "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 5000.",
            .throttled, 429),
        Case(
            400,
            #"{"error":{"message":"Too many tokens, please wait before trying again.","type":"throttling_exception"}}"#,
            .throttled, 429), Case(400, says: "Too many tokens per day", .throttled, 429),
        Case(429, #"{"error":{"code":"1302","message":"?"}}"#, .throttled, 429),
        Case(
            403, #"{"error":{"code":403,"message":"Rate Limit Exceeded","errors":[{"reason":"rateLimitExceeded"}]}}"#,
            .throttled, 429),
        Case(
            413,
            #"{"error":{"message":"Request too large for model `m-1` on tokens per minute (TPM): Limit 6000, Requested 8000","type":"tokens","code":"rate_limit_exceeded"}}"#,
            .request, 413),
        Case(409, "", .unavailable, 503), Case(498, "", .unavailable, 503),
        Case(503, says: "The model is overloaded.", .unavailable, 503), Case(529, "", .unavailable, 503),
        Case(500, "", .failed, 502), Case(502, says: "insufficient balance", .failed, 502), Case(520, "", .failed, 502),
        Case(418, "", .failed, 502), Case(301, "", .failed, 502),
        Case(408, "", .timedOut, 504), Case(504, "", .timedOut, 504), Case(524, "", .timedOut, 504),
        Case(400, says: "prompt is too long: 210000 tokens > 200000 maximum", .promptTooLong, 400),
        Case(401, "", .credentialsDoubted, 502), Case(403, "{}", .credentialsDoubted, 502),
        Case(403, says: "Forbidden", .credentialsDoubted, 502),
        Case(400, says: "API key not valid. Please pass a valid API key.", .credentialsDoubted, 502),
        Case(401, says: "Invalid API Key. Country, region, or territory not supported", .credentialsRefused, 502),
    ]

    @Test(arguments: others)
    func `Everything else has its kind`(refusal: Case) {
        let error = provider(refusal.status, refusal.body)
        #expect(error.about == refusal.kind && error.status == refusal.client)
    }

    /// What looks like one of them and is about something else.
    @Test(arguments: [
        "Tool 'get_model' does not exist", "tool does not exist", "parameter X does not exist for model gpt-4",
        "Parameter 'top_k' does not exist for model 'gpt-4'", "The model parameter does not exist",
        "Invalid model parameters: temperature", "'reasoning_effort' is deprecated for this model",
        "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "The image model input is invalid", "Unsupported value: 'temperature' does not support 0.2 with this model.",
        "Invalid value: 'Your credit balance is too low'. Supported values are: 'a' and 'b'.",
        #"tools.0.name: "model_not_found: model not exist" is no name"#,
        "Invalid 'tool_choice': `insufficient balance`, `rate limit exceeded`", "image not found",
        "messages.3: tool_use ids were found without tool_result blocks", "max_tokens is too large",
        "The model produced invalid content", "temperature must be between 0 and 2",
        "Chat request type does not match serving model.", "Function name get_account_suspended is taken",
    ])
    func `Lookalikes are the request's own`(message: String) {
        for status in [400, 422] {
            let error = provider(status, openAI(message))
            #expect(
                error.about == .request && error.status == status && error.message == message
                    && error.code == "invalid_request")
        }
    }

    @Test(arguments: ["No endpoints found that support image input", "No such File object: file-1"])
    func `What a model cannot do takes it from nobody else`(message: String) {
        let error = provider(404, openAI(message))
        #expect(error.about == .request && error.status == 404)
    }

    @Test func `Only the beginning of a long message is read`() {
        let error = provider(400, openAI(String(repeating: "x ", count: PlainWords.limit) + "insufficient balance"))
        #expect(error.about == .request)
    }

    // MARK: In place of an answer

    @Test(arguments: [
        Case(200, #"{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}"#, .throttled, 429),
        Case(200, #"{"error":{"message":"m","type":"invalid_request_error"}}"#, .request, 400),
        Case(200, #"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, .unavailable, 503),
        Case(200, #"{"error":{"message":"m","code":"model_not_found"}}"#, .modelGone, 404),
        Case(200, #"{"error":{"message":"m","code":"content_filter","status":400}}"#, .request, 400),
        Case(200, #"{"error":{"message":"m","code":"content_filter"}}"#, .request, 400),
        Case(200, #"{"error":{"message":"m"},"status_code":429}"#, .throttled, 429),
        Case(
            200,
            #"{"error":{"message":"Too many tokens, please wait before trying again.","type":"throttling_exception"}}"#,
            .throttled, 429),
        Case(200, #"{"error":{"message":"insufficient balance"}}"#, .accountDoubted, 429),
        Case(200, #"{"error":{"message":"m","code":403,"metadata":{}}}"#, .credentialsDoubted, 502),
        Case(200, #"{"error":{"message":"input was flagged","code":403}}"#, .request, 403),
        Case(200, #"{"error":{"message":"m"}}"#, .failed, 502),
        Case(200, #"{"error":{"message":"m","type":"permission_error"}}"#, .credentialsRefused, 502),
        Case(200, #"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"m"}}"#, .accountExhausted, 429),
        Case(200, #"{"choices":null,"base_resp":{"status_code":1026,"status_msg":"m"}}"#, .request, 400),
        Case(200, #"{"error":{"message":"You are not allowed to sample from this model"}}"#, .modelNotAllowed, 403),
    ])
    func `An error in place of an answer means the same`(refusal: Case) {
        let error = inPlaceOfAnAnswer(refusal.body)
        #expect(error?.about == refusal.kind && error?.status == refusal.client)
    }

    // MARK: OCI

    @Test(arguments: [
        Case(403, #"{"code":"403","message":"Inappropriate content detected!!!"}"#, .request, 403),
        Case(400, #"{"code":"400","message":"Inappropriate content detected!!!"}"#, .request, 400),
        Case(403, #"{"code":"NotAllowed","message":"Not allowed."}"#, .credentialsDoubted, 502),
        Case(
            401, #"{"code":"NotAuthenticated","message":"The required information was not provided."}"#,
            .credentialsRefused, 502),
        Case(403, #"{"code":"403","message":"This model is not available in your region"}"#, .modelNotAllowed, 403),
        Case(400, #"{"code":"400","message":"Model meta.llama-3.1-70b-instruct 1.0.0 is retired"}"#, .modelGone, 404),
        Case(
            404,
            #"{"code":"NotAuthorizedOrNotFound","message":"Authorization failed or requested resource not found."}"#,
            .modelGone, 404),
        Case(
            400,
            #"{"code":"400","message":"{\"error\":{\"message\":\"Your organization must be verified to use the model\",\"code\":\"x\"}}"}"#,
            .modelNotAllowed, 403),
        Case(429, #"{"code":"TooManyRequests","message":"Too many requests for the user."}"#, .throttled, 429),
        Case(400, #"{"code":"LimitExceeded","message":"m"}"#, .throttled, 429),
        Case(
            429,
            #"{"code":"429","message":"{\"error\":{\"message\":\"You exceeded your current quota\",\"code\":\"insufficient_quota\"}}"}"#,
            .accountExhausted, 429),
        Case(409, #"{"code":"IncorrectState","message":"m"}"#, .unavailable, 503),
        Case(500, #"{"code":"500","message":"m"}"#, .failed, 502), Case(504, "", .timedOut, 504),
        Case(400, #"{"code":"InvalidParameter","message":"temperature must be between 0 and 2"}"#, .request, 400),
        Case(413, "", .request, 413), Case(418, "", .failed, 502),
        Case(
            400,
            #"{"code":"400","message":"{\"code\": \"x\", \"error\": \"Argument not supported on this model: stop\"}"}"#,
            .request, 400),
    ])
    func `An account of OCI is read alike`(refusal: Case) {
        let error = OCIErrorReader.translate(
            status: refusal.status, retryAfter: nil, body: Array(refusal.body.utf8), account: "a")
        #expect(error.about == refusal.kind && error.status == refusal.client)
    }

    @Test(
        arguments: [
            (#"{"code":"403","message":"Inappropriate content detected!!!"}"#, .request, 400),
            (#"{"code":"400","message":"no"}"#, .request, 400), (#"{"code":"429","message":"no"}"#, .throttled, 429),
            (#"{"code":"500","message":"no"}"#, .failed, 502),
            (#"{"error":{"message":"no","code":"rate_limit_exceeded"}}"#, .throttled, 429),
            (#"{"code":"401","message":"no"}"#, .failed, 502),
        ] as [(String, FailureSubject, Int)])
    func `An event of OCI that is an error has a kind`(event: String, kind: FailureSubject, status: Int) throws {
        let error = OCIErrorReader.translate(event: try JSONDocument(parsing: Array(event.utf8)).root)
        #expect(
            error.about == kind && error.status == status
                && error.message.hasSuffix(event.contains("Inapp") ? "!!!" : "no"))
    }
}

/// An error in OpenAI's form.
func openAI(_ message: String) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("error")
    writer.beginObject()
    writer.key("message")
    writer.string(message)
    writer.endObject()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
}
