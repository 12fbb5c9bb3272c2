/// The forms in which vendors, frameworks and gateways refuse, beside the service's own.
package enum OddRefusal {
    /// What is said in each of them.
    package static let words = "the seventh message is too odd"

    package struct Form: Sendable {
        package let body: String
        package var contentType = "application/json"
    }

    package static let forms: [Form] = [
        Form(body: #"{"statusCode":400,"message":"\#(words)","error":"Bad Request"}"#),
        Form(body: #"{"statusCode":400,"message":["\#(words)"],"error":"Bad Request"}"#),
        Form(body: #"{"success":false,"result":null,"errors":[{"code":7003,"message":"\#(words)"}],"messages":[]}"#),
        Form(body: #""\#(words)""#),
        Form(body: words, contentType: "text/plain"), Form(body: #"{"code":1001,"msg":"\#(words)"}"#),
        Form(body: #"{"detail":{"error":{"message":"\#(words)"}}}"#),
        Form(body: #"{"detail":[{"type":"missing","loc":["body","messages",7],"msg":"\#(words)"}]}"#),
        Form(body: #"{"error":"\#(words)"}"#),
        Form(body: #"[{"error":{"code":400,"message":"\#(words)","status":"INVALID_ARGUMENT"}}]"#),
        Form(body: #"{"error_code":336003,"error_msg":"\#(words)"}"#),
        Form(body: "data: {\"error\":{\"message\":\"\(words)\"}}\n\n", contentType: "text/event-stream"),
        Form(
            body: #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"\#(words)"}"#,
            contentType: "application/problem+json"),
        Form(body: #"{"error":{"message":"Provider returned error","metadata":{"raw":"\#(words)"}}}"#),
    ]
}
