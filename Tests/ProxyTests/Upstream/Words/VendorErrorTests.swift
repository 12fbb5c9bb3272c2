import Foundation
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Errors of the vendors behind OCI, wrapped in ways that the fixtures do not show.
@Suite struct VendorErrorTests {
    private func error(_ status: Int, _ message: String) throws -> Failure {
        let body = try JSONSerialization.data(withJSONObject: ["code": String(status), "message": message])
        return OCIErrorReader.translate(status: status, retryAfter: nil, body: Array(body), account: "a")
    }

    @Test(arguments: [
        #"{"message":"bad value"}"#, #"[{"error":{"code":400,"message":"bad value","status":"INVALID_ARGUMENT"}}]"#,
        #"Upstream said: {"error":{"message":"bad value"}}"#, #"{"code":"x","error":"bad value"}"#,
        #"{"error":{"message":"bad value","code":null}}"#, "bad value",
    ])
    func `The words are taken out of their wrapping`(message: String) throws {
        #expect(try error(400, message).message == "bad value")
    }

    @Test(arguments: [#"{"oops":1}"#, "use {name} here", "[see docs]", "{}"])
    func `Braces that wrap nothing stay`(message: String) throws {
        #expect(try error(400, message).message == message)
    }

    @Test(
        arguments: [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529],
        ["<html><b>no</b></html>", " \n<!DOCTYPE html>", "", "  "])
    func `Markup and blanks are never shown`(status: Int, message: String) throws {
        let found = try error(status, message)
        #expect(!found.message.contains("<") && found.message.contains { $0.isLetter })
    }

    @Test func `A used up quota is not retried`() throws {
        let found = try error(
            429, #"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#)
        #expect(found.status == 429 && found.code == "insufficient_quota" && found.forbidsRetry)
    }

    @Test(
        arguments: [
            ("prompt is too long: 210000 tokens > 200000 maximum", "200000 tokens"),
            ("Error code: 400 - input is too long: maximum context length 131072, got 200000", "131072 tokens"),
            ("The prompt has 200,000 tokens, the maximum prompt length is 131,072 tokens.", "131072 tokens"),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                "1048576 tokens"
            ),
            ("too many tokens: total number of tokens in the request cannot exceed 8192 tokens", "8192 tokens"),
            (
                "Invalid request: This model's maximum context length is 8192 tokens. However, you requested 10359 tokens (359 in the messages).",
                "8192 tokens"
            ),
            ("Input is too long for requested model.", "exceeded"),
            ("HTTP 400: prompt is too long (request 123456)", "exceeded"),
        ], [400, 413, 422])
    func `The limit of an overlong prompt is the one named`(words: (message: String, limit: String), status: Int) throws
    {
        let found = try error(status, words.message)
        #expect(found.status == 400 && found.code == "context_length_exceeded")
        #expect(found.message.hasPrefix("This model's maximum context length is \(words.limit)"))
    }
}
