import Foundation
import NIOHTTP1
import ProxyTestSupport
import TestFixtures
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Requests as real programs have sent them: each is a chat, but for what is refused on purpose.
@Suite(.timeLimit(.minutes(5))) struct SentRequestTests {
    struct Sent: CustomTestStringConvertible {
        let name: String
        var testDescription: String { name }
    }

    private static let requests = Fixtures.names(in: "dialects/sent").filter { $0 != "index.json" }.map {
        Sent(name: $0)
    }
    private static let seal = ReasoningSeal(secret: Array("k".utf8))

    @Test(arguments: requests)
    func `A request of a real program`(_ sent: Sent) throws {
        let file = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: .fixture("dialects/sent/\(sent.name)")))
                as? Golden.Object)
        guard let path = file["path"] as? String, let body = file["body"] as? Golden.Object else { return }
        let bytes = Array(try JSONSerialization.data(withJSONObject: body))
        let outcome: Result<[[UInt8]], Failure>
        if path.contains("/messages") {
            let isCounting = path.contains("count_tokens")
            outcome = Result { () throws(Failure) in
                [try MessagesRequest(bytes, unsealing: Self.seal, isCounting: isCounting).chat]
            }
        } else if path.hasSuffix("/responses") || path.hasSuffix("/input_tokens") {
            let shelf = ResponseStore(time: ManualTime().source).shelf(of: "k")
            outcome = Result { () throws(Failure) in
                [try ResponsesRequest(bytes, unsealing: Self.seal, from: shelf).chat]
            }
        } else if path.hasSuffix("/completions"), !path.contains("chat") {
            outcome = Result { () throws(Failure) in try CompletionsRequest(bytes).chats }
        } else {
            return
        }
        switch outcome {
        case .success(let chats): for chat in chats { _ = try ChatRequest.parse(chat) }
        case .failure(let failure):
            let expected = ["thread", "mcp_servers", "previous_response_id", "prompt", "conversation", "input"]
            #expect(expected.contains(failure.field ?? ""), "\(failure)")
            if failure.field == "prompt" { #expect(failure.said?.code == "unsupported_value") }
        }
    }
}
