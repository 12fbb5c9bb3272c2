import ProxyRouting
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct PassingUsageTests {
    private static func usage(of text: String, as type: String = "application/json", in pieces: Int = .max)
        -> TokenUsage?
    {
        guard var usage = PassingUsage(contentType: type) else { return nil }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            usage.take(piece.span)
            rest = rest.dropFirst(pieces)
        }
        return usage.usage
    }

    private static let picture = String(repeating: "iVBORw0K", count: 4000)
    private static let told =
        #""usage":{"input_tokens":50,"output_tokens":4160,"total_tokens":4210,"input_tokens_details":{"text_tokens":50,"image_tokens":0}}"#
    private static let expected = TokenUsage(prompt: 50, completion: 4160, total: 4210)

    @Test(
        arguments: [
            #"{"created":1,"data":[{"b64_json":"\#(picture)"}],\#(told)}"#,
            #"{\#(told),"data":[{"b64_json":"\#(picture)"}]}"#,
            "{ \n \"data\" : [ { \"usage\" : { \"input_tokens\" : 7 } } ] ,\n \(told.replacing(":", with: " : ")) }",
            #"{"text":"\"usage\":{\"input_tokens\":9} \\","usage":null,"x":{"usage":{"input_tokens":1}},\#(told)}"#,
            #"{"usage":{"input_tokens":1,"output_tokens":1},\#(told)}"#,
        ], [1, 2, 3, 7, 64, Int.max])
    func `The usage of a document is found, however it comes`(text: String, pieces: Int) {
        #expect(Self.usage(of: text, in: pieces) == Self.expected)
    }

    @Test(arguments: ["\n", "\r\n"], [1, 2, 5, Int.max])
    func `That of a stream is its last one's`(line: String, pieces: Int) {
        let events = [
            "event: image_generation.partial_image",
            #"data: {"b64_json":"\#(Self.picture)","usage":{"input_tokens":1}}"#, "",
            ": usage", #"data:{"type":"x","a":"unended"#, "", "event: image_generation.completed",
            #"data: {"type":"image_generation.completed","b64_json":"\#(Self.picture)",\#(Self.told)}"#, "",
            "data: [DONE]", "", "",
        ]
        let text = events.joined(separator: line)
        #expect(Self.usage(of: text, as: "text/event-stream; charset=utf-8", in: pieces) == Self.expected)
    }

    @Test func `Event data on several lines are one document`() {
        let text = "data: {\"type\":\"x\",\ndata: \(Self.told)\ndata: }\n\n"
        #expect(Self.usage(of: text, as: "text/event-stream") == Self.expected)
    }

    @Test func `In chat completions' words, too`() {
        let text = #"{"text":"x","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#
        #expect(Self.usage(of: text) == TokenUsage(prompt: 3, completion: 4, total: 7))
    }

    @Test(arguments: [
        #"{"text":"x","usage":{"type":"duration","seconds":9}}"#, #"{"usage":[{"input_tokens":1}]}"#,
        #"{"usage":"{\"input_tokens\":1}"}"#, #"[{"usage":{"input_tokens":1}}]"#,
        #"{"data":{"usage":{"input_tokens":1}}}"#,
        #"{"usage":{"input_tokens":-1,"output_tokens":-5}}"#, #"{"usage":{"input_tokens":1e400}}"#, "", "{", "}}}}",
        "]]{\"usage\":{",
        "{\"usage\":{\"x\":\"" + String(repeating: "y", count: 20_000) + "\",\"input_tokens\":1}}",
    ])
    func `What is none is none`(text: String) { #expect(Self.usage(of: text) == nil) }

    @Test(arguments: ["audio/mpeg", "text/plain", "application/octet-stream", nil] as [String?])
    func `Sound is not looked through`(type: String?) { #expect(PassingUsage(contentType: type) == nil) }
}
