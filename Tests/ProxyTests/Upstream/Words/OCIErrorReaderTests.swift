import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct OCIErrorReaderTests {
    private static let cases = Golden.cases("oci/errors")

    /// Where clients are told another type or code than the fixtures have, which call theirs a policy.
    private static let told: [String: (type: String, code: String)] = [
        "401_not_authenticated.json": ("upstream_error", "upstream_auth_failed"),
        "403_not_allowed.json": ("upstream_error", "upstream_auth_failed"),
        "504_html.json": ("timeout_error", "upstream_timeout"),
    ]

    @Test func `All cases are there`() {
        #expect(Self.cases.count == 23)
    }

    @Test(arguments: cases)
    func `Every fixture gives its error`(golden: Golden.Case) throws {
        let upstream = try #require(golden.object["upstream"] as? Golden.Object)
        let headers = upstream["headers"] as? [String: String]
        let error = OCIErrorReader.translate(
            status: try #require(upstream["status"] as? Int),
            retryAfter: headers?["retry-after"].flatMap { RetryAfter.seconds($0, now: 0) },
            body: Array(try #require(upstream["body"] as? String).utf8), account: "default")
        let expected = try #require(golden.object["expected"] as? Golden.Object)
        #expect(error.status == expected["status"] as? Int)
        var body = try #require((expected["body"] as? Golden.Object)?["error"] as? Golden.Object)
        if let (type, code) = Self.told[golden.name] {
            body["type"] = type
            body["code"] = code
        }
        let found = try #require(try Golden.parse(error.body) as? Golden.Object)
        #expect(Golden.difference(found["error"], body) == nil)
        #expect(error.retryAfter.map(String.init) == (expected["headers"] as? [String: String])?["retry-after"])
        #expect(!error.message.contains("<html"))
    }

    @Test func `Refused credentials are not retried by the client`() {
        for status in [401, 403] {
            #expect(OCIErrorReader.translate(status: status, retryAfter: nil, body: [], account: "a").forbidsRetry)
        }
    }

    @Test(arguments: [
        "This model's maximum context length is 131072 tokens. However, you requested 200000 tokens.",
        "Input is too long for requested model.", "prompt is too long: 210000 tokens > 200000 maximum",
        "too many tokens: total number of tokens in the request cannot exceed 8192 tokens",
        "Please reduce the length: the maximum prompt length is 131072 but the request contains 150000 tokens.",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        #"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
    ])
    func `An overlong prompt is named as agents expect`(words: String) throws {
        let body = try JSONSerialization.data(withJSONObject: ["code": "400", "message": words])
        let error = OCIErrorReader.translate(status: 400, retryAfter: nil, body: Array(body), account: "a")
        #expect(error.status == 400 && error.code == "context_length_exceeded")
        #expect(error.message.hasPrefix("This model's maximum context length is"))
    }

    @Test(arguments: [
        "Too many tokens per minute. Rate limit reached.", "Too many tokens, please wait before trying again.",
        "Too many tokens per day",
    ])
    func `A rate of tokens is no overlong prompt`(words: String) throws {
        let body = try JSONSerialization.data(withJSONObject: ["code": "400", "message": words])
        let error = OCIErrorReader.translate(status: 400, retryAfter: nil, body: Array(body), account: "a")
        #expect(error.status == 429 && error.about == .throttled)
    }

    @Test(arguments: ["temperature must be between 0 and 2", "max_tokens is too large"])
    func `Other words are not taken for an overlong prompt`(words: String) throws {
        let body = try JSONSerialization.data(withJSONObject: ["code": "400", "message": words])
        #expect(
            OCIErrorReader.translate(status: 400, retryAfter: nil, body: Array(body), account: "a").code
                == "invalid_request")
    }
}
