import Foundation
import LedgerTestSupport
import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// What tests of rescue have in common: upstreams in each format, clients of each language, and the whole door between them.
enum BrokenStreams {
    /// A format in which an upstream tells its answer.
    enum Format: String, CaseIterable, Sendable {
        case provider, generic, cohere, cohereV2

        var model: String {
            switch self {
            case .provider: "up/m"
            case .generic: "xai.grok-4"
            case .cohere: "cohere.command-r-plus-08-2024"
            case .cohereV2: "cohere.command-a-vision-07-2025"
            }
        }

        func text(_ escaped: String) -> String {
            switch self {
            case .provider:
                "data: "
                    + #"{"id":"up-1","created":7,"model":"theirs","choices":[{"index":0,"delta":{"content":"\#(escaped)"},"finish_reason":null}]}"#
                    + "\n\n"
            case .generic:
                "data: "
                    + #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(escaped)"}]}}"#
                    + "\n\n"
            case .cohere: "data: " + #"{"apiFormat":"COHERE","text":"\#(escaped)"}"# + "\n\n"
            case .cohereV2:
                "data: "
                    + #"{"apiFormat":"COHEREV2","message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"\#(escaped)"}]}}"#
                    + "\n\n"
            }
        }

        var end: [String] {
            switch self {
            case .provider:
                [
                    "data: " + #"{"id":"up-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n",
                    "data: "
                        + #"{"id":"up-1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}"#
                        + "\n\n",
                    "data: [DONE]\n\n",
                ]
            case .generic:
                [
                    "data: " + #"{"index":0,"finishReason":"stop"}"# + "\n\n",
                    "data: " + #"{"usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"# + "\n\n",
                    "data: [DONE]\n\n",
                ]
            case .cohere:
                [
                    "data: "
                        + #"{"apiFormat":"COHERE","text":"","finishReason":"COMPLETE","usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"#
                        + "\n\n"
                ]
            case .cohereV2:
                [
                    "data: "
                        + #"{"apiFormat":"COHEREV2","finishReason":"COMPLETE","usage":{"promptTokens":10,"completionTokens":5,"totalTokens":15}}"#
                        + "\n\n"
                ]
            }
        }

        /// Before anything is said.
        var begin: [String] {
            self == .provider
                ? [
                    "data: "
                        + #"{"id":"up-1","created":7,"model":"theirs","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
                        + "\n\n"
                ] : []
        }

        func whole(_ pieces: [String]) -> [String] { pieces.map(text) + end }
    }

    enum Language: String, CaseIterable, Sendable {
        case chat, messages, responses, completions

        var path: String {
            switch self {
            case .chat: "/v1/chat/completions"
            case .messages: "/v1/messages"
            case .responses: "/v1/responses"
            case .completions: "/v1/completions"
            }
        }

        func request(_ model: String, _ more: String = "") -> String {
            switch self {
            case .chat:
                #"{"model":"\#(model)","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]\#(more)}"#
            case .messages:
                #"{"model":"\#(model)","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"x"}]\#(more)}"#
            case .responses: #"{"model":"\#(model)","stream":true,"input":"x"\#(more)}"#
            case .completions:
                #"{"model":"\#(model)","stream":true,"stream_options":{"include_usage":true},"prompt":"x"\#(more)}"#
            }
        }

        /// The text that a client puts together, decoded.
        func text(of body: String) -> String {
            var text = ""
            for line in body.split(separator: "\n") where line.hasPrefix("data: {") {
                guard
                    let event = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
                else { continue }
                let choice = (event["choices"] as? [[String: Any]])?.first
                switch self {
                case .chat: text += (choice?["delta"] as? [String: Any])?["content"] as? String ?? ""
                case .messages: text += (event["delta"] as? [String: Any])?["text"] as? String ?? ""
                case .responses where event["type"] as? String == "response.output_text.delta":
                    text += event["delta"] as? String ?? ""
                case .responses: break
                case .completions: text += choice?["text"] as? String ?? ""
                }
            }
            return text
        }

        /// What stands once in a whole answer.
        var once: [String] {
            switch self {
            case .chat: [#""role":"assistant""#, #""finish_reason":"stop""#, "data: [DONE]", #""total_tokens":15"#]
            case .messages:
                [
                    "event: message_start", "event: content_block_start", "event: message_stop",
                    #""stop_reason":"end_turn""#,
                ]
            case .responses:
                ["event: response.created", "event: response.output_item.added", "event: response.completed"]
            case .completions: [#""finish_reason":"stop""#, "data: [DONE]"]
            }
        }

        /// Whether an answer claims to be whole.
        func ends(_ body: String) -> Bool {
            switch self {
            case .chat, .completions: body.contains("data: [DONE]")
            case .messages: body.contains("event: message_stop")
            case .responses: body.contains("event: response.completed")
            }
        }

        var error: String {
            switch self {
            case .chat, .completions: #"{"error":"#
            case .messages: "event: error"
            case .responses: "event: response.failed"
            }
        }
    }

    static func door(
        _ transport: FakeTransport, _ format: Format, _ policy: RescuePolicy, upstreams: Int = 3,
        fallbacks: [String: [String]] = [:], dialects: Set<ProviderDialect> = [], ledger: KeptLedger? = nil
    ) throws -> FrontDoor {
        let time = ManualTime().source
        return try .fixture(
            over: router(transport, format, time, upstreams: upstreams, dialects: dialects), time: time,
            rescue: policy, fallbacks: fallbacks, ledger: ledger)
    }

    /// Upstreams of a format, all in front of `transport`.
    static func router(
        _ transport: FakeTransport, _ format: Format, _ time: TimeSource, upstreams: Int = 3,
        dialects: Set<ProviderDialect> = [], host: String = "127.0.0.1"
    ) throws -> Router {
        guard format == .provider else { return try .fixture(transport, time: time, accounts: upstreams) }
        let members = try (0..<upstreams).map { number in
            ProviderSettings(
                id: "up-\(number)", name: "up", baseURL: try #require(BaseURL("http://\(host):\(9 - number)/v1")),
                token: Secret("sk-12345678"), models: ["m", "other", "deepseek-chat", "mistral-large", "gpt-5"],
                dialects: dialects)
        }
        return Router(
            members.map { (Provider($0, transport: transport, time: time), Upstream.Settings()) },
            limits: .init(concurrency: 200, queue: 2000), strategy: RoundRobin(), time: time, random: { 0.5 },
            logger: .silent)
    }
}
