import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The forms in which upstreams say what is wrong: the words reach the client, whatever form they have.
@Suite struct RefusalFormsTests {
    private static let forms: [(body: String, message: String)] = [
        // NestJS and Spring; a list of complaints.
        (#"{"statusCode":400,"message":"top_k must be positive","error":"Bad Request"}"#, "top_k must be positive"),
        (
            #"{"timestamp":"2026-01-01","status":400,"error":"Bad Request","message":"top_k must be positive","path":"/v1"}"#,
            "top_k must be positive"
        ),
        (
            #"{"statusCode":400,"message":["top_k must be positive","n must be 1"],"error":"Bad Request"}"#,
            "top_k must be positive; n must be 1"
        ),
        (#"{"message":[{"message":"top_k must be positive"}]}"#, "top_k must be positive"),
        // Cloudflare, IBM, JSON:API, GraphQL, Rails.
        (
            #"{"success":false,"result":null,"errors":[{"code":7003,"message":"Could not route"}],"messages":[]}"#,
            "Could not route"
        ),
        (
            #"{"errors":[{"code":"invalid_input_argument","message":"too odd"}],"trace":"t","status_code":400}"#,
            "too odd"
        ),
        (#"{"errors":[{"status":"400","title":"Bad Request","detail":"too odd"}]}"#, "too odd"),
        (#"{"errors":[{"message":"one"},{"message":"two"}]}"#, "one; two"), (#"{"errors":["one","two"]}"#, "one; two"),
        (#"{"errors":{"max_tokens":["must be positive"]}}"#, "max_tokens: must be positive"),
        // A text as the body, in JSON and without.
        (#""top_k must be positive""#, "top_k must be positive"), ("top_k must be positive", "top_k must be positive"),
        ("  top_k must be positive\n", "  top_k must be positive\n"),
        (#"["top_k must be positive"]"#, "top_k must be positive"),
        // Other names.
        (#"{"code":1001,"msg":"top_k must be positive"}"#, "top_k must be positive"),
        (#"{"error_code":336003,"error_msg":"the messages are odd"}"#, "the messages are odd"),
        (#"{"errorCode":"X","errorMessage":"too odd"}"#, "too odd"),
        (#"{"Message":"too odd","__type":"ValidationException"}"#, "too odd"),
        (#"{"error":"invalid_request","error_description":"too odd"}"#, "too odd"),
        (#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"too odd"}"#, "too odd"),
        (#"{"error":{"msg":"too odd"}}"#, "too odd"), (#"{"error":{"detail":"too odd","code":"x"}}"#, "too odd"),
        (#"{"error":{"error":"too odd"}}"#, "too odd"),
        (#"{"error":["too odd"]}"#, "too odd"), (#"{"error":[{"message":"too odd"}]}"#, "too odd"),
        (#"{"fault":{"faultstring":"?","detail":"too odd"}}"#, "too odd"),
        (#"{"base_resp":{"status_code":2013,"status_msg":"too odd"}}"#, "too odd"),
        // `detail` in all its forms.
        (#"{"detail":{"message":"too odd"}}"#, "too odd"), (#"{"detail":{"error":{"message":"too odd"}}}"#, "too odd"),
        (#"{"detail":["too odd"]}"#, "too odd"),
        (
            #"{"detail":[{"type":"missing","loc":["body","messages",0,"content"],"msg":"Field required","input":{}}]}"#,
            "messages.0.content: Field required"
        ),
        // An error as an event.
        ("data: {\"error\":{\"message\":\"too odd\"}}\n\n", "too odd"),
        ("event: error\ndata: {\"message\":\"too odd\"}\n\n", "too odd"),
        // What stands in another error.
        (#"{"message":"Upstream said: {\"errors\":[{\"message\":\"too odd\"}]}"}"#, "too odd"),
        (#"{"error":{"message":"Provider returned error","metadata":{"raw":"too odd"}}}"#, "too odd"),
        // experientiallabs/experiential#964: Novita, Azure with lines of help behind its error, xAI.
        (#"{"code":400,"reason":"INVALID_PARAMETER","message":"too odd","metadata":{}}"#, "too odd"),
        (
            "{\"object\":\"error\",\"message\":\"too {odd}\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}\nPlease check this guide.",
            "too {odd}"
        ),
        (#"{"code":"invalid-argument","error":"too odd"}"#, "too odd"),
        // vercel/ai#18303: the gateway's own trouble with the error of whom it has asked.
        (
            #"{"error":{"code":"error","message":"Stream error occurred","name":"AI_TypeValidationError","value":{"error_message":"{\"error\":{\"message\":\"too odd\"}}"}}}"#,
            "too odd"
        ),
        // lessweb/deepcode-cli#352, earendil-works/pi#5763, huggingface, Laravel, ASP.NET, Django, AWS, Kong, Envoy, Traefik.
        (#"{"error":"too odd"}"#, "too odd"), (#"{"error":["too odd"],"warnings":["w"]}"#, "too odd"),
        (#"{"message":"too odd","errors":{"n":["must be 1"]}}"#, "too odd"),
        (
            #"{"type":"t","title":"One or more validation errors occurred.","status":400,"errors":{"n":["too odd"]}}"#,
            "n: too odd"
        ),
        (#"{"n":["too odd"]}"#, "n: too odd"),
        (#"{"__type":"com.amazon.coral.validate#ValidationException","message":"too odd"}"#, "too odd"),
        (#"{"message":"too odd","request_id":"r"}"#, "too odd"),
        (
            "upstream connect error or disconnect/reset before headers",
            "upstream connect error or disconnect/reset before headers"
        ),
        // Only a phrase is there.
        (#"{"error":"Bad Request"}"#, "Bad Request"), (#"{"title":"Bad Request","detail":""}"#, "Bad Request"),
    ]

    @Test(arguments: forms)
    func `The words are told`(form: (body: String, message: String)) {
        let provider = ProviderErrorReader.translate(
            status: 400, retryAfter: nil, body: Array(form.body.utf8), upstream: "acme")
        #expect(provider.message == form.message && provider.status == 400)
        let oci = OCIErrorReader.translate(status: 400, retryAfter: nil, body: Array(form.body.utf8), account: "a")
        #expect(oci.message == form.message && oci.status == 400)
        // The words are the upstream's whatever they come under.
        for status in [404, 405, 415, 424, 429, 500, 503] {
            let error = ProviderErrorReader.translate(
                status: status, retryAfter: nil, body: Array(form.body.utf8), upstream: "acme")
            #expect(error.message.contains(form.message), "\(status)")
        }
    }

    @Test(arguments: [
        "<html><body>no</body></html>", " \n<!DOCTYPE html>", "Error: <html>x</html>", "", "  ", "{\"error\":{\"mess",
        "[1,", "{}", "[]", "null", "7", "\u{0}\u{1}binary",
        #"{"error":null}"#, #"{"message":"<b>no</b>"}"#, #"{"errors":[]}"#, #"{"detail":[]}"#,
    ])
    func `What says nothing is not shown`(body: String) {
        let error = ProviderErrorReader.translate(
            status: 400, retryAfter: nil, body: Array(body.utf8), upstream: "acme")
        #expect(error.message == "'acme' rejected the request without a reason.")
    }

    @Test func `Long words are cut`() {
        for body in [
            String(repeating: "é", count: 100_000),
            #"{"error":{"message":"\#(String(repeating: "é", count: 100_000))"}}"#,
        ] {
            let error = ProviderErrorReader.translate(
                status: 400, retryAfter: nil, body: Array(body.utf8), upstream: "acme")
            #expect(error.message.utf8.count <= MessageWords.longest && error.message.hasPrefix("éé"))
        }
    }

    @Test(arguments: [
        (#"{"object":"error","message":"bad","type":"BadRequestError","param":"top_k","code":400}"#, "top_k"),
        (#"{"detail":[{"loc":["body","messages"],"msg":"Field required","type":"missing"}]}"#, "messages"),
        (#"{"detail":[{"loc":["body","tools",0,"function"],"msg":"Field required"}]}"#, "tools.0.function"),
        (#"{"error":{"message":"bad","param":"n"}}"#, "n"),
        (#"{"errors":[{"field":"max_tokens","message":"bad"}]}"#, "max_tokens"),
        (#"{"message":[{"property":"temperature","message":"bad"}]}"#, "temperature"),
    ])
    func `The field is told`(body: String, field: String) {
        #expect(
            ProviderErrorReader.translate(status: 422, retryAfter: nil, body: Array(body.utf8), upstream: "acme").param
                == field)
    }

    @Test(arguments: [
        (405, 502, FailureSubject.failed), (415, 415, .request), (424, 502, .failed), (451, 451, .request),
        (418, 418, .request), (406, 406, .request), (498, 503, .unavailable),
        (408, 504, .timedOut), (426, 502, .failed), (499, 502, .failed), (520, 502, .failed),
    ])
    func `Odd statuses keep their words`(status: Int, client: Int, kind: FailureSubject) {
        for error in [
            ProviderErrorReader.translate(
                status: status, retryAfter: nil, body: Array("this will not do".utf8), upstream: "acme"),
            OCIErrorReader.translate(
                status: status, retryAfter: nil, body: Array(#"{"message":"this will not do"}"#.utf8), account: "a"),
        ] {
            #expect(error.status == client && error.about == kind && error.message.contains("this will not do"))
        }
    }

    @Test func `Plain words say when to come back`() {
        for status in [429, 503] {
            let error = ProviderErrorReader.translate(
                status: status, retryAfter: nil, body: Array("Slow down, try again in 20 s".utf8), upstream: "acme")
            #expect(error.retryAfter == 20)
        }
    }

    // MARK: Under 200

    private static let underSuccess: [(body: String, status: Int, kind: FailureSubject)] = [
        (
            #"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#, 429,
            .throttled
        ),
        (#"{"error":{"message":"no","type":"invalid_request_error"}}"#, 400, .request),
        (#"{"error":{"message":"no","type":"overloaded_error"}}"#, 503, .unavailable),
        (#"{"error":{"message":"no","code":"model_not_found"}}"#, 404, .modelGone),
        (#"{"error":{"message":"no","status":400}}"#, 400, .request),
        (#"{"error":{"message":"no"},"status_code":429}"#, 429, .throttled),
        (#"{"error":{"message":"no","code":"429"}}"#, 429, .throttled),
        (#"{"error":{"message":"no","status":"RESOURCE_EXHAUSTED"}}"#, 429, .throttled),
        (#"{"error":{"message":"no","code":503,"status":"UNAVAILABLE"}}"#, 503, .unavailable),
        (#"{"error":{"message":"no","type":"authentication_error"}}"#, 502, .credentialsRefused),
        (#"{"error":{"message":"no","type":"insufficient_quota"}}"#, 429, .accountExhausted),
        // Without the wrapper.
        (#"{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}"#, 400, .request),
        (#"{"object":"error","message":"slow","code":429}"#, 429, .throttled),
        (
            #"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#, 429,
            .accountExhausted
        ),
        (#"{"base_resp":{"status_code":1002,"status_msg":"rate limited"}}"#, 429, .throttled),
        (#"{"error_code":336100,"error_msg":"try again"}"#, 502, .failed),
        (#"{"code":400,"msg":"no"}"#, 400, .request), (#"{"code":"429","message":"slow"}"#, 429, .throttled),
        (#"{"success":false,"message":"no"}"#, 502, .failed),
        (#"{"status":503,"message":"busy"}"#, 503, .unavailable),
        (#"{"type":"error","message":"no","code":"invalid_request_error"}"#, 400, .request),
        (#"{"errors":[{"message":"no","code":404}]}"#, 404, .modelGone),
        // decolua/9router#2727, discourse/discourse-ai#454, mmeyerlein/meclaw#75, vercel/ai#18303.
        (
            #"{"choices":null,"error":{"message":"ResourceExhausted: no worker","code":"RESOURCE_EXHAUSTED"}}"#, 429,
            .throttled
        ),
        (
            #"{"message":"Too many requests, please wait before trying again.","code":"ThrottlingException"}"#, 429,
            .throttled
        ),
        (
            #"{"error":{"message":"slow","code":429,"metadata":{"raw":"try again","provider_name":"p"}},"user_id":"u"}"#,
            429, .throttled
        ),
        (
            #"{"error":{"code":"error","message":"Stream error occurred","value":{"error_message":"{\"error\":{\"message\":\"This model's maximum context length is 40960 tokens.\"}}"}}}"#,
            400, .promptTooLong
        ),
    ]

    @Test(arguments: underSuccess)
    func `An error in place of an answer means what it says`(form: (body: String, status: Int, kind: FailureSubject)) {
        let error = #expect(throws: Failure.self) {
            try PassThroughResponse.read(Array(form.body.utf8), model: "m", upstream: "acme")
        }
        #expect(error?.status == form.status && error?.about == form.kind, "\(error.debugDescription)")
        for action in [OpenAIAction.embeddings, .rerank] {
            let error = #expect(throws: Failure.self) {
                try PassThroughList.read(Array(form.body.utf8), of: action, model: "m", upstream: "acme")
            }
            #expect(error?.status == form.status && error?.about == form.kind)
        }
    }

    @Test(arguments: underSuccess, Delivery.allCases)
    func `An error in a stream means what it says`(
        form: (body: String, status: Int, kind: FailureSubject), delivery: Delivery
    ) {
        let text = #"data: {"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"# + "\n\n"
        for (before, isFirst) in [("", true), (text, false)] {
            let relay = PassThroughRelay(model: "m", upstream: "acme")
            var (output, failure): ([UInt8], Failure?) = ([], nil)
            for piece in delivery.pieces(Array("\(before)data: \(form.body)\n\ndata: [DONE]\n\n".utf8))
            where failure == nil {
                failure = relay.take(ByteBuffer(bytes: piece))
                output += relay.takeFrames()
            }
            #expect(failure?.status == form.status && failure?.about == form.kind, "\(failure.debugDescription)")
            #expect(String(decoding: output, as: UTF8.self) == (isFirst ? "" : before))
        }
    }

    /// What has no choices and tells of no failure.
    @Test(arguments: [
        #"{"type":"ping"}"#, #"{"type":"ping","message":"still here"}"#, #"{"id":"x","usage":{"total_tokens":3}}"#,
        #"{"choices":[],"usage":{"total_tokens":3},"base_resp":{"status_code":0}}"#,
        #"{"code":0,"message":"ok"}"#, #"{"code":200,"msg":"success"}"#,
        #"{"status":"in_progress","message":"queued"}"#, #"{"error":null,"errors":[]}"#,
        #"{"code":"success","message":"ok"}"#,
    ])
    func `Other events are no errors`(event: String) {
        let relay = PassThroughRelay(model: "m", upstream: "acme")
        let text =
            #"data: {"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"# + "\n\n"
        #expect(
            relay.take(ByteBuffer(string: "data: \(event)\n\n\(text)data: \(event)\n\ndata: [DONE]\n\n")) == nil
                && relay.isComplete)
    }
}
