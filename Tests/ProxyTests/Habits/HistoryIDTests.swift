import Foundation
import Testing

@testable import Proxy

/// Histories in which calls share an id: each result belongs to its own call, in every family.
@Suite struct HistoryIDTests {
    private func request(_ ids: [String], for model: String) throws -> Golden.Object {
        let calls = ids.enumerated().map {
            #"{"id":"\#($1)","type":"function","function":{"name":"f","arguments":"{\"n\":\#($0)}"}}"#
        }.joined(separator: ",")
        let results = ids.enumerated().map { #"{"role":"tool","tool_call_id":"\#($1)","content":"r\#($0)"}"# }.joined(
            separator: ",")
        let body = #"""
            {"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[\#(calls)]},\#(results)],
             "tools":[{"type":"function","function":{"name":"f"}}]}
            """#
        let chat = try ChatRequest.parse(Array(body.utf8))
        let target = ChatTarget(
            serving: .onDemand(modelID: model), modelID: model, defaultMaxTokens: 100, isStreaming: false)
        let details = try Dialect(APIFormat(modelID: model), for: chat).details(of: chat, for: target)
        let root = try #require(try Golden.parse(details.document(in: "c").bytes) as? Golden.Object)
        return try #require(root["chatRequest"] as? Golden.Object)
    }

    private static let histories = [
        ["a", "b"], ["x", "x"], ["", ""], ["f", "f", "f"], ["x", "y", "x"], ["", "x", ""], ["call_1_1", "x", "x"], [""],
    ]

    @Test(arguments: histories)
    func `Cohere gets each result with its call`(ids: [String]) throws {
        let results = try #require(try request(ids, for: "cohere.command-r-plus")["toolResults"] as? [Golden.Object])
        let pairs = results.map { result in
            let number = ((result["call"] as? Golden.Object)?["parameters"] as? Golden.Object)?["n"] as? Int
            return "\(number ?? -1)=\((result["outputs"] as? [Golden.Object])?.first?["output"] as? String ?? "")"
        }
        #expect(pairs == ids.indices.map { "\($0)=r\($0)" })
    }

    @Test(
        arguments: histories,
        [
            "xai.grok-4", "meta.llama-3.3-70b-instruct", "google.gemini-2.5-pro", "openai.gpt-5",
            "cohere.command-a-reasoning",
        ])
    func `Others get IDs that differ`(ids: [String], model: String) throws {
        let messages = try #require(try request(ids, for: model)["messages"] as? [Golden.Object])
        var numbers: [String: Int] = [:]
        var results: [Int: String] = [:]
        for message in messages {
            for call in message["toolCalls"] as? [Golden.Object] ?? [] {
                let id = try #require(call["id"] as? String)
                let arguments = (call["arguments"] ?? (call["function"] as? Golden.Object)?["arguments"]) as? String
                let number = try #require(ids.indices.first { arguments == #"{"n":\#($0)}"# })
                let before = numbers.updateValue(number, forKey: id)
                #expect(!id.isEmpty && before == nil)
            }
            guard let id = message["toolCallId"] as? String else { continue }
            results[try #require(numbers[id])] =
                ((message["content"] as? [Golden.Object])?.first?["text"] as? String) ?? ""
        }
        #expect(results == Dictionary(uniqueKeysWithValues: ids.indices.map { ($0, "r\($0)") }))
    }

    @Test func `IDs that are right stay`() throws {
        let messages = try #require(try request(["a", "b"], for: "xai.grok-4")["messages"] as? [Golden.Object])
        #expect(messages.compactMap { $0["toolCallId"] as? String } == ["a", "b"])
    }
}
