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

    // MARK: The scenarios of the public benchmark of failover

    /// Sixty words.
    private static let words = (1...60).map { "word\($0)" }.joined(separator: " ")
    private static let cuts = [Fault.Action.cut(afterEvents: 40), .resetMidway(afterEvents: 40)]

    /// A chat with a model whose fallback is another.
    private static func scenario(
        _ action: Fault.Action, fallback: String, settings: String = "", faults: [Fault] = [],
        _ check: (RunningProxy, RawAnswer) async throws -> Void
    ) async throws {
        let model = "meta.llama-3.3-70b-instruct"
        try await RunningProxy.run(
            accounts: 1, settings: settings, models: "[FALLBACKS]\n\(model) = \(fallback)\n",
            faults: faults + [Fault(action, model: model, kind: .chat)]
        ) { proxy in
            let answer = try await proxy.chat(
                #"{"model":"\#(model)","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"\#(words)"}]}"#
            )
            #expect(answer.text == "You said: \(words)", "\(answer.body)")
            #expect(answer.events.last == "[DONE]" && !answer.body.contains(#""error""#), "\(answer.body)")
            try await check(proxy, answer)
            #expect(try await proxy.isIdle())
        }
    }

    @Test(arguments: cuts) func `S08: forty of sixty words, and the end`(action: Fault.Action) async throws {
        try await Self.scenario(action, fallback: "xai.grok-3") { proxy, answer in
            #expect(proxy.chats.count == 2 && answer.body.contains(": rescued by xai.grok-3"))
        }
    }

    @Test func `S09: twenty words, and silence`() async throws {
        try await Self.scenario(
            .stallMidway(afterEvents: 20), fallback: "xai.grok-3", settings: "stream_timeout = 1s"
        ) { proxy, _ in
            let whole = try await proxy.chat(RunningProxy.body("Hello"))
            #expect(whole.status == 200)
        }
    }

    @Test(arguments: cuts) func `S14: the fallback refuses a prefill`(action: Fault.Action) async throws {
        let gemini = "google.gemini-2.5-flash"
        let refusal = Fault(
            .status(400, body: #"{"code":"400","message":"Requests ending with a model turn are not supported."}"#),
            model: gemini, kind: .chat)
        try await Self.scenario(action, fallback: gemini, settings: "rescue = continue", faults: [refusal]) {
            proxy, _ in
            #expect(proxy.chats.count == 3)
            let metrics = try await proxy.get("/metrics", "Authorization: Bearer \(proxy.key)").body
            #expect(metrics.contains(#"result="refused"} 1"#) && metrics.contains(#"result="verified"} 1"#))
        }
    }

    @Test(arguments: cuts) func `A model that takes a prefill goes on, though it samples`(action: Fault.Action)
        async throws
    {
        let gemini = try #require(Catalogue().models.first { $0.name == "google.gemini-2.5-flash" })
        try await RunningProxy.run(
            accounts: 2, settings: "rescue = continue", faults: [Fault(.habit(.samples), times: nil)]
        ) { proxy in
            proxy.simulator.add(Fault(action, kind: .chat))
            let answer = try await proxy.chat(
                #"{"model":"\#(gemini.name)","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"\#(Self.words)"}]}"#
            )
            #expect(answer.body.contains(": rescued by ") && answer.events.last == "[DONE]", "\(answer.body)")
            // It is counted behind the answer's end.
            try await eventually("its count") {
                try await proxy.get("/metrics", "Authorization: Bearer \(proxy.key)").body
                    .contains(#"result="continued"} 1"#)
            }
        }
    }

    /// Which README says: with sampling, a repetition is rare.
    @Test func `A model that samples is not repeated, unless the request wants the same again`() async throws {
        for (more, isRescued) in [("", false), (#","temperature":0"#, true), (#","seed":7"#, true)] {
            try await RunningProxy.run(accounts: 2, faults: [Fault(.habit(.samples), times: nil)]) { proxy in
                proxy.simulator.add(Fault(.cut(afterEvents: 6), kind: .chat))
                let answer = try await proxy.chat(
                    #"{"model":"meta.llama-3.3-70b-instruct","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"\#(Self.words)"}]\#(more)}"#
                )
                #expect((answer.events.last == "[DONE]") == isRescued, "\(answer.body)")
                #expect(answer.body.contains(#""error""#) != isRescued)
            }
        }
    }

    @Test(arguments: ["meta.llama-3.3-70b-instruct", "cohere.command-a-03-2025"])
    func `Cut at any byte, it is told whole or ends with the honest error`(model: String) async throws {
        try await RunningProxy.run(accounts: 2) { proxy in
            for count in stride(from: 0, to: 2400, by: 97) {
                let action: Fault.Action =
                    count % 2 == 0 ? .cut(after: .bytes(count)) : .resetMidway(after: .bytes(count))
                proxy.simulator.add(Fault(action, kind: .chat))
                let answer = try await proxy.chat(RunningProxy.body(Self.text, model: model, streams: true))
                let isWhole = answer.text == "You said: \(Self.text)"
                #expect(
                    answer.body.contains(#""error""#)
                        ? "You said: \(Self.text)".hasPrefix(answer.text) : isWhole && answer.events.last == "[DONE]",
                    "\(count): \(answer.body)")
                proxy.simulator.removeFaults()
            }
            #expect(try await proxy.isIdle())
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
