import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct PassThroughRequestTests {
    private func request(_ body: String) throws -> PassThroughRequest { try PassThroughRequest(body: Array(body.utf8)) }

    private func sent(_ body: String, as name: String = "up/stream") throws -> String {
        String(decoding: try request(body).body(model: name).bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (#"{"model":"m","messages":[]}"#, "m", false, false),
        (#"{"stream":true,"model":"p/a/b","stream_options":{"include_usage":true}}"#, "p/a/b", true, true),
        (#"{"model":"m","stream":false,"stream_options":null}"#, "m", false, false),
        (#"{"model":"m","stream":null,"stream_options":{"include_usage":1}}"#, "m", false, false),
        (#"{"model":"x","model":"m\u0065"}"#, "me", false, false),
        // Nothing of this is right, and all of it is the upstream's business.
        (#"{"model":"m","messages":7,"temperature":"hot","tools":{},"n":-1,"max_tokens":1e400}"#, "m", false, false),
    ])
    func `Tells what routing asks`(body: String, model: String, isStreaming: Bool, includesUsage: Bool) throws {
        let request = try request(body)
        #expect(request.model == model)
        #expect(request.isStreaming == isStreaming)
        #expect(request.includesUsage == includesUsage)
    }

    @Test(arguments: [
        #"{"model":"M","temperature":0.10,"top_p":1e400,"seed":12345678901234567890,"n":1.0}"#,
        "{\n  \"messages\" : [ {\"role\":\"user\",\"content\":\"caf\u{e9} \\u00e9 \\/ 😀 \\ud83d\"} ] ,\r\n\t\"model\":\"M\"  }\n",
        #"{"a":1,"a":2,"model":"M","model":"M","x-unknown":{"model":"inner","deep":[[{"model":null}]]}}"#,
        #"{"messages":[{"role":"user","content":"say \"model\":\"x\" }"}],"mod\u0065l":"M","stream":true}"#,
        "\u{FEFF}{\"model\":\"M\"}",
    ])
    func `Every byte but the name goes on`(body: String) throws {
        #expect(try sent(body) == body.replacing("\"M\"", with: "\"up/stream\""))
        #expect(try sent(body, as: "a\"b") == body.replacing("\"M\"", with: #""a\"b""#))
    }

    /// Whether what stands around the name is long enough to stay where it is or not.
    @Test(arguments: [0, 1, 100, 247, 248, 249, 256, 600], [0, 1, 100, 253, 254, 255, 256, 600])
    func `The name is replaced in bodies of all lengths`(before: Int, after: Int) throws {
        for other in ["", #","model":"m""#] {
            let body = Array(
                (#"{"a":""# + String(repeating: "x", count: before) + #"","model":"m""# + other + #","b":""#
                    + String(repeating: "y", count: after) + #""}"#).utf8)
            let text = try PassThroughRequest(body: body).body(model: "na\"me")
            #expect(text.bytes == ModelMember.replace(in: body[...], with: "na\"me"))
            #expect(text.count == text.bytes.count)
        }
    }

    @Test(arguments: [
        (#"{"model":"m","stream":true}"#, #"{"stream_options":{"include_usage":true},"model":"n","stream":true}"#),
        (
            #" { "stream" : true, "model":"m","model":"m"}"#,
            #" {"stream_options":{"include_usage":true}, "stream" : true, "model":"n","model":"n"}"#
        ),
        (
            #"{"model":"m","stream":true,"stream_options":null}"#,
            #"{"model":"n","stream":true,"stream_options":{"include_usage":true}}"#
        ),
        (
            #"{"stream":true,"stream_options":{ },"model":"m"}"#,
            #"{"stream":true,"stream_options":{"include_usage":true },"model":"n"}"#
        ),
        (
            #"{"stream":true,"stream_options":{"x":1},"model":"m"}"#,
            #"{"stream":true,"stream_options":{"include_usage":true,"x":1},"model":"n"}"#
        ),
        (
            #"{"model":"m","stream":true,"stream_options":{"x":1,"include_usage":false}}"#,
            #"{"model":"n","stream":true,"stream_options":{"x":1,"include_usage":true}}"#
        ),
        (
            "\u{FEFF}{\"model\":\"m\",\"stream\":true}",
            "\u{FEFF}{\"stream_options\":{\"include_usage\":true},\"model\":\"n\",\"stream\":true}"
        ),
    ])
    func `A stream is asked for its usage, and nothing else changes`(body: String, asking: String) throws {
        let request = try request(body)
        #expect(request.canAskUsage)
        #expect(String(decoding: request.body(model: "n", asksUsage: true).bytes, as: UTF8.self) == asking)
        #expect(String(decoding: request.body(model: "m").bytes, as: UTF8.self) == body)
        #expect(try PassThroughRequest(body: Array(asking.utf8)).includesUsage)
    }

    @Test(arguments: [
        #"{"model":"m"}"#, #"{"model":"m","stream":false}"#, #"{"model":"m","stream":true,"stream_options":7}"#,
        #"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
    ])
    func `What is no stream, has asked, or cannot ask, is not made to`(body: String) throws {
        let request = try request(body)
        #expect(!request.canAskUsage)
        #expect(String(decoding: request.body(model: "m", asksUsage: true).bytes, as: UTF8.self) == body)
    }

    @Test func `A body can be written for one upstream after the other`() throws {
        let request = try request(#"{"model":"m"}"#)
        #expect(request.body(model: "one").bytes == Array(#"{"model":"one"}"#.utf8))
        #expect(request.body(model: "two").bytes == Array(#"{"model":"two"}"#.utf8))
    }

    @Test(arguments: [
        (#"{"model":"m","stream":true}"#, #"{"model":"n","stream":false}"#),
        (#"{"stream": true ,"model" : "m"}"#, #"{"stream": false ,"model" : "n"}"#),
        (
            #"{"stream":false,"n":1.0,"stream":true,"model":"m"}"#,
            #"{"stream":false,"n":1.0,"stream":false,"model":"n"}"#
        ),
        (
            #"{ "stream_options" : {"include_usage":true} , "stream":true,"model":"m","x":0.10}"#,
            #"{ "stream":false,"model":"n","x":0.10}"#
        ),
        (#"{"model":"m","stream_options":{"a":[1,{}]},"stream":true}"#, #"{"model":"n","stream":false}"#),
        (
            "{\"model\":\"m\",\n \"stream\":true,\n \"stream_options\":null\n}",
            "{\"model\":\"n\",\n \"stream\":false\n}"
        ),
        (
            #"{"stream_options":1,"stream_options":2,"model":"m","stream_options":3,"stream":true,"stream_options":4,"str\u0065am_options":5}"#,
            #"{"model":"n","stream":false}"#
        ),
        (
            #"{"stream":true,"messages":[{"stream":true,"stream_options":1}],"model":"m","metadata":{"stream":true}}"#,
            #"{"stream":false,"messages":[{"stream":true,"stream_options":1}],"model":"n","metadata":{"stream":true}}"#
        ),
        ("\u{FEFF}{\"model\":\"m\",\"stream\":true}", "\u{FEFF}{\"model\":\"n\",\"stream\":false}"),
    ])
    func `A stream that is not asked for upstream is the only other change`(body: String, expected: String) throws {
        #expect(
            String(decoding: try request(body).body(model: "n", isStreaming: false).bytes, as: UTF8.self) == expected)
        #expect(try sent(body, as: "m") == body)
    }

    @Test(arguments: [
        ("", nil as String?, "invalid_json"), ("{\"model\":\n \"m\",}", nil, "invalid_json"),
        ("{\"model\":\"m\"} x", nil, "invalid_json"),
        ("[]", nil, "invalid_type"), ("\"model\"", nil, "invalid_type"), ("{}", "model", "missing_required_parameter"),
        (#"{"model":null}"#, "model", "missing_required_parameter"),
        (#"{"model":" "}"#, "model", "missing_required_parameter"),
        (#"{"model":3}"#, "model", "invalid_type"), (#"{"model":"m","model":[]}"#, "model", "invalid_type"),
        (#"{"model":"m","stream":"yes"}"#, "stream", "invalid_type"),
    ])
    func `What cannot be routed is refused`(body: String, param: String?, code: String) {
        let error = #expect(throws: Failure.self) { try request(body) }
        #expect(error?.status == 400)
        #expect(error?.type == "invalid_request_error")
        #expect(error?.param == param)
        #expect(error?.code == code)
    }

    @Test func `Broken JSON names its place`() {
        let error = #expect(throws: Failure.self) { try request("{\"model\":\n \"m\",}") }
        #expect(error?.message.contains("line 2, column 6") == true)
    }

    @Test func `Hostile bodies are refused and no more`() {
        let deep = #"{"model":"m","x":"# + String(repeating: "[", count: 100_000)
        #expect(throws: Failure.self) { try request(deep) }
        #expect(throws: Failure.self) {
            try PassThroughRequest(body: Array(#"{"model":""#.utf8) + [0xFF] + Array("\"}".utf8))
        }
    }
}
