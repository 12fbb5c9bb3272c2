import Foundation
import Testing

/// What every stream has to obey so that no known client chokes on it.
enum ChunkRules {
    static func check(_ chunks: [Golden.Object], done: Bool) throws {
        var withRole: Set<Int> = []
        var finished: Set<Int> = []
        var calls: [Int: Int] = [:]
        var hasUsage = false
        for (position, chunk) in chunks.enumerated() {
            if chunk["error"] != nil {
                #expect(position == chunks.count - 1 && !done, "an error is the last event, and no [DONE] follows")
                #expect((chunk["error"] as? Golden.Object)?["message"] is String)
                continue
            }
            #expect(chunk["id"] as? String == chunks[0]["id"] as? String)
            #expect(chunk["object"] as? String == "chat.completion.chunk")
            #expect(chunk["created"] is Int && chunk["model"] is String)
            let choices = try #require(chunk["choices"] as? [Golden.Object])
            if choices.isEmpty {
                #expect(chunk["usage"] is Golden.Object && !hasUsage && finished == withRole)
                hasUsage = true
                continue
            }
            for choice in choices {
                let index = try #require(choice["index"] as? Int)
                let delta = try #require(choice["delta"] as? Golden.Object)
                #expect(choice.keys.contains("finish_reason"))
                #expect(!finished.contains(index), "nothing follows a choice's finish")
                if withRole.insert(index).inserted {
                    #expect(delta["role"] as? String == "assistant" && delta["content"] as? String == "")
                } else {
                    #expect(delta["role"] == nil)
                }
                #expect(delta["reasoning_content"] == nil || delta["content"] == nil)
                for call in delta["tool_calls"] as? [Golden.Object] ?? [] {
                    let number = try #require(call["index"] as? Int)
                    let function = try #require(call["function"] as? Golden.Object)
                    #expect(function["arguments"] is String)
                    if number == calls[index, default: 0] {
                        calls[index] = number + 1
                        #expect(
                            (call["id"] as? String)?.isEmpty == false && call["type"] as? String == "function"
                                && function["name"] is String)
                    } else {
                        #expect(number == calls[index, default: 0] - 1, "calls come one after the other")
                        #expect(call["id"] == nil && function["name"] == nil)
                    }
                }
                if let reason = choice["finish_reason"] as? String {
                    #expect(delta.isEmpty)
                    #expect(["stop", "length", "tool_calls", "content_filter"].contains(reason))
                    if calls[index, default: 0] > 0, reason == "stop" {
                        Issue.record("calls were made, yet the reason is stop")
                    }
                    finished.insert(index)
                }
            }
        }
        if done { #expect(finished == withRole && !withRole.isEmpty) }
    }
}
