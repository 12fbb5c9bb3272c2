@testable import Proxy

extension Benchmark {
    /// What reads and writes JSON: the document, the scan without one, and a request's translation.
    static func json() throws -> [Benchmark] {
        try [(name: "1 KB", turns: 1), (name: "64 KB", turns: 118)].flatMap { size in
            let body = conversation(turns: size.turns)
            let target = ChatTarget(
                serving: ServingMode(id: "xai.grok-4"), modelID: "xai.grok-4", defaultMaxTokens: 4000, isStreaming: true
            )
            let chat = try ChatRequest.parse(body)
            return [
                Benchmark("JSON document of \(size.name)", count: 200) {
                    for _ in 0..<$0 { keep(try JSONDocument(parsing: body)) }
                },
                Benchmark("JSON scan of \(size.name), model replaced", count: 200) {
                    for _ in 0..<$0 { keep(ModelMember.replace(in: body[...], with: "another")) }
                },
                Benchmark("request of \(size.name) read", count: 200) {
                    for _ in 0..<$0 { keep(try ChatRequest.parse(body)) }
                },
                Benchmark("request of \(size.name) to GENERIC", count: 200) {
                    for _ in 0..<$0 {
                        keep(
                            try GenericRequestWriter.translate(chat, for: target).document(
                                in: "ocid1.tenancy.oc1..bench"))
                    }
                },
            ]
        }
    }

    /// A chat request with about 0.6 KB a turn.
    private static func conversation(turns: Int) -> [UInt8] {
        let sentence =
            "Say in a few words why the sky is \\\"blue\\\", and give one example of another everyday effect. "
        let turn =
            #"{"role":"user","content":"\#(String(repeating: sentence, count: 4))"},{"role":"assistant","content":"\#(sentence)\n\u00e9"}"#
        let messages =
            Array(repeating: turn, count: turns).joined(separator: ",")
            + #",{"role":"user","content":"\#(sentence)\#(sentence)"}"#
        return Array(
            #"{"model":"grok-4","messages":[\#(messages)],"temperature":0.7,"max_tokens":512,"stream":true}"#.utf8)
    }
}
