import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct RetryHintTests {
    @Test(
        arguments: [
            ("Rate limit reached. Please try again in 20s. Visit the page.", 20), ("Please try again in 1m30s.", 90),
            ("try again in 550ms", 1), ("Please try again in 7m12.5s", 433),
            ("Please retry after 26 seconds.", 26), ("Please retry in 12.3s.", 13),
            ("Try again after 2 minutes and 5 seconds", 125), ("Please wait 30 seconds", 30),
            ("try again in about 1 hour", 3600),
            ("try again in 900h", 86_400), ("try again in 6 days", 86_400), ("try again in 0s", 0),
            ("Try again later.", nil), ("try again in 20", nil), ("try again in a while", nil), ("it took 20s", nil),
            ("retry in 5 parsecs", nil), ("try again in 1.2.3s", nil), ("", nil),
            ("try again in \(String(repeating: "9", count: 400))s", nil),
        ] as [(String, Int?)])
    func `Reads what a sentence says`(message: String, seconds: Int?) {
        #expect(RetryHint.seconds(inWords: message) == seconds)
    }

    @Test(
        arguments: [
            (["retry-after-ms": "1500", "retry-after": "60"], 2), (["retry-after": "7"], 7),
            (["retry-after-ms": "soon", "retry-after": "7"], 7), (["retry-after-ms": "-1"], nil),
            (["retry-after-ms": "1e99"], 86_400), ([:], nil),
        ] as [([String: String], Int?)])
    func `Reads headers`(headers: [String: String], seconds: Int?) {
        #expect(RetryHint.seconds({ headers[$0] }, now: 0) == seconds)
    }

    @Test(
        arguments: [
            (
                #"{"details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.4s"}]}"#,
                13
            ), (#"{"resets_in_seconds":40}"#, 40),
            (#"{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":7}]}"#, nil),
            (#"{"retry_after":-1}"#, nil), (#"{"details":"x"}"#, nil), ("[]", nil),
        ] as [(String, Int?)])
    func `Reads bodies`(body: String, seconds: Int?) throws {
        #expect(RetryHint.seconds(in: try JSONDocument(parsing: Array(body.utf8)).root) == seconds)
    }

    @Test(arguments: [429, 503])
    func `A refusal carries it`(status: Int) {
        func retryAfter(_ body: String, header: Int? = nil) -> Int? {
            ProviderErrorReader.translate(status: status, retryAfter: header, body: Array(body.utf8), upstream: "a")
                .retryAfter
        }
        #expect(retryAfter(#"{"error":{"message":"Please try again in 20s"}}"#) == 20)
        #expect(retryAfter(#"{"error":{"message":"Please try again in 20s"}}"#, header: 7) == 7)
        #expect(
            retryAfter(
                #"[{"error":{"message":"m","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12s"}]}}]"#
            ) == 12)
        #expect(
            OCIErrorReader.translate(
                status: status, retryAfter: nil, body: Array(#"{"code":"429","message":"try again in 3s"}"#.utf8),
                account: "a"
            ).retryAfter == 3)
    }
}
