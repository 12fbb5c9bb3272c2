import NIOCore
import NIOHTTP1
import ProxyTestSupport
import Synchronization
import Testing

@testable import Proxy

/// What an upstream says in the middle of a stream, through the whole door.
@Suite(.timeLimit(.minutes(5))) struct StreamedErrorTests {
    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func increment() { count.withLock { $0 += 1 } }
    }

    /// The body of the answer to a streamed chat.
    private func chat(_ transport: FakeTransport) async throws -> String {
        let body =
            #"{"model":"llama-3.3-70b","stream":true,"temperature":0.5,"messages":[{"role":"user","content":"x"}]}"#
        return try await FrontDoor.fixture(transport).answer(toChat: body).body
    }

    private func stream(_ events: [String]) -> FakeTransport {
        FakeTransport { _ in
            TransportResponse(
                status: 200, headers: ["content-type": "text/event-stream"],
                body: ResponseBody.fed(events.map { "data: \($0)\n\n" }))
        }
    }

    /// The client would get the text twice.
    @Test func `A parameter that is refused after the first event is no reason to begin anew`() async throws {
        let text = #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"part"}]}}"#
        let refusal =
            #"{"code":400,"message":"Unsupported value: 'temperature' does not support 0.5 with this model."}"#
        let transport = stream([text, refusal])
        let answer = try await chat(transport)
        #expect(answer.split(separator: "part", omittingEmptySubsequences: false).count == 2, "\(answer)")
        #expect(transport.requests.count == 1)
        #expect(answer.contains("unsupported_value") && !answer.contains("[DONE]"))
    }

    /// Before it, nobody has seen anything.
    @Test func `One that is refused in place of the first event is left out`() async throws {
        let calls = Counter()
        let transport = FakeTransport { _ in
            let isFirst = calls.value == 0
            calls.increment()
            let event =
                isFirst
                ? #"{"code":400,"message":"Unsupported value: 'temperature' does not support 0.5 with this model."}"#
                : #"{"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"part"}]},"finishReason":"stop"}"#
            return TransportResponse(status: 200, headers: [:], body: ResponseBody.fed(["data: \(event)\n\n"]))
        }
        let answer = try await chat(transport)
        #expect(answer.contains("part") && answer.contains("[DONE]") && transport.requests.count == 2)
        #expect(transport.requests.last?.body.map { String(buffer: $0).contains("temperature") } == false)
    }
}
