import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct ProviderErrorReaderTests {
    private func translate(_ status: Int, _ body: String, retryAfter: Int? = nil) -> Failure {
        ProviderErrorReader.translate(status: status, retryAfter: retryAfter, body: Array(body.utf8), upstream: "acme")
    }

    @Test(arguments: [400, 404, 413, 422])
    func `What the request is to blame for keeps its words`(status: Int) {
        let error = translate(
            status, #"{"error":{"message":"no","type":"odd_type","param":"top_p","code":"odd_code"}}"#)
        #expect(
            error.status == status && error.message == "no" && error.type == "odd_type" && error.param == "top_p"
                && error.code == "odd_code"
                && error.about == (status == 404 ? .modelGone : .request))
    }

    @Test(arguments: [
        (#"{"error":"no"}"#, "no"), (#"{"message":"no"}"#, "no"), (#"{"detail":"no"}"#, "no"),
        (#"{"detail":[{"loc":["body"],"msg":"no","type":"x"}]}"#, "no"),
        (#"[{"error":{"message":"no","code":400}}]"#, "no"),
        (
            #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"no\"}}"}}}"#,
            "no"
        ),
        ("<html>Bad</html>", "'acme' rejected the request without a reason."),
        ("", "'acme' rejected the request without a reason."),
        ("[]", "'acme' rejected the request without a reason."),
    ])
    func `The words are found in every form`(body: String, message: String) {
        let error = translate(400, body)
        #expect(
            error.status == 400 && error.message == message && error.type == "invalid_request_error"
                && error.code == "invalid_request")
        #expect(error.about == .request && error.param == nil)
    }

    @Test(arguments: [
        (401, "", 502, "upstream_auth_failed", true), (403, "{}", 502, "upstream_auth_failed", true),
        (
            400, #"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz."}"#,
            502, "upstream_auth_failed", true
        ),
        (402, #"{"error":{"message":"Insufficient Balance"}}"#, 429, "insufficient_quota", true),
        (429, #"{"error":{"code":"insufficient_quota"}}"#, 429, "insufficient_quota", true),
        (429, "", 429, "rate_limit_exceeded", false), (500, "", 502, "upstream_error", false),
        (503, "", 503, "upstream_unavailable", false),
        (529, "", 503, "upstream_unavailable", false), (504, "", 504, "upstream_timeout", false),
        (408, "", 504, "upstream_timeout", false), (301, "", 502, "upstream_invalid_answer", false),
        (404, "404 page not found", 404, "model_not_found", false), (413, "", 413, "request_too_large", false),
    ])
    func `Every status has its meaning`(status: Int, body: String, expected: Int, code: String, forbidsRetry: Bool) {
        let error = translate(status, body)
        #expect(error.status == expected && error.code == code && error.forbidsRetry == forbidsRetry)
        #expect(!error.message.isEmpty)
    }

    @Test func `Waiting times are kept`() {
        #expect(translate(429, "", retryAfter: 7).retryAfter == 7)
        #expect(translate(503, "", retryAfter: 9).retryAfter == 9)
    }

    @Test(arguments: [400, 413, 422])
    func `An overlong prompt is named as agents expect`(status: Int) {
        let error = translate(status, #"{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#)
        #expect(error.status == 400 && error.code == "context_length_exceeded")
        #expect(error.message.hasPrefix("This model's maximum context length is 200000 tokens"))
    }

    @Test func `A key that the upstream repeats is not shown`() {
        let error = translate(
            401,
            #"{"error":{"message":"Incorrect API key provided: sk-abc123DEF456ghi. Region unsupported_country_region"}}"#
        )
        #expect(!error.message.contains("sk-abc") && !error.message.contains("DEF456"))
        #expect(error.message.contains("unsupported_country_region"))
    }

    /// They are logged: what a request or a key may stand in is no word for programs.
    @Test func `A code that is a text is none`() {
        let body =
            #"{"error":{"message":"no","code":"ECHO prompt Bearer sk-1","type":"my type","param":"the whole prompt"}}"#
        let error = ProviderErrorReader.translate(status: 400, retryAfter: nil, body: Array(body.utf8), upstream: "a")
        #expect(error.code == "invalid_request" && error.type == "invalid_request_error" && error.param == nil)
    }

    @Test func `A secret is taken out of every field`() {
        let error = Failure(
            .refused, "sk-12345678 is odd", field: "a.sk-12345678",
            said: .init(status: 400, type: "sk-12345678", code: "sk-12345678"))
        let clean = error.without(Secret("sk-12345678"))
        #expect(!"\(clean)".contains("sk-12345678") && clean.message == "*** is odd")
        // A word that stands for "no key" is left alone.
        #expect(error.without(Secret("odd")).message == "sk-12345678 is odd")
    }
}
