import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// The document in which one process tells the next what it has learnt.
@Suite struct LearntMemoryTests {
    private static let wall: Int64 = 2_000_000_000

    private func memory() -> LearntMemory {
        var memory = LearntMemory(prices: "2026-11-29")
        memory.upstreams = [
            .init(
                id: "one \"quoted\"", mark: "abc",
                memory: UpstreamMemory(
                    rest: .init(left: .seconds(60), isThrottle: true, streak: 2),
                    models: ["m": .init(rest: .init(left: .seconds(5), isThrottle: false, streak: 1), limit: 7)]),
                refusedModels: ["a", "b"])
        ]
        memory.quirks = [QuirkMemory(model: "m", learntAt: Self.wall, parameters: [.otherTokenLimit])]
        return memory
    }

    @Test func `It is read as it was written, with the times that are left then`() {
        let memory = memory()
        let document = memory.document(at: Self.wall, savedAt: Self.wall)
        #expect(LearntMemory(document: document, at: Self.wall) == memory)
        let later = LearntMemory(document: document, at: Self.wall + 20)
        #expect(later?.upstreams[0].memory.rest?.left == .seconds(40))
        #expect(later?.upstreams[0].memory.models["m"] == .init(limit: 7))
        let tomorrow = LearntMemory(document: document, at: Self.wall + 86_401)
        #expect(tomorrow?.upstreams[0].memory.isEmpty == true && tomorrow?.upstreams[0].refusedModels == ["a", "b"])
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"version":2,"saved_at":1}"#, #"{"version":1}"#, "\u{0}\u{1}",
        #"{"version":1,"saved_at":-9223372036854775808}"#, #"{"version":1,"saved_at":-1}"#,
    ])
    func `What is not understood is nothing`(text: String) {
        #expect(LearntMemory(document: Array(text.utf8), at: Self.wall) == nil)
    }

    @Test(arguments: ["-9223372036854775808", "-9223372036854775807", "-1", "9223372036854775807", "0", "1e400"])
    func `Any number in it does no harm`(number: String) {
        let text = """
            {"version":1,"saved_at":\(number),"upstreams":[{"id":"y","mark":"m","rest_until":\(number),"streak":\(number),\
            "models":[{"id":"z","limit":\(number),"rest_until":\(number)}]}],"quirks":[{"model":"q","learnt_at":\(number),\
            "most_tokens":\(number),"system_place":\(number),"prefill_refused_until":\(number),"no_responses_until":{"a":\(number)}}]}
            """
        for bytes in [text, text.replacing(#""saved_at":\#(number)"#, with: #""saved_at":\#(Self.wall)"#)] {
            let memory = LearntMemory(document: Array(bytes.utf8), at: Self.wall)
            for upstream in memory?.upstreams ?? [] {
                var state = UpstreamState(maxConcurrency: 10, breaker: CircuitBreaker.Settings())
                state.restore(upstream.memory, at: .zero)
            }
            let quirks = ModelQuirks(wallClock: { Self.wall })
            quirks.restore(memory?.quirks ?? [], at: .zero)
            _ = quirks.memory(at: .zero)
        }
    }

    @Test func `Of what is half right the other half is taken`() {
        let text = """
            {"version":1,"saved_at":\(Self.wall),"prices":7,"upstreams":[1,{"id":"x"},{"id":"y","mark":"m","rest_until":"soon","models":\
            [null,{"id":"z","limit":"many"},{"id":"w","limit":3}],"refused_models":[1,"r"]}],"quirks":[{},7,{"model":"q","learnt_at":"x"}]}
            """
        let memory = LearntMemory(document: Array(text.utf8), at: Self.wall)
        #expect(
            memory?.upstreams == [
                .init(id: "y", mark: "m", memory: UpstreamMemory(models: ["w": .init(limit: 3)]), refusedModels: ["r"])
            ])
        #expect(memory?.quirks.isEmpty == true && memory?.prices == "")
    }

    @Test func `Any bytes in its place do no harm`() {
        let document = memory().document(at: Self.wall, savedAt: Self.wall)
        var random = SplitMix64(seed: 4)
        for _ in 0..<3000 {
            var changed = document
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = .random(in: 0x20...0x7E, using: &random)
            }
            let read = LearntMemory(document: changed, at: Self.wall)
            for upstream in read?.upstreams ?? [] {
                var state = UpstreamState(maxConcurrency: 10, breaker: CircuitBreaker.Settings())
                state.restore(upstream.memory, at: .zero)
                #expect(state.availability(at: .seconds(601)) == .available)
            }
        }
    }
}
