import NIOHTTP1
import Testing

@testable import Proxy

/// Responses to chats as events, without connections.
@Suite struct ChatResponseReaderTests {
    private static let stream = HTTPResponseHead(
        version: .http1_1, status: .ok, headers: ["content-type": "text/event-stream; charset=utf-8"])

    /// The events of a response that comes in these pieces, and what it ends with.
    private func read(_ head: HTTPResponseHead, _ pieces: String...) -> (events: [ChatEvent], failure: ChatFailure?) {
        var reader = ChatResponseReader()
        for piece in pieces { reader.read(.init(head: head, bytes: Array(piece.utf8))) }
        reader.read(.init(head: head, isComplete: true))
        reader.read(.init(head: head, isComplete: true, isOver: true))
        return (reader.takeEvents(), reader.failure)
    }

    private func chunk(_ delta: String, finish: String = "null") -> String {
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\(delta)},\"finish_reason\":\(finish)}]}\n\n"
    }

    @Test func `A stream is told piece by piece and decoded`() {
        let (events, failure) = read(
            Self.stream, ": keep-alive\n\n", chunk(#""role":"assistant","content":"a\n\u00e9""#),
            chunk(#""reasoning_content":"hm""#), String(chunk(#""content":"b""#).prefix(20)),
            String(chunk(#""content":"b""#).dropFirst(20)), chunk("", finish: #""stop""#),
            #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"# + "\n\n",
            "data: [DONE]\n\n")
        #expect(
            events == [
                .text("a\né"), .reasoning("hm"), .text("b"), .finish(.stop),
                .usage(.init(prompt: 3, completion: 4, total: 7)),
            ])
        #expect(failure == nil)
    }

    @Test func `A tool call is told with its arguments`() {
        let (events, failure) = read(
            Self.stream,
            chunk(
                #""tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]"#),
            chunk(#""tool_calls":[{"index":0,"function":{"arguments":":1}"}}]"#, finish: #""tool_calls""#),
            "data: [DONE]\n\n")
        #expect(
            events == [
                .toolCall(0, id: "c1", name: "f"), .arguments(#"{"a""#, of: 0), .arguments(":1}", of: 0),
                .finish(.toolCalls),
            ])
        #expect(failure == nil)
    }

    @Test func `A failure in a stream comes behind what was said`() {
        let (events, failure) = read(
            Self.stream, chunk(#""content":"a""#),
            #"data: {"error":{"message":"gone","type":"server_error","param":null,"code":"upstream_error"}}"# + "\n\n")
        #expect(events == [.text("a")])
        #expect(failure?.message == "gone" && failure?.code == "upstream_error" && failure?.type == "server_error")
    }

    @Test func `A refusal has its status and its words`() {
        let head = HTTPResponseHead(
            version: .http1_1, status: .tooManyRequests,
            headers: ["content-type": "application/json", "retry-after": "7"])
        let (events, failure) = read(
            head, #"{"error":{"message":"slow","#, #""type":"rate_limit_error","param":"model","code":null}}"#)
        #expect(events == [])
        #expect(failure?.status == 429 && failure?.message == "slow" && failure?.type == "rate_limit_error")
        #expect(failure?.code == nil && failure?.parameter == "model" && failure?.retryAfter == 7)
    }

    @Test func `A document is told as a stream is`() {
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-type": "application/json"])
        let (events, failure) = read(
            head, #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"#,
            #""finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#)
        #expect(events == [.text("a"), .finish(.length), .usage(.init(prompt: 1, completion: 2, total: 3))])
        #expect(failure == nil)
    }

    @Test func `A stream that is cut off has no proper end`() {
        let (events, failure) = read(Self.stream, chunk(#""content":"a""#))
        #expect(events == [.text("a")] && failure?.code == "server_shutting_down")
    }

    /// Whoever judged it has let it pass.
    @Test func `An answer that says nothing ends like others`() {
        let (events, failure) = read(
            Self.stream, chunk(#""role":"assistant","content":"""#), chunk("", finish: #""stop""#), "data: [DONE]\n\n")
        #expect(events == [.finish(.stop)] && failure == nil)
    }
}
