import Testing

@testable import Proxy
@testable import ProxyRouting

/// What is written beforehand for a stream, and what is written when it is asked for.
@Suite struct ChunkEnvelopeTests {
    private func frames(_ write: (inout [UInt8]) -> Void) -> String {
        var frames: [UInt8] = []
        write(&frames)
        return String(decoding: frames, as: UTF8.self)
    }

    /// Everything that an envelope can write.
    private func all(_ envelope: ChunkEnvelope) -> [String] {
        let text = Array(#"a\n"#.utf8)[...]
        var written: [String] = []
        for choice in [0, 1, 12] {
            written.append(frames { envelope.role(choice: choice, into: &$0) })
            written.append(frames { envelope.content(text, choice: choice, into: &$0) })
            written.append(frames { envelope.content(text, logprobs: Array("{}".utf8), choice: choice, into: &$0) })
            written.append(frames { envelope.reasoning(text, choice: choice, into: &$0) })
            written.append(frames { envelope.refusal(text, choice: choice, into: &$0) })
            written.append(
                frames { envelope.toolCall(0, id: "i", name: text, arguments: text, choice: choice, into: &$0) })
            written.append(frames { envelope.arguments(text, of: 1, choice: choice, into: &$0) })
            written.append(frames { envelope.finish(.stop, choice: choice, into: &$0) })
            written.append(frames { envelope.event(delta: Array("{}".utf8), choice: choice, into: &$0) })
        }
        written.append(frames { envelope.usage(TokenUsage(prompt: 1, completion: 2, total: 3), into: &$0) })
        written.append(String(decoding: envelope.emptyEvent(), as: UTF8.self))
        return written
    }

    @Test func `A prepared envelope writes the same`() {
        let drawn = ChunkEnvelope(created: 1_700_000_000, model: "a \"model\"")
        #expect(all(drawn) == all(drawn.prepared))
        #expect(all(drawn) == all(ChunkEnvelope(id: drawn.id, created: 1_700_000_000, model: "a \"model\"")))
        #expect(all(drawn).allSatisfy { $0.hasPrefix("data: {\"id\":\"\(drawn.id)\",") && $0.hasSuffix("}\n\n") })
    }

    @Test func `An empty event may have another ID`() {
        let drawn = ChunkEnvelope(created: 7, model: "m")
        #expect(
            String(decoding: drawn.emptyEvent(id: "gen-\"1"), as: UTF8.self)
                == #"data: {"id":"gen-\"1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":null}]}"#
                + "\n\n")
    }

    @Test func `Its name is drawn once`() {
        let (one, other) = (ChunkEnvelope(created: 0, model: "m"), ChunkEnvelope(created: 0, model: "m"))
        #expect(one.id == one.id && one.id == one.prepared.id && one.id != other.id)
        #expect(one.id.hasPrefix("chatcmpl-") && one.id.utf8.count == 41)
    }
}
