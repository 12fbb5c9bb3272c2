import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What a dialect may ask for and not every upstream has: a message that is to be continued, many texts to stop at, a prompt that may be shortened.
@Suite(.timeLimit(.minutes(5))) struct DialectLimitTests {
    private static func answer(_ content: String, reason: String = "stop") -> TransportResponse {
        TransportResponse(
            status: 200, headers: ["content-type": "application/json"],
            body: .fed([
                #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(content)"},"finish_reason":"\#(reason)"}]}"#
            ]))
    }

    private static func messages(_ transport: FakeTransport, _ index: Int = 0) throws -> [Golden.Object] {
        let bytes = try #require(transport.requests[index].body).readableBytesView
        let root = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? Golden.Object)
        return try #require(root["messages"] as? [Golden.Object])
    }

    // MARK: A message to be continued

    @Test(arguments: [
        ("deepseek-chat", AssistantPrefill.Known.takes(.marked(by: "prefix"))),
        ("vendor/mistral-large-2512", .takes(.marked(by: "prefix", echoes: true))),
        ("Qwen3-Max", .takes(.marked(by: "partial"))),
        ("google.gemini-2.5-pro", .takes(.trailing)), ("gemini-3.6-flash", .refuses),
        ("gemini-3.5-flash", .takes(.trailing)),
        ("claude-sonnet-4-5-20250929", .takes(.trailing)), ("claude-3-5-haiku", .takes(.trailing)),
        ("anthropic/claude-opus-4.6", .refuses), ("claude-sonnet-5", .refuses), ("openai.gpt-oss-120b", .refuses),
        ("gpt-5.1", .refuses), ("cohere.command-a-03-2025", .refuses), ("xai.grok-4", .nothing),
        ("meta.llama-3.3-70b-instruct", .nothing), ("a", .nothing),
    ])
    func `It is known which models go on`(model: String, known: AssistantPrefill.Known) {
        #expect(AssistantPrefill.known(of: model) == known)
    }

    private static func prefilled(_ model: String) -> String {
        #"{"model":"\#(model)","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"It is"}]}"#
    }

    @Test(arguments: [("up/deepseek-chat", "prefix"), ("up/qwen-max", "partial"), ("up/other", nil)])
    func `A model that goes on is told to`(model: String, mark: String?) async throws {
        let transport = FakeTransport { _ in Self.answer(" so") }
        let answer = try await FrontDoor.provider(transport).answer(.POST, "/v1/messages", Self.prefilled(model))
        #expect(answer.status == 200, "\(answer.body)")
        let last = try #require(try Self.messages(transport).last)
        #expect(last["content"] as? String == "It is")
        #expect(last.count == (mark == nil ? 2 : 3) && (mark == nil || last[mark ?? ""] as? Bool == true))
    }

    @Test func `A model that begins anew is not asked`() async throws {
        let transport = FakeTransport { _ in Self.answer("x") }
        let refused = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages", Self.prefilled("up/gpt-5.1"))
        #expect(refused.status == 400 && transport.requests.isEmpty)
        #expect(refused.body.contains("invalid_request_error") && refused.body.contains("does not continue"))
        let atOCI = try await FrontDoor.fixture(transport).answer(
            .POST, "/v1/messages", Self.prefilled("cohere.command-a-03-2025"))
        #expect(atOCI.status == 400 && transport.requests.isEmpty, "\(atOCI.body)")
        // What chat completions' own clients send is their affair.
        let chat = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/chat/completions", Self.prefilled("up/gpt-5.1"))
        #expect(chat.status == 200)
    }

    // MARK: Texts to stop at

    @Test(arguments: [false, true]) func `More texts than upstreams take end the answer all the same`(streams: Bool)
        async throws
    {
        let chunks = ["one t", "wo ST", "OP5 three"].map {
            "data: " + #"{"choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# + "\n\n"
        }
        let end = "data: " + #"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"# + "\n\ndata: [DONE]\n\n"
        let transport = FakeTransport { _ in
            guard streams else { return Self.answer("one two STOP5 three", reason: "length") }
            return TransportResponse(
                status: 200, headers: ["content-type": "text/event-stream"], body: .fed(chunks + [end]))
        }
        let stops = (1...6).map { "\"STOP\($0)\"" }.joined(separator: ",")
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stream":\#(streams),"stop_sequences":[\#(stops)],"messages":[{"role":"user","content":"x"}]}"#
        )
        let sent = try #require(transport.requests.first?.body)
        #expect(String(buffer: sent).contains(#""stop":["STOP1","STOP2","STOP3","STOP4"]"#))
        #expect(answer.body.contains(#""stop_reason":"stop_sequence","stop_sequence":"STOP5""#), "\(answer.body)")
        #expect(!answer.body.contains("three") && !answer.body.contains(#"STOP5""# + "}}"))
        let texts = answer.body.matches(of: /"text":"([^"]*)"/).map { String($0.1) }.joined()
        #expect(texts == "one two ")
    }

    @Test func `A call behind such a text is not told, nor mixed with one before`() async throws {
        func chunk(_ delta: String) -> String { "data: {\"choices\":[{\"index\":0,\"delta\":{\(delta)}}]}\n\n" }
        func call(_ index: Int, _ arguments: String, name: String? = nil) -> String {
            let head = name.map {
                #""id":"c\#(index)","type":"function","# + #""function":{"name":"\#($0)","arguments":"\#(arguments)"}"#
            }
            return chunk(
                #""tool_calls":[{"index":\#(index),\#(head ?? #""function":{"arguments":"\#(arguments)"}"#)}]"#)
        }
        let body = [
            call(0, #"{\"a\":1}"#, name: "f"), chunk(#""content":"STOP5""#), call(1, #"{\"b\":"#, name: "f"),
            call(1, "2}"),
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n", "data: [DONE]\n\n",
        ]
        let transport = FakeTransport { _ in
            TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: .fed(body))
        }
        let stops = (1...6).map { "\"STOP\($0)\"" }.joined(separator: ",")
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stream":true,"stop_sequences":[\#(stops)],"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"}]}"#
        )
        let pieces = answer.body.matches(of: /"partial_json":"((?:[^"\\]|\\.)*)"/).map { String($0.1) }.joined()
        #expect(pieces == #"{\"a\":1}"#, "\(answer.body)")
    }

    @Test func `What only begins like such a text is told`() async throws {
        let transport = FakeTransport { _ in Self.answer("one STO") }
        let stops = (1...6).map { "\"STOP\($0)\"" }.joined(separator: ",")
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stop_sequences":[\#(stops)],"messages":[{"role":"user","content":"x"}]}"#)
        #expect(answer.body.contains(#""text":"one STO""#) && answer.body.contains("end_turn"), "\(answer.body)")
    }

    @Test func `Hundreds of such texts are refused`() async throws {
        let stops = (1...65).map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try await FrontDoor.provider(FakeTransport(body: "{}")).answer(
            .POST, "/v1/messages",
            #"{"model":"up/m","max_tokens":9,"stop_sequences":[\#(stops)],"messages":[{"role":"user","content":"x"}]}"#)
        #expect(answer.status == 400 && answer.body.contains("stop_sequences"))
    }

    @Test func `A window that is full has a word of its own`() async throws {
        for word in ["model_length", "model_context_window_exceeded"] {
            let transport = FakeTransport { _ in Self.answer("x", reason: word) }
            let door = try FrontDoor.provider(transport)
            let messages = try await door.answer(
                .POST, "/v1/messages", #"{"model":"up/m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#)
            #expect(messages.body.contains(#""stop_reason":"model_context_window_exceeded""#), "\(messages.body)")
            let responses = try await door.answer(.POST, "/v1/responses", #"{"model":"up/m","input":"x"}"#)
            #expect(responses.body.contains(#""reason":"max_output_tokens""#), "\(responses.body)")
        }
    }

    // MARK: A prompt that may be shortened

    private static let conversation =
        (0..<8).map {
            #"{"role":"user","content":"question \#($0)"},{"role":"assistant","content":"answer \#($0)"}"#
        }.joined(separator: ",") + #",{"role":"user","content":"the last"}"#

    private static func refusing(longerThan most: Int) -> FakeTransport {
        FakeTransport { request in
            let body = request.body.map { String(buffer: $0) } ?? ""
            guard body.matches(of: /"role":/).count <= most else {
                return TransportResponse(
                    status: 400, headers: ["content-type": "application/json"],
                    body: .fed([
                        #"{"error":{"message":"This model's maximum context length is 10 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}"#
                    ]))
            }
            return Self.answer("short enough")
        }
    }

    @Test func `The oldest messages go where that was allowed`() async throws {
        let transport = Self.refusing(longerThan: 5)
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/responses",
            #"{"model":"up/m","instructions":"Be brief.","truncation":"auto","input":[\#(Self.conversation)]}"#)
        #expect(answer.status == 200 && answer.body.contains("short enough"), "\(answer.body)")
        let kept = try Self.messages(transport, transport.requests.count - 1)
        #expect(kept.first?["content"] as? String == "Be brief." && kept.last?["content"] as? String == "the last")
        #expect(kept.dropFirst().first?["role"] as? String == "user" && kept.count == 4, "\(kept)")
    }

    @Test(arguments: [("disabled", 1), ("auto", 5)]) func `They stay where it was not, or where nothing is left`(
        truncation: String, calls: Int
    ) async throws {
        let transport = Self.refusing(longerThan: 0)
        let answer = try await FrontDoor.provider(transport).answer(
            .POST, "/v1/responses", #"{"model":"up/m","truncation":"\#(truncation)","input":[\#(Self.conversation)]}"#)
        #expect(answer.status == 400 && answer.body.contains("context_length_exceeded"), "\(answer.body)")
        #expect(transport.requests.count == calls)
    }
}
