import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Clients of the other languages over an upstream that speaks OCI's: what they are told, in which form, and what becomes of it when something goes wrong.
@Suite(.timeLimit(.minutes(5))) struct DialectSessionTests {
    private typealias Events = GenericEvents

    enum Language: String, CaseIterable, CustomTestStringConvertible {
        case messages, responses, completions

        var testDescription: String { rawValue }

        /// A request of few words.
        func request(streams: Bool = true) -> String {
            switch self {
            case .messages:
                #"{"model":"a","max_tokens":100,"stream":\#(streams),"messages":[{"role":"user","content":"x"}]}"#
            case .responses: #"{"model":"a","stream":\#(streams),"input":"x"}"#
            case .completions: #"{"model":"a","stream":\#(streams),"prompt":"x"}"#
            }
        }

        var text: String {
            switch self {
            case .messages: #""delta":{"type":"text_delta","text":"one"}"#
            case .responses: #""delta":"one""#
            case .completions: #""text":"one""#
            }
        }

        var end: String {
            switch self {
            case .messages: "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            case .responses: ""
            case .completions: "data: [DONE]\n\n"
            }
        }

        func begin(_ bench: ChatBench, streams: Bool = true) -> ChatBench.Chat {
            let chat = bench.route
            let seals = ReasoningSeals([])
            switch self {
            case .messages:
                let route = MessagesRoute(chat: chat, seals: seals)
                return bench.begin(request(streams: streams)) { try await route.respond($0) }
            case .responses:
                let route = ResponsesRoute(
                    chat: chat, seals: seals, store: ResponseStore(time: bench.time.source), makers: ResponseMakers())
                return bench.begin(request(streams: streams)) { try await route.respond($0) }
            case .completions:
                let route = CompletionsRoute(chat: chat)
                return bench.begin(request(streams: streams)) { try await route.respond($0) }
            }
        }
    }

    @Test(arguments: Language.allCases)
    func `A stream of OCI is told in the client's language`(_ language: Language) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench)
        let call = try await bench.call()
        #expect(call.body.contains(#""apiFormat":"GENERIC""#))
        call.respond()
        call.send(Events.text("one"))
        try await bench.client.run(untilToldOf: language.text)
        call.send(Events.finish + Events.usage + Events.done)
        call.end()
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.status == 200 && end.record.model == "a")
        #expect(chat.trace.summary.usage == TokenUsage(prompt: 3, completion: 4, total: 7))
        let told = try await bench.client.told()
        #expect(told.status == 200 && told.hasEnded && told.body.hasSuffix(language.end))
        switch language {
        case .messages: #expect(told.body.contains(#""usage":{"input_tokens":3,"#))
        case .responses:
            #expect(told.body.contains("event: response.completed\n") && told.body.contains(#""input_tokens":3,"#))
        case .completions: break
        }
    }

    @Test(arguments: Language.allCases)
    func `A document of OCI is told in the client's language`(_ language: Language) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench, streams: false)
        try await bench.call().answer(200, Events.document("one"))
        let end = try await bench.end(of: chat)
        #expect(end.error == nil && end.record.status == 200)
        let told = try await bench.client.told()
        #expect(told.hasEnded && told.body.contains(#""text":"one""#))
    }

    @Test func `Who waits for several prompts is reassured`() async throws {
        let bench = try await ChatBench()
        let route = CompletionsRoute(chat: bench.route)
        let chat = bench.begin(#"{"model":"a","stream":true,"prompt":["x","y"]}"#) { try await route.respond($0) }
        let calls = [try await bench.call(), try await bench.call(2)]
        // The headers first, then a sign of life.
        for _ in 0..<2 { await bench.client.loop.advanceTime(by: .seconds(16)) }
        try await bench.client.run(untilToldOf: ": keep-alive")
        for call in calls { call.answer(200, Events.document("one")) }
        #expect(try await bench.end(of: chat).record.status == 200)
        let told = try await bench.client.told()
        #expect(told.body.contains(#""index":1,"text":"one""#) && told.body.hasSuffix("data: [DONE]\n\n"))
    }

    /// `force_non_stream`.
    @Test(arguments: Language.allCases)
    func `A document is told as the stream that was asked for`(_ language: Language) async throws {
        var limits = ChatCompletionsRoute.Limits.fixture
        limits.forcesNonStreaming = true
        let bench = try await ChatBench(limits: limits)
        let chat = language.begin(bench)
        try await bench.call().answer(200, Events.document("one"))
        #expect(try await bench.end(of: chat).record.status == 200)
        let told = try await bench.client.told()
        #expect(told.hasEnded && told.body.contains(language.text) && told.body.hasSuffix(language.end))
    }

    @Test(arguments: Language.allCases)
    func `A stream in place of a document is gathered`(_ language: Language) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench, streams: false)
        let call = try await bench.call()
        call.respond()
        call.send(Events.text("one ") + Events.text("two", finish: "stop") + Events.usage + Events.done)
        call.end()
        #expect(try await bench.end(of: chat).record.status == 200)
        #expect(try await bench.client.told().body.contains(#""text":"one two""#))
    }

    /// An attempt that has failed leaves no trace in what the client gets.
    @Test(arguments: Language.allCases)
    func `Another account takes over before the first word`(_ language: Language) async throws {
        let bench = try await ChatBench(accounts: 2)
        let chat = language.begin(bench)
        try await bench.call().answer(500, #"{"code":"500","message":"broken"}"#)
        bench.time.advance(by: .seconds(5))
        let call = try await bench.call(2)
        call.respond()
        call.send(Events.text("one", finish: "stop") + Events.done)
        call.end()
        #expect(try await bench.end(of: chat).record.status == 200)
        let body = try await bench.client.told().body
        #expect(body.ranges(of: language.text).count == 1)
        if language == .responses {
            #expect(body.ranges(of: "event: response.created\n").count == 1 && body.contains(#""sequence_number":0,"#))
        }
        if language == .messages { #expect(body.ranges(of: "event: message_start\n").count == 1) }
    }

    @Test(arguments: Language.allCases)
    func `A stream that is cut ends with the language's own error`(_ language: Language) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench)
        let call = try await bench.call()
        call.respond()
        call.send(Events.text("one"))
        try await bench.client.run(untilToldOf: language.text)
        call.end()
        let end = try await bench.end(of: chat)
        #expect(end.record.status == 200 && end.record.error == "upstream_stream_incomplete")
        let body = try await bench.client.told().body
        let last = try #require(body.components(separatedBy: "\n\n").dropLast().last)
        switch language {
        case .messages:
            #expect(last.hasPrefix("event: error\n") && last.contains(#""type":"api_error""#))
            #expect(!body.contains("message_stop") && !body.contains("message_delta"))
        case .responses:
            #expect(last.hasPrefix("event: response.failed\n") && last.contains(#""code":"server_error""#))
            #expect(last.contains(#""text":"one""#))
        case .completions: #expect(last.hasPrefix(#"data: {"error":{"#) && !body.contains("[DONE]"))
        }
    }

    /// A failure before the first word is an HTTP status and the language's own document.
    @Test(arguments: [Language.messages, .responses])
    func `A refusal before the first word is a status`(_ language: Language) async throws {
        let bench = try await ChatBench(retryAttempts: 0)
        let chat = language.begin(bench)
        try await bench.call().answer(
            400, #"{"code":"400","message":"This model's maximum context length is 8000 tokens, but 9000 were sent"}"#)
        _ = try await bench.end(of: chat)
        let told = try await bench.client.told()
        #expect(told.status == 400)
        switch language {
        case .messages:
            #expect(
                told.body.contains(#""type":"error""#)
                    && told.body.contains("prompt is too long: 9000 tokens > 8000 maximum"))
        default:
            #expect(told.body.contains(#""code":"context_length_exceeded""#) && told.body.contains(#""param":"input""#))
        }
    }

    // MARK: Silence

    @Test(arguments: Language.allCases)
    func `A client that waits gets signs of life in its language`(_ language: Language) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench)
        let call = try await bench.call()
        let loop = bench.client.loop
        for _ in 0..<8 { await loop.advanceTime(by: .seconds(15)) }
        let waiting = try await bench.client.told().body
        switch language {
        case .messages: #expect(waiting.ranges(of: "event: ping\n").count >= 5)
        case .responses:
            #expect(waiting.contains(": keep-alive\n\n"))
            #expect(waiting.ranges(of: "event: response.created\n").count == 1)
        case .completions: #expect(waiting.contains(": keep-alive\n\n") && waiting.contains(#""text":"""#))
        }
        call.respond()
        call.send(Events.text("one", finish: "stop") + Events.done)
        call.end()
        #expect(try await bench.end(of: chat).record.status == 200)
        let body = try await bench.client.told().body
        #expect(body.contains(language.text))
        guard language == .responses else { return }
        // Numbers without a gap, and one beginning.
        let numbers = body.matches(of: /"sequence_number":(\d+)/).compactMap { Int($0.1) }
        #expect(numbers == Array(0..<numbers.count))
        #expect(body.ranges(of: "event: response.created\n").count == 1)
    }

    @Test(arguments: Language.allCases, [false, true])
    func `A client that leaves ends the call`(_ language: Language, hasBegun: Bool) async throws {
        let bench = try await ChatBench()
        let chat = language.begin(bench)
        let call = try await bench.call()
        if hasBegun {
            call.respond()
            call.send(Events.text("one"))
            try await bench.client.run(untilToldOf: language.text)
        }
        chat.course.cancel()
        let end = try await bench.end(of: chat)
        #expect(end.error is CancellationError && call.isCancelled)
        #expect(await bench.router.snapshot().permits.inUse == 0)
    }
}
