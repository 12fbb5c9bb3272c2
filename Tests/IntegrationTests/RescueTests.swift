import Foundation
import OCISimulator
import Testing

/// Streams that OCI breaks off go on at another account, over real connections.
@Suite(.timeLimit(.minutes(5))) struct RescueTests {
    private static let text = "Tell me: éèß 日本 😀 and some more words, please."

    @Test(
        arguments: [
            Fault.Action.cut(afterEvents: 4), .resetMidway(afterEvents: 4), .errorEvent(afterEvents: 4),
            .silentEnd(afterEvents: 4),
        ], ["llama-3.3-70b", "command-a"])
    func `A cut answer is told whole`(action: Fault.Action, model: String) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            proxy.simulator.add(Fault(action, kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body(Self.text, model: model, streams: true))
            #expect(answer.status == 200 && answer.text == "You said: \(Self.text)", "\(answer.body)")
            #expect(answer.events.last == "[DONE]" && answer.events.filter { $0 == "[DONE]" }.count == 1)
            #expect(answer.body.contains(": rescued by ") && !answer.body.contains(#""error""#))
            #expect(Set(proxy.accountsAsked).count == 2)
            #expect(try await proxy.accessLine(of: answer).contains(#"rescue="verified "#))
            let metrics = try await proxy.get("/metrics", "Authorization: Bearer \(proxy.key)").body
            #expect(metrics.contains(#"result="verified"} 1"#), "\(metrics)")
            #expect(try await proxy.isIdle())
        }
    }

    @Test func `A stalled answer is told whole, in time`() async throws {
        try await RunningProxy.run(accounts: 2, settings: "stream_timeout = 1s") { proxy in
            proxy.simulator.add(Fault(.stallMidway(afterEvents: 4), kind: .chat))
            let answer = try await proxy.chat(RunningProxy.body(Self.text, model: "llama-3.3-70b", streams: true))
            #expect(answer.text == "You said: \(Self.text)" && answer.events.last == "[DONE]", "\(answer.body)")
        }
    }

    @Test func `Switched off, or with nobody else to ask, it ends with the honest error`() async throws {
        for (accounts, settings) in [(2, "rescue = off"), (1, "")] {
            try await RunningProxy.run(accounts: accounts, settings: settings) { proxy in
                proxy.simulator.add(Fault(.cut(afterEvents: 4), kind: .chat))
                let answer = try await proxy.chat(RunningProxy.body(Self.text, model: "llama-3.3-70b", streams: true))
                #expect(
                    answer.events.last?.contains(#""error""#) == true && !answer.body.contains("[DONE]"),
                    "\(answer.body)")
                #expect(proxy.chats.count == 1)
            }
        }
    }
}
