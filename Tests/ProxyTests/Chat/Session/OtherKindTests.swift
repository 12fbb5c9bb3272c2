import Foundation
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy

/// A document where a stream was asked for, and the reverse, through the whole door: one call, and an answer.
@Suite(.timeLimit(.minutes(5))) struct OtherKindTests {
    private static func request(streams: Bool, _ more: String = "") -> String {
        #"{"model":"llama-3.3-70b","stream":\#(streams),"messages":[{"role":"user","content":"x"}]\#(more)}"#
    }

    private static let document = #"""
        {"modelId":"m","chatResponse":{"apiFormat":"GENERIC","choices":[
          {"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"one two"}]},"finishReason":"stop"}],

          "usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7}}}
        """#

    private static let stream =
        #"data: {"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"one "}]}}"# + "\n\n"
        + #"data: {"index":0,"message":{"content":[{"type":"TEXT","text":"two"}]},"finishReason":"stop"}"# + "\n\n"
        + #"data: {"usage":{"promptTokens":3,"completionTokens":4,"totalTokens":7}}"# + "\n\ndata: [DONE]\n\n"

    private func transport(_ text: String, status: Int = 200, type: String, splitBy random: inout SplitMix64)
        -> FakeTransport
    {
        let pieces = Fuzz.pieces(of: Array(text.utf8), &random)
        return FakeTransport { _ in
            TransportResponse(status: status, headers: ["content-type": type], body: ResponseBody.fed(bytes: pieces))
        }
    }

    // MARK: A document for a stream

    @Test(
        arguments: ["", " \n\n", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n", "\u{FEFF}"],
        ["", "\n\ndata: [DONE]\n\n"])
    func `A document is told as a stream`(before: String, behind: String) async throws {
        for (seed, type) in zip(
            1...UInt64(8),
            ["application/json", "text/event-stream", "text/plain", "application/json"] + Array(repeating: "", count: 4)
        ) {
            var random = SplitMix64(seed: seed)
            let transport = transport(before + Self.document + behind, type: type, splitBy: &random)
            let answer = try await FrontDoor.fixture(transport).answer(
                toChat: Self.request(streams: true, #","stream_options":{"include_usage":true}"#))
            #expect(
                answer.status == 200 && answer.body.contains(#""content":"one two""#)
                    && answer.body.hasSuffix("data: [DONE]\n\n"), "\(answer.body)")
            #expect(
                answer.body.contains(#""choices":[],"usage":{"prompt_tokens":3"#) && !answer.body.contains("OPENROUTER")
            )
            #expect(transport.requests.count == 1)
        }
    }

    @Test func `Usage is told to those who ask`() async throws {
        var random = SplitMix64(seed: 1)
        let answer = try await FrontDoor.fixture(transport(Self.document, type: "application/json", splitBy: &random))
            .answer(toChat: Self.request(streams: true))
        #expect(answer.body.contains("one two") && !answer.body.contains("usage"))
    }

    @Test func `An error in place of a stream is that error`() async throws {
        var random = SplitMix64(seed: 2)
        let transport = transport(
            #"{"code":"400","message":"no such thing"}"#, type: "application/json", splitBy: &random)
        let answer = try await FrontDoor.fixture(transport).answer(toChat: Self.request(streams: true))
        #expect(
            answer.status == 400 && answer.body.contains("no such thing") && transport.requests.count == 1, "\(answer)")
    }

    @Test func `A document has the limit of all documents`() async throws {
        var random = SplitMix64(seed: 3)
        var limits = ChatCompletionsRoute.Limits.fixture
        for (limit, status) in [(Self.document.utf8.count, 200), (Self.document.utf8.count - 1, 502)] {
            limits.answer = limit
            let transport = transport(Self.document, type: "application/json", splitBy: &random)
            let answer = try await FrontDoor.fixture(transport, limits: limits).answer(
                toChat: Self.request(streams: true))
            #expect(
                answer.status == status && answer.body.contains("response_too_large") == (status == 502)
                    && transport.requests.count == 1, "\(answer)")
        }
    }

    // MARK: A stream for a document

    @Test(
        arguments: ["text/event-stream; charset=utf-8", "application/json"],
        ["", ": hello\n\n", "\u{FEFF}\r\nevent: message\n"])
    func `A stream is gathered`(type: String, before: String) async throws {
        for seed in 1...UInt64(6) {
            var random = SplitMix64(seed: seed)
            let transport = transport(before + Self.stream, type: type, splitBy: &random)
            let answer = try await FrontDoor.fixture(transport).answer(toChat: Self.request(streams: false))
            let root = try #require(try Golden.parse(answer.body.utf8) as? Golden.Object)
            let choice = try #require((root["choices"] as? [Golden.Object])?.first)
            #expect(
                answer.status == 200 && (choice["message"] as? Golden.Object)?["content"] as? String == "one two"
                    && choice["finish_reason"] as? String == "stop")
            #expect(
                root["model"] as? String == "llama-3.3-70b"
                    && (root["usage"] as? Golden.Object)?["total_tokens"] as? Int == 7)
            #expect(transport.requests.count == 1)
        }
    }

    /// Behind its end, the connection may stay open.
    @Test func `Nobody waits behind the end of a stream`() async throws {
        let body = FakeTransport.Feed()
        body.send(Self.stream)
        let transport = FakeTransport { _ in
            TransportResponse(status: 200, headers: ["content-type": "text/event-stream"], body: body.body)
        }
        let answer = try await FrontDoor.fixture(transport).answer(toChat: Self.request(streams: false))
        #expect(answer.status == 200 && answer.body.contains("one two"))
    }

    @Test func `A document that is called a stream is a document`() async throws {
        var random = SplitMix64(seed: 5)
        let transport = transport(": wait\n\n" + Self.document, type: "text/event-stream", splitBy: &random)
        let answer = try await FrontDoor.fixture(transport).answer(toChat: Self.request(streams: false))
        #expect(answer.status == 200 && answer.body.contains("one two") && transport.requests.count == 1, "\(answer)")
    }

    @Test func `A stream has the limit of all documents`() async throws {
        var random = SplitMix64(seed: 6)
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.answer = Self.stream.utf8.count - 40
        for type in ["text/event-stream", "application/json"] {
            let transport = transport(Self.stream, type: type, splitBy: &random)
            let answer = try await FrontDoor.fixture(transport, limits: limits).answer(
                toChat: Self.request(streams: false))
            #expect(
                answer.status == 502 && answer.body.contains("response_too_large") && transport.requests.count == 1,
                "\(answer)")
        }
    }

    @Test(arguments: [false, true])
    func `A client that wants a stream gets it when none was asked for`(streams: Bool) async throws {
        var random = SplitMix64(seed: 7)
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.forcesNonStreaming = true
        let transport = transport(Self.stream, type: "text/event-stream", splitBy: &random)
        let answer = try await FrontDoor.fixture(transport, limits: limits).answer(
            toChat: Self.request(streams: streams))
        #expect(
            answer.status == 200 && answer.body.hasSuffix("data: [DONE]\n\n") == streams
                && transport.requests.count == 1, "\(answer)")
    }

    // MARK: Statuses

    @Test(arguments: [201, 202, 203], [false, true])
    func `Every status of success has an answer`(status: Int, streams: Bool) async throws {
        var random = SplitMix64(seed: 8)
        let transport = transport(streams ? Self.stream : Self.document, status: status, type: "", splitBy: &random)
        let answer = try await FrontDoor.fixture(transport).answer(toChat: Self.request(streams: streams))
        #expect(answer.status == 200 && answer.body.contains("two"), "\(answer)")
    }
}
