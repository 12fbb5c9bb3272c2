import NIOCore
import Testing

@testable import Proxy

/// Operators are told what an upstream says oddly.
@Suite struct OddityTests {
    private func oddities(_ stream: String) -> [Oddity] {
        let relay = PassThroughRelay(model: "m", upstream: "a")
        _ = relay.take(ByteBuffer(string: stream)) ?? relay.end()
        return relay.oddities.each
    }

    private static func event(_ delta: String, _ reason: String = "null") -> String {
        "data: {\"choices\":[{\"index\":0,\"delta\":\(delta),\"finish_reason\":\(reason)}]}\n\n"
    }

    private static let text = event(#"{"content":"a"}"#)
    private static let stop = event("{}", "\"stop\"")
    private static let done = "data: [DONE]\n\n"

    @Test func eachIsNoticed() {
        #expect(oddities(Self.text + Self.stop + Self.done).isEmpty)
        #expect(oddities(Self.stop + Self.text + Self.done) == [.goesOn])
        #expect(oddities(Self.text + Self.stop) == [.noEnd])
        #expect(oddities(Self.text + "data: {broken\n\n" + Self.stop + Self.done) == [.unreadableEvents])
        #expect(oddities(Self.text + "data: {\"error\":{\"message\":\"no\"}}\n\n") == [.lateError])
        #expect(oddities(Self.event(#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}"#) + Self.stop + Self.done) == [.calls])
    }

    @Test func wholeAnswersHaveSomeToo() throws {
        let answer = #"{"model":"old","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}"#
        for name in ["data", "result", "response"] {
            let read = try PassThroughAnswer.read(Array(#"{"code":0,"msg":"ok","\#(name)":\#(answer)}"#.utf8), model: "new", upstream: "a")
            #expect(read.oddities.each == [.wrapped] && String(decoding: read.body, as: UTF8.self) == answer.replacing("old", with: "new"))
        }
        #expect(try PassThroughAnswer.read(Array(answer.utf8), model: "new", upstream: "a").oddities.isEmpty)
    }

    @Test func theyAreCounted() {
        var statistics = UpstreamStatistics()
        for oddity in Oddity.allCases { #expect(statistics.count(of: oddity) == 0) }
        var ending = AttemptEnding(.succeeded)
        ending.oddities = [Oddities(.calls), Oddities(.noEnd)]
        for _ in 0..<3 { statistics.end(ending, at: .zero, took: .zero) }
        #expect(statistics.count(of: .calls) == 3 && statistics.count(of: .noEnd) == 3 && statistics.count(of: .wrapped) == 0)
        #expect(Set(Oddity.allCases.map(\.name)).count == Oddity.allCases.count)
    }
}
