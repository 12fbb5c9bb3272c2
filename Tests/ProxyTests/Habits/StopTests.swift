import Foundation
import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

/// `stop` for models that refuse it, and `parallel_tool_calls: false` for those that do not know it: both are obeyed here.
@Suite struct StopTests {
    private static let pieces: [(texts: [String], stops: [String], kept: String, isCut: Bool)] = [
        (["alpha beta gamma"], ["beta"], "alpha ", true), (["alpha be", "ta gamma"], ["beta"], "alpha ", true),
        (["a", "l", "b", "e", "t", "a", "x"], ["beta"], "al", true),
        (["alpha"], ["beta"], "alpha", false), (["alpha bet"], ["beta"], "alpha bet", false),
        (["bebebeta"], ["bebeta"], "be", true), (["aab"], ["ab", "b"], "a", true),
        (["x\nObservation: made up"], ["\nObservation:"], "x", true),
        (["caf\u{E9} ", "\u{1F600} end"], ["\u{1F600}"], "caf\u{E9} ", true), (["beta"], ["beta"], "", true),
        (["one", "", "two"], ["et"], "on", true), (["abc"], ["abcd", "bc"], "a", true),
        (["a\"b\\c"], ["\\"], "a\"b", true),
    ]

    private static func json(_ text: String) -> String { String(decoding: ModelMember.quoted(text), as: UTF8.self) }

    private func rules(_ stops: [String]) -> ResponseRules {
        var rules = ResponseRules()
        rules.stops = stops.map { Array($0.utf8) }
        return rules
    }

    @Test(arguments: pieces)
    func `A stream is cut`(form: (texts: [String], stops: [String], kept: String, isCut: Bool)) throws {
        var stream = ChunkStream(
            envelope: ChunkEnvelope(id: "x", created: 1, model: "m"), includesUsage: false, rules: rules(form.stops))
        var frames: [UInt8] = []
        var step = ChatStreamStep.more
        for text in form.texts where step == .more {
            step = stream.translate(
                Array(#"{"index":0,"message":{"content":[{"type":"TEXT","text":\#(Self.json(text))}]}}"#.utf8)[...],
                into: &frames)
        }
        #expect((step == .complete) == form.isCut)
        if !form.isCut {
            #expect(stream.translate(Array(#"{"finishReason":"length"}"#.utf8)[...], into: &frames) == .finished)
            #expect(stream.end(into: &frames) == nil)
        }
        var kept = ""
        var reason = ""
        for line in String(decoding: frames, as: UTF8.self).split(separator: "\n") where line.hasPrefix("data: {") {
            let choice = ((try Golden.parse(line.dropFirst(6).utf8) as? Golden.Object)?["choices"] as? [Golden.Object])?
                .first
            kept += (choice?["delta"] as? Golden.Object)?["content"] as? String ?? ""
            reason = choice?["finish_reason"] as? String ?? reason
        }
        #expect(kept == form.kept && reason == (form.isCut ? "stop" : "length"))
        #expect(String(decoding: frames, as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
    }

    @Test(arguments: pieces)
    func `A whole answer is cut`(form: (texts: [String], stops: [String], kept: String, isCut: Bool)) throws {
        let parts = form.texts.map { #"{"type":"TEXT","text":\#(Self.json($0))}"# }.joined(separator: ",")
        let body = Array(
            #"{"chatResponse":{"choices":[{"index":0,"message":{"content":[\#(parts)]},"finishReason":"length"}],"usage":{"promptTokens":1,"totalTokens":3}}}"#
                .utf8)
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let answer = try Dialect.generic.answer(body, in: envelope, rules: rules(form.stops))
        let choice = try #require(
            ((try Golden.parse(answer.body) as? Golden.Object)?["choices"] as? [Golden.Object])?.first)
        #expect(
            (choice["message"] as? Golden.Object)?["content"] as? String == form.kept
                && choice["finish_reason"] as? String == (form.isCut ? "stop" : "length"))
        let told = try Dialect.generic.frames(of: body, in: envelope, includesUsage: true, rules: rules(form.stops))
        #expect(String(decoding: told.frames, as: UTF8.self).hasSuffix("data: [DONE]\n\n") && told.usage?.total == 3)
    }

