import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct PassThroughResponseTests {
    private func read(_ body: String) throws(Failure) -> ClientResponse {
        try PassThroughResponse.read(Array(body.utf8), model: "new", upstream: "acme")
    }

    @Test(arguments: [
        #"{"id":"1","model":"old","choices":[{"message":{"role":"assistant","content":"hi","x":1e400}}],"n":0.10}"#,
        #"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}]},"finish_reason":"stop"}],"model":"old"}"#,
        #"{"choices":[{"message":{"content":"","reasoning_content":"hm"}}]}"#,
        #"{"choices":[{"message":{"content":"","images":[{"url":"u"}]}}]}"#,
        #"{"choices":[{"message":{"content":""},"finish_reason":"length"}]}"#,
        #"{"choices":[{"message":{"content":null},"finish_reason":"content_filter"}]}"#,
        #"{"choices":[{"text":"legacy"}]}"#,
        #"{"choices":[{"message":{"content":""}},{"message":{"content":"second"}}],"error":null}"#,
    ])
    func `Passes but for the name`(body: String) throws {
        #expect(try read(body).body == Array(body.replacing(#""model":"old""#, with: #""model":"new""#).utf8))
    }

    @Test(arguments: [
        (
            #"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}"#,
            TokenUsage(prompt: 5, completion: 7, total: 12) as TokenUsage?
        ),
        // Without the reasoning in the completion, and with a cache under another name.
        (
            #"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8},"prompt_cache_hit_tokens":4}"#,
            TokenUsage(prompt: 5, completion: 15, total: 20, reasoning: 8, cached: 4)
        ),
        (#"{"prompt_tokens":5,"completion_tokens":7}"#, TokenUsage(prompt: 5, completion: 7, total: 12)),
        ("null", nil), ("[]", nil), (#"{"cost":1}"#, nil), (#"{"prompt_tokens":-1,"total_tokens":1e300}"#, nil),
    ])
    func `Usage is read where it can be`(usage: String, expected: TokenUsage?) throws {
        #expect(try read(#"{"choices":[{"message":{"content":"a"}}],"usage":\#(usage)}"#).usage == expected)
    }

    @Test(arguments: [
        ("", 502, "upstream_invalid_answer"), ("<html>", 502, "upstream_invalid_answer"),
        ("[]", 502, "upstream_invalid_answer"),
        ("{}", 502, "upstream_invalid_answer"), (#"{"choices":null}"#, 502, "upstream_invalid_answer"),
        (#"{"choices":["#, 502, "upstream_invalid_answer"),
        (#"{"choices":[]}"#, 502, "upstream_empty_answer"),
        (
            #"{"choices":[{"message":{"role":"assistant","content":"","tool_calls":[],"refusal":null,"x":{"y":null}},"finish_reason":"stop"}]}"#,
            502, "upstream_empty_answer"
        ),
        (#"{"choices":[{"message":{"content":[{"type":"text","text":""}]}}]}"#, 502, "upstream_empty_answer"),
        (#"{"error":{"message":"m","code":"c"}}"#, 502, "c"),
        (#"{"error":{"message":"m","code":429}}"#, 429, "rate_limit_exceeded"),
        (#"{"error":{"message":"m","code":"503"},"choices":[]}"#, 503, "upstream_unavailable"),
        (#"{"error":"m"}"#, 502, "upstream_error"),
        (#"{"message":"m"}"#, 502, "upstream_error"),
        (#"{"error":{"message":"m","code":400,"type":"t"}}"#, 400, "invalid_request"),
        (#"{"choices":[{"error":{"message":"m","code":404},"finish_reason":"error"}]}"#, 404, "model_not_found"),
    ])
    func `What is no answer is a failure`(body: String, status: Int, code: String) {
        let error = #expect(throws: Failure.self) { try read(body) }
        #expect(error?.status == status)
        #expect(error?.code == code)
        if body.contains("\"m\"") { #expect(error?.message == "m") }
    }

    @Test(arguments: [
        "content_filter: PROHIBITED_CONTENT", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII",
        "refusal", "sensitive",
        "function_call_filter: MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL", "model_context_window_exceeded",
    ])
    func `An answer may be empty when it says why`(reason: String) throws {
        let body = #"{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"\#(reason)"}]}"#
        #expect(try read(body).body == Array(body.utf8))
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let frames = try PassThroughResponseAsStream.frames(
            of: Array(body.utf8), upstream: "a", in: envelope, includesUsage: false
        ).frames
        #expect(String(decoding: frames, as: UTF8.self).contains(#""finish_reason":"\#(reason)""#))
    }

    @Test(arguments: ["error", "network_error", "insufficient_system_resource", "end_turn", "COMPLETE", "eos"])
    func `The usual end or the upstream's trouble is no reason to be empty`(reason: String) {
        let error = #expect(throws: Failure.self) {
            try read(#"{"choices":[{"message":{"content":""},"finish_reason":"\#(reason)"}]}"#)
        }
        #expect(error == Failure.emptyAnswer)
    }

    @Test(arguments: [
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n",
        "\u{FEFF}\r\nevent: message\ndata: {\"choices\":[]}\n\n", ": OPENROUTER PROCESSING\n\n{\"choices\":[]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n", "{\"choices\":[]}\ndata:[DONE]",
        "data: oops\n\n", "data: ",
    ])
    func `A stream in place of a document is of the wrong kind`(body: String) {
        let error = #expect(throws: Failure.self) { try read(body) }
        #expect(
            error?.status == 502 && error?.code == "upstream_invalid_answer" && error?.about == .wrongKind
                && error?.forbidsRetry == true)
    }

    @Test func `An error as a stream is still that error`() {
        let error = #expect(throws: Failure.self) {
            try read("event: error\ndata: {\"error\":{\"message\":\"m\",\"code\":429}}\n\n")
        }
        #expect(error?.status == 429 && error?.about == .throttled)
    }

    @Test(arguments: ["<html>", "", "{\"choices\":", "[]", "{}", "nonsense"])
    func `Nonsense is the upstream's failure`(body: String) {
        let error = #expect(throws: Failure.self) { try read(body) }
        #expect(error?.about == .failed && error?.forbidsRetry == false)
    }
}
