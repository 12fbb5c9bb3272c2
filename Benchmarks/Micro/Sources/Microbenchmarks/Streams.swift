import NIOCore

@testable import Proxy

extension Benchmark {
    /// Events of an upstream to frames for the client: cut, read, and written anew or edited. Alone, as they come from a model, and
    /// sixteen in one piece, as they come after a stall; and alone where the text is kept, for another upstream to go on behind it.
    static func streams() -> [Benchmark] {
        let envelope = ChunkEnvelope(id: "chatcmpl-bench", created: 1_760_000_000, model: "grok-4")
        let generic =
            #"data: {"index":0,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":" some words\n"}]},"pad":"aaaaaaaaaaaaaaaa"}"#
            + "\n\n"
        let openAI =
            #"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"bench-model","choices":[{"index":0,"delta":{"content":" some words\n"},"finish_reason":null}]}"#
            + "\n\n"
        let client = ChatCompletionsDialect(envelope)
        let provider = ChatCompletionsDialect(envelope.naming("bench/bench-model"))
        return [
            (name: "GENERIC", reader: ChatReader.translator(.generic), event: generic),
            (name: "pass-through", reader: .passThrough(provider), event: openAI),
        ].flatMap { kind in
            [(1, false), (16, false), (1, true)].map { together, keepsText in
                let piece = ByteBuffer(string: String(repeating: kind.event, count: together))
                let name = "\(kind.name) event, \(together) at a time" + (keepsText ? ", text kept" : "")
                return Benchmark(name, count: 1600) { count in
                    let relay = kind.reader.relay(of: "bench", to: client, keepsText: keepsText)
                    for _ in 0..<count / together {
                        guard relay.take(piece) == nil else { throw Unexpected(what: "a failure in a stream") }
                        keep(relay.takeFrames())
                    }
                }
            }
        }
    }
}

/// The code under the benchmark has not done what was to be measured.
struct Unexpected: Error {
    let what: String
}