    @Test func `Halves of a character stay together`() {
        var cutter = StopCutter([Array("x".utf8)])
        #expect(cutter.take(Array(#"a\ud83d"#.utf8)[...]) == Array("a".utf8))
        #expect(cutter.take(Array(#"\ude00b"#.utf8)[...]) == Array("\u{1F600}b".utf8))
        // A backslash that stands for itself begins nothing.
        #expect(cutter.take(Array(#"\\ud83d"#.utf8)[...]) == Array(#"\\ud83d"#.utf8))
        #expect(cutter.take(Array(#"\ud83d"#.utf8)[...]).isEmpty && cutter.end() == Array(#"\ud83d"#.utf8))
    }

    @Test func `Nothing comes behind a stop`() {
        var cutter = StopCutter([Array("x".utf8)])
        #expect(cutter.take(Array(#"axb\ud83d"#.utf8)[...]) == Array("a".utf8))
        #expect(cutter.hasStopped && cutter.end().isEmpty)
    }

    @Test func `Only where the model refuses it`() throws {
        let chat = try ChatRequest.parse(
            Array(
                #"{"model":"m","messages":[{"role":"user","content":"x"}],"stop":["a\n","b"],"parallel_tool_calls":false}"#
                    .utf8))
        for (model, stops, hasOneCall) in [
            ("xai.grok-4", 2, false), ("xai.grok-3-mini", 2, false), ("openai.gpt-5", 2, false), ("openai.o3", 2, true),
            ("meta.llama-3.3-70b", 0, false),
        ] {
            let rules = ResponseRules(chat, in: .generic, for: ModelFamily.of(model))
            #expect(rules.stops.count == stops && rules.hasOneCall == hasOneCall, "\(model)")
            if stops > 0 { #expect(rules.stops == [Array("a\n".utf8), Array("b".utf8)]) }
        }
        for format in [APIFormat.cohere, .cohereV2] {
            let rules = ResponseRules(chat, in: format, for: ModelFamily.of("cohere.command-r"))
            #expect(rules.stops.isEmpty && rules.hasOneCall)
        }
    }

    // MARK: One call

    private var oneCall: ResponseRules {
        var rules = ResponseRules()
        rules.hasOneCall = true
        return rules
    }

    @Test func `Only the first call goes on`() throws {
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let chat = try ChatRequest.parse(
            Array(
                #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]}"#
                    .utf8))
        let streams: [(Dialect, [String], String)] = [
            (
                Dialect(.cohere, for: chat),
                [
                    #"{"toolCalls":[{"name":"f","parameters":{"a":1}},{"name":"g","parameters":{}}],"finishReason":"COMPLETE"}"#
                ],
                #"{"chatResponse":{"toolCalls":[{"name":"f","parameters":{"a":1}},{"name":"g","parameters":{}}],"finishReason":"COMPLETE"}}"#
            ),
            (
                .cohereV2,
                [
                    #"{"message":{"toolCalls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":"}}]}}"#,
                    #"{"message":{"toolCalls":[{"id":"a","function":{"arguments":"1}"}}]}}"#,
                    #"{"message":{"toolCalls":[{"id":"b","function":{"name":"g","arguments":"{"}}]}}"#,
                    #"{"message":{"toolCalls":[{"function":{"arguments":"}"}}]}}"#, #"{"finishReason":"TOOL_CALL"}"#,
                ],
                #"{"chatResponse":{"message":{"toolCalls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]},"finishReason":"TOOL_CALL"}}"#
            ),
            (
                .generic,
                [
                    #"{"message":{"toolCalls":[{"id":"a","name":"f","arguments":"{\"a\":1}"}]}}"#,
                    #"{"message":{"toolCalls":[{"id":"b","name":"g","arguments":""}]}}"#,
                    #"{"message":{"toolCalls":[{"arguments":"{}"}]}}"#, #"{"finishReason":"tool_calls"}"#, "[DONE]",
                ],
                #"{"chatResponse":{"choices":[{"message":{"toolCalls":[{"id":"a","name":"f","arguments":"{\"a\":1}"},{"id":"b","name":"g","arguments":"{}"}]},"finishReason":"tool_calls"}]}}"#
            ),
        ]
        for (dialect, events, body) in streams {
            let relay = dialect.relay(in: envelope, includesUsage: false, rules: oneCall)
            for event in events { _ = relay.take(ByteBuffer(string: "data: \(event)\n\n")) }
            let frames = relay.takeFrames()
            for told in [
                String(decoding: frames, as: UTF8.self),
                String(
                    decoding: try dialect.answer(Array(body.utf8), in: envelope, rules: oneCall).body, as: UTF8.self),
            ] {
                #expect(
                    told.contains(#""name":"f""#) && !told.contains(#""name":"g""#)
                        && told.contains(#""finish_reason":"tool_calls""#), "\(told)")
            }
        }
    }
}
