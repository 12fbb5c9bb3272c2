import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct PassThroughRelayTests {
    /// What a stream became.
    struct Outcome {
        var output = ""
        var failure: Failure?
        var relay: PassThroughRelay
    }

    private func run(_ pieces: [String], endsClean: Bool = true, limit: Int = SSEParser.longestLine) -> Outcome {
        run(bytes: pieces.map { Array($0.utf8) }, limit: limit)
    }

    private func run(bytes pieces: [[UInt8]], limit: Int = SSEParser.longestLine) -> Outcome {
        let relay = PassThroughRelay(model: "new", upstream: "acme", limit: limit)
        var output: [UInt8] = []
        var failure: Failure?
        for piece in pieces where failure == nil {
            failure = relay.take(ByteBuffer(bytes: piece))
            output += relay.takeFrames()
        }
        if failure == nil {
            failure = relay.end()
            output += relay.takeFrames()
        }
        return Outcome(output: String(decoding: output, as: UTF8.self), failure: failure, relay: relay)
    }

    private static func delta(_ text: String, index: Int = 0, finish: String = "null") -> String {
        #"{"id":"x","model":"old","choices":[{"index":\#(index),"delta":{"content":"\#(text)"},"finish_reason":\#(finish)}],"usage":null}"#
    }

    private func event(_ text: String, index: Int = 0, finish: String = "null") -> String {
        "data: \(Self.delta(text, index: index, finish: finish))\n\n"
    }

    private var stop: String { event("", finish: "\"stop\"") }

    private func renamed(_ text: String) -> String { text.replacing(#""model":"old""#, with: #""model":"new""#) }

    // MARK: Bytes

    @Test func `Only the name changes`() {
        let stream = [
            "event: message\ndata:{\"model\" : \"old\" ,\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n",
            event(#"\"model\":\"old\" \ud83d"#), "data:   \(Self.delta("two")) \nevent:delta\n\n",
            #"data: {"mod\u0065l":"old","model":null,"choices":[],"n":1e400,"t":0.10}"# + "\n\n", stop,
            "data:[DONE]\r\n\r\n",
        ].joined()
        let outcome = run([stream])
        #expect(outcome.failure == nil)
        #expect(
            outcome.output
                == stream.replacing(#""model" : "old""#, with: #""model" : "new""#).replacing(
                    #""model":null"#, with: #""model":"new""#
                )
                .replacing(#"{"mod\u0065l":"old""#, with: #"{"mod\u0065l":"new""#).replacing(
                    #"x","model":"old""#, with: #"x","model":"new""#))
        #expect(outcome.relay.isComplete && outcome.relay.isFinished)
    }

    @Test(arguments: [
        "\n", "\r\n\n", "id: 7\n\n", "retry: 10\n\n", "event: ping\n\n", "event: message\r\nid: 1\r\nretry: 3\r\n\r\n",
        "data:\n\n", "data: \r\n\r\n", "data:\ndata:\n\n",
        ": OPENROUTER PROCESSING\n\n", ": ping - 2026\n\n", ":\n", "id: 7\n: comment\n\n", "unknown: x\n\n", "data\n\n",
    ])
    func `Blocks without data are dropped`(block: String) {
        for newline in ["\n", "\r\n"] {
            let first = event("a").replacing("\n", with: newline)
            let outcome = run([block + first + block + event("b") + block + stop + block + "data: [DONE]\n\n"])
            #expect(outcome.failure == nil && outcome.relay.unreadableEvents == 0)
            #expect(outcome.output == renamed(first + event("b") + stop) + "data: [DONE]\n\n")
        }
    }

    /// What each line of an event with data comes to.
    @Test(arguments: [
        ("id: 7", false), ("id", false), ("retry: 10", false), (": comment", false), (": ping", false), (":", false),
        ("unknown: x", false), ("data", false),
        ("event: message", true), ("event:delta", true),
    ])
    func `Of an event with data only what says something of it goes on`(line: String, isKept: Bool) {
        for newline in ["\n", "\r\n"] {
            let kept = isKept ? line + newline : ""
            let data = "data: " + Self.delta("a") + newline
            #expect(
                run([line + newline + data + newline + stop]).output == kept + renamed(data) + newline + renamed(stop)
                    + "data: [DONE]\n\n")
            #expect(
                run([data + line + newline + newline + stop]).output == renamed(data) + kept + newline + renamed(stop)
                    + "data: [DONE]\n\n")
            let split =
                "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\(newline)\(line)\(newline)data:\"model\":\"old\"}\(newline)\(newline)"
            let expected = isKept ? split : split.replacing(line + newline, with: "")
            #expect(run([split + stop]).output == renamed(expected + stop) + "data: [DONE]\n\n")
        }
        // The end of the stream takes the blank line, or more.
        #expect(
            run(["data: \(Self.delta("a", finish: "\"stop\""))\n\(line)"]).output.hasPrefix(
                "data: \(renamed(Self.delta("a", finish: "\"stop\"")))\n"))
        #expect(run(["data: \(Self.delta("a", finish: "\"stop\""))\n\(line)"]).output.hasSuffix("\n\ndata: [DONE]\n\n"))
    }

    @Test func `How the bytes arrive means nothing`() {
        var random = SplitMix64(seed: 2024)
        for round in 0..<400 {
            var stream = round % 3 == 0 ? "\u{FEFF}" : ""
            var expected = ""
            let style = ["\n", "\r\n"]
            func add(_ lines: [String], dropped: [String] = []) {
                let newline = style.randomElement(using: &random) ?? "\n"
                stream += (lines + dropped + [""]).map { $0 + newline }.joined()
                if !lines.isEmpty { expected += renamed((lines + [""]).map { $0 + newline }.joined()) }
            }
            add(["data: " + Self.delta("", finish: "null")])
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let text =
                    ["é😀", #"\n\"model\":\"old\""#, "data: x", String(repeating: "long ", count: 40), ""].randomElement(
                        using: &random) ?? ""
                switch Int.random(in: 0..<6, using: &random) {
                case 0: add([], dropped: [": " + text, "id: 1"])
                case 1: add(["event: message", "data:" + Self.delta(text)], dropped: [": c"])
                case 2: add(["data: {\"id\":\"x\",", "data:\"model\":\"old\",", "data: \"choices\":[] }"])
                default: add(["data: " + Self.delta(text)])
                }
            }
            add(["data: " + Self.delta("last", finish: "\"stop\"")])
            add(["data: [DONE]"])
            stream += ["", "data: {\"after\":1}\n\n"].randomElement(using: &random) ?? ""
            var pieces: [[UInt8]] = []
            var rest = Array(stream.utf8)[...]
            while !rest.isEmpty {
                let count = Int.random(
                    in: 1...max(1, min(rest.count, [1, 3, 40, 2000].randomElement(using: &random) ?? 1)), using: &random
                )
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let outcome = run(bytes: pieces)
            #expect(outcome.failure == nil)
            #expect(outcome.output == expected, "round \(round)")
            #expect(outcome.relay.unreadableEvents == 0)
        }
    }

    @Test func `The events of one read leave in one piece`() {
        let relay = PassThroughRelay(model: "new", upstream: "acme")
        let text = event("a") + event("b") + event("c")
        #expect(relay.take(ByteBuffer(bytes: (text + "data: {\"mo").utf8)) == nil)
        #expect(relay.takeFrames() == Array(renamed(text).utf8))
        #expect(relay.takeFrames().isEmpty)
    }

    @Test func `Events without a blank line between them are taken singly`() {
        let first = "data: \(Self.delta("a"))\n"
        let last = "data: \(Self.delta("b", finish: "\"stop\""))\n"
        for other in ["", "id: 1\n", "data:\n", "data: oops\n"] {
            let outcome = run([first + other + last + "data: [DONE]\n"])
            #expect(outcome.failure == nil)
            #expect(outcome.output == renamed(first) + "\n" + renamed(last) + "\ndata: [DONE]\n\n")
        }
    }

    // MARK: Endings

    @Test func `Nothing follows done`() {
        let outcome = run([event("a") + stop + "data: [DONE]\n\n" + event("late"), event("later")])
        #expect(outcome.failure == nil)
        #expect(outcome.output == renamed(event("a") + stop) + "data: [DONE]\n\n")
    }

    @Test(arguments: ["", "data: [DONE]", "data: [DONE]\n", "data: {\"choi", ": cut", "\n", "data: [DO"])
    func `An answer with a reason is complete however it ends`(tail: String) {
        let outcome = run([event("a") + stop + tail])
        #expect(outcome.failure == nil)
        #expect(outcome.output.hasPrefix(renamed(event("a") + stop)))
        #expect(outcome.output.hasSuffix("\n\ndata: [DONE]\n\n") || outcome.output.hasSuffix("\n\n\ndata: [DONE]\n\n"))
        #expect(!outcome.output.contains("choi\n") && !outcome.output.contains(": cut"))
    }

    @Test func `A last event that lacks its blank line is whole`() {
        let last = "data: " + Self.delta("b", finish: "\"stop\"")
        let outcome = run([event("a") + last])
        #expect(outcome.failure == nil)
        #expect(outcome.output == renamed(event("a") + last) + "\n\ndata: [DONE]\n\n")
    }

    @Test(arguments: ["", "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}", "data: [DON"])
    func `A stream that was cut is never passed off as whole`(tail: String) {
        let outcome = run([event("a") + tail])
        #expect(outcome.failure == .incompleteStream)
        #expect(outcome.output == renamed(event("a")))
        #expect(!outcome.relay.isComplete)
    }

    @Test func `Done is the upstream's word even without a reason`() {
        let outcome = run([event("a") + "data: [DONE]\n\n"])
        #expect(outcome.failure == nil && outcome.relay.isComplete)
    }

    @Test func `Every choice must end`() {
        let one = event("a") + event("b", index: 1) + event("", finish: "\"stop\"")
        let relay = PassThroughRelay(model: "new", upstream: "acme")
        #expect(relay.take(ByteBuffer(bytes: one.utf8)) == nil)
        #expect(!relay.isFinished)
        #expect(relay.take(ByteBuffer(bytes: event("", index: 1, finish: "\"length\"").utf8)) == nil)
        #expect(relay.isFinished && !relay.isComplete)
        #expect(run([one]).failure == .incompleteStream)
        let both = #"data: {"choices":[{"index":0,"finish_reason":"stop"},{"index":1,"finish_reason":null}]}"# + "\n\n"
        #expect(run([both]).failure == .incompleteStream)
        #expect(run([both + event("b", index: 1, finish: "\"stop\"")]).failure == nil)
    }

    @Test func `A reason is read only where it stands`() {
        let outcome = run([
            #"data: {"choices":[{"delta":{"content":"\"finish_reason\":\"stop\"","finish_reason":"stop"},"finish_reason":""}],"finish_reason":"stop"}"#
                + "\n\n"
        ])
        #expect(outcome.failure == .incompleteStream)
    }

    // MARK: Failures

    @Test(arguments: [
        (#"data: {"error":{"message":"boom","code":"bad"}}"#, 502, "boom", "bad"),
        (#"data: {"error":{"message":"slow down","code":429},"choices":[]}"#, 429, "slow down", "rate_limit_exceeded"),
        (#"data: {"error":"text"}"#, 502, "text", "upstream_error"),
        ("event: error\ndata: {\"message\":\"boom\"}", 502, "boom", "upstream_error"),
        (
            #"data: {"error":{"message":"boom"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            502, "boom", "upstream_error"
        ),
        ("event: error\ndata: oh", 502, "'acme' reported an error without a reason. Try again.", "upstream_error"),
        (
            #"data: {"error":{"message":"boom"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}]}"#,
            502, "boom", "upstream_error"
        ),
        ("event: error", 502, "'acme' reported an error without a reason. Try again.", "upstream_error"),
        (
            #"data: {"error":{"message":"prompt is too long: 20 tokens > 10 maximum"}}"#, 400,
            "This model's maximum context length is", "context_length_exceeded"
        ),
    ])
    func `An error is a failure and is not passed on`(text: String, status: Int, message: String, code: String) {
        for start in ["", event("a")] {
            let outcome = run([start + text + "\n\n" + event("b")])
            #expect(outcome.output == renamed(start))
            #expect(outcome.failure?.status == status)
            #expect(outcome.failure?.code == code)
            #expect(outcome.failure?.message.hasPrefix(message) == true)
        }
    }

    @Test func `A null error is none`() {
        #expect(
            run([#"data: {"error":null,"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"# + "\n\n"])
                .failure == nil)
    }

    @Test func `A broken event is skipped and counted`() {
        let outcome = run([
            event("a") + "data: {\"choices\":[\n\ndata: oops\n\ndata: []\n\n" + event("b") + stop + "data: [DONE]\n\n"
        ])
        #expect(outcome.failure == nil)
        #expect(outcome.output == renamed(event("a") + event("b") + stop) + "data: [DONE]\n\n")
        #expect(outcome.relay.unreadableEvents == 3)
        // The reason may have been in the event that could not be read.
        #expect(run([event("a") + "data: {\"cho\n\ndata: [DONE]\n\n"]).failure == .incompleteStream)
    }

    @Test func `A stream without any choice is no answer`() {
        #expect(run(["data: [DONE]\n\n"]).failure?.code == "upstream_empty_answer")
        let outcome = run(["data: {\"choices\":[]}\n\ndata: [DONE]\n\n"])
        #expect(outcome.failure?.code == "upstream_empty_answer" && outcome.output.isEmpty)
        #expect(run([""]).failure == .incompleteStream)
        #expect(run([": hello\n\n"]).failure == .incompleteStream)
    }

    @Test func `A document in place of a stream is a failure`() {
        #expect(run([#"{"error":{"message":"no such model","code":404}}"#]).failure?.status == 404)
        let answer = #"{"choices":[{"message":{"content":"hi"}}]}"#
        for text in [
            answer, answer + "\n\ndata: [DONE]\n\n", answer + "\ndata: [DONE]\n\n", ": hello\n\n" + answer,
            ": hello\n" + answer + "\n\n",
        ] {
            let failure = run([text]).failure
            #expect(
                failure?.code == "upstream_invalid_answer" && failure?.about == .wrongKind
                    && failure?.forbidsRetry == true)
        }
        #expect(
            run([#"{"error":{"message":"no","code":"rate_limit_exceeded"}}"# + "\n\n"]).failure?.about == .throttled)
        #expect(run(["<html></html>"]).failure == .incompleteStream)
    }

    // MARK: Usage

    @Test func `The last usage counts`() {
        func usage(_ text: String) -> String { "data: {\"choices\":[],\"usage\":\(text)}\n\n" }
        let first = #"{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#
        let last =
            #"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":3},"prompt_tokens_details":{"cached_tokens":2}}"#
        let outcome = run([event("a") + usage(first) + stop + usage(last) + usage("null") + "data: [DONE]\n\n"])
        #expect(outcome.relay.usage == TokenUsage(prompt: 5, completion: 7, total: 12, reasoning: 3, cached: 2))
        #expect(run([event(#"\"usage\":{\"prompt_tokens\":1}"#) + stop]).relay.usage == nil)
    }

    // MARK: Hostile input

    @Test func `An event without an end is given up`() {
        let outcome = run(
            [event("a"), "data: " + String(repeating: "x", count: 200), String(repeating: "y", count: 200)], limit: 300)
        #expect(outcome.failure == .endlessLine(limit: 300))
        #expect(run([": x\n", String(repeating: ": y\n", count: 100)], limit: 300).failure == .endlessLine(limit: 300))
    }

    @Test func `A line of a megabyte in small reads is read once`() {
        let piece = String(repeating: "x", count: 100)
        let outcome = run(
            ["data: {\"choices\":[{\"delta\":{\"content\":\""] + Array(repeating: piece, count: 10_000) + [
                "\"},\"finish_reason\":\"stop\"}],\"model\":\"old\"}\n\n"
            ])
        #expect(outcome.failure == nil)
        #expect(outcome.output.hasSuffix("],\"model\":\"new\"}\n\ndata: [DONE]\n\n"))
    }

    @Test func `Deep nesting and many lines are only bytes`() {
        let deep =
            "data: {\"x\":" + String(repeating: "[", count: 400_000) + String(repeating: "]", count: 400_000) + "}\n\n"
        #expect(run([deep, event("a") + stop]).relay.unreadableEvents == 1)
        let wide =
            "data: {\"x\":[" + String(repeating: "0,", count: 400_000)
            + "0],\"choices\":[{\"finish_reason\":\"stop\",\"delta\":{\"content\":\"x\"}}],\"model\":\"old\"}\n\n"
        #expect(run([wide]).output == renamed(wide) + "data: [DONE]\n\n")
        let lines = event("a") + String(repeating: "data: {\n", count: 100_000) + "\n" + stop
        #expect(run([lines]).relay.unreadableEvents == 100_000)
    }

    @Test func `Any bytes are survived`() {
        var random = SplitMix64(seed: 77)
        let seed = Array(
            (event("a") + "event: error\ndata: {}\n\n" + event("b", index: 3) + stop + "data: [DONE]\r\n\r\n").utf8)
        for _ in 0..<3000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.remove(at: place)
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let whole = run(bytes: [bytes])
            let cutUp = run(bytes: [Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(whole.output == cutUp.output && whole.failure == cutUp.failure)
        }
    }

    // MARK: What is no JSON stays here

    @Test(arguments: [
        #"{"x":nul,"model":"old"}"#, #"{"x":01.e+}"#, #"{"x":1 "y":2}"#, #"{"x":[1 2]}"#, "{\"x\":\"\\x\"}",
        "{\"x\":1,\u{0}\"y\":2}", #"{"x":1,}"#, #"{"x":+1}"#, #"{"x":.5}"#, #"{"x":tru}"#,
        #"{"x":"\u12"}"#, "{\"x\":\"\u{1}\"}", #"{"x":NaN}"#, #"{'x':1}"#, #"{"x":1}}"#, #"{"x":1}//"#,
        #"{"x":{"y":}}"#, "{\"x\":" + String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000) + "}",
        "{\"x\":\r1}", "{\r\"x\":1}", "{\"x\":1}\r\rdata: evil",
        "{\"a\":[" + String(repeating: "1,", count: 500) + "1,]}",
    ])
    func `An event that is no JSON does not pass`(data: String) {
        let outcome = run([event("a") + "data: \(data)\n\n" + "data: {\"x\":\ndata: \(data)}\n\n" + event("b") + stop])
        #expect(outcome.failure == nil)
        #expect(outcome.output == renamed(event("a") + event("b") + stop) + "data: [DONE]\n\n")
        #expect(outcome.relay.unreadableEvents >= 2)
    }

    @Test func `Bytes that are no UTF-8 do not pass`() {
        for bad: [UInt8] in [
            [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80],
        ] {
            let first = Array("data: {\"x\":\"".utf8) + bad + Array("\"}\n\n".utf8)
            let second = Array("event: ".utf8) + bad + Array("\ndata: {}\n\n".utf8)
            let outcome = run(bytes: [Array(event("a").utf8) + first + second + Array((event("b") + stop).utf8)])
            #expect(outcome.output == renamed(event("a") + event("b") + stop) + "data: [DONE]\n\n")
            #expect(outcome.relay.unreadableEvents == 2)
        }
    }

    /// A carriage return ends a line for a reader that goes by the standard, wherever it stands.
    @Test func `No line hides in another`() {
        for hidden in ["event: x\rdata: evil\n", "event: \u{85}\n", "event: a\r\r\n"] {
            let outcome = run([event("a") + hidden + "data: {}\n\n" + event("b") + stop])
            #expect(
                outcome.output == renamed(event("a") + event("b") + stop) + "data: [DONE]\n\n"
                    && outcome.relay.unreadableEvents == 1)
        }
        // Comments and other fields do not leave at all.
        #expect(
            run([": x\rdata: evil\nid: 1\rdata: evil\n" + event("b") + stop]).output == renamed(event("b") + stop)
                + "data: [DONE]\n\n")
        // A failure is one, whatever else is wrong with it.
        #expect(
            run([event("a") + "event: error\ndata: {\"message\":\r\"boom\"}\n\n"]).failure?.message.hasPrefix("boom")
                == true)
    }

    @Test func `An event of many values passes as it is`() {
        let large =
            #"{"id":"x","model":"old","choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[\#((0..<50).map { #"{"token":"\#($0)","logprob":-0.5,"bytes":[1,2,3]}"# }.joined(separator: ","))]},"finish_reason":"stop"}]}"#
        #expect(run(["data: \(large)\n\n"]).output == renamed("data: \(large)\n\n") + "data: [DONE]\n\n")
    }

    @Test func `Events of random damage are JSON or stay`() throws {
        var random = SplitMix64(seed: 11)
        for _ in Fuzz.seeds(3000) {
            let damaged = Fuzz.damage(Array(Self.delta("some text é").utf8), with: Fuzz.json, upTo: 3, &random).filter {
                $0 != 0x0A
            }
            let outcome = run(bytes: [Array((event("a") + "data: ").utf8) + damaged + Array(("\n\n" + event("b")).utf8)]
            )
            for line in outcome.output.split(separator: "\n") where line.hasPrefix("data:") && line != "data: [DONE]" {
                #expect(throws: Never.self) { try JSONDocument(parsing: Array(line.utf8.dropFirst(5))) }
            }
        }
    }

    // MARK: Bounds

    @Test(arguments: [128, 1_000_000, 999_999_999_999_999_999])
    func `A choice beyond all that can be asked for is a failure`(index: Int) {
        for start in ["", event("a")] {
            let outcome = run([start + event("x", index: index) + stop])
            #expect(
                outcome.failure?.status == 502 && outcome.failure?.code == "upstream_invalid_answer"
                    && outcome.output == renamed(start))
            let several = #"data: {"choices":[{"index":0},{"index":\#(index)}]}"# + "\n\n"
            #expect(run([start + several]).failure?.code == "upstream_invalid_answer")
        }
        #expect(run([event("a", index: 127, finish: "\"stop\"")]).failure == nil)
    }

    @Test func `A line of more than a mebibyte is given up`() {
        let line = "data: {\"x\":\"" + String(repeating: "x", count: 1 << 20)
        #expect(run([event("a"), line]).failure == .endlessLine(limit: 1 << 20))
        var parser = SSEParser()
        parser.feed(line.utf8)
        #expect(throws: SSEParser.LineTooLong(limit: 1 << 20)) { try parser.next() }
    }
}
