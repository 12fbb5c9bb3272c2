import Logging
import NIOCore
import Testing

@testable import Proxy
@testable import ProxyRouting

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

    @Test func `Each is noticed`() {
        #expect(oddities(Self.text + Self.stop + Self.done).isEmpty)
        #expect(oddities(Self.stop + Self.text + Self.done) == [.goesOn])
        #expect(oddities(Self.text + Self.stop) == [.noEnd])
        #expect(oddities(Self.text + "data: {broken\n\n" + Self.stop + Self.done) == [.unreadableEvents])
        #expect(oddities(Self.text + "data: {\"error\":{\"message\":\"no\"}}\n\n") == [.lateError])
        #expect(
            oddities(
                Self.event(#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}"#) + Self.stop
                    + Self.done) == [.calls])
    }

    @Test func `Whole answers have some too`() throws {
        let answer = #"{"model":"old","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}"#
        for name in ["data", "result", "response"] {
            let read = try PassThroughResponse.read(
                Array(#"{"code":0,"msg":"ok","\#(name)":\#(answer)}"#.utf8), model: "new", upstream: "a")
            #expect(
                read.oddities.each == [.wrapped]
                    && String(decoding: read.body, as: UTF8.self) == answer.replacing("old", with: "new"))
        }
        #expect(try PassThroughResponse.read(Array(answer.utf8), model: "new", upstream: "a").oddities.isEmpty)
    }

    /// A stream is counted as one of its own where it stands for a document, with what else is odd in it.
    @Test func `A gathered answer has those of its stream`() throws {
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        let reader = ChatReader.passThrough(model: "m")
        let body = Array((Self.stop + Self.text).utf8)
        #expect(throws: Failure.self) { try reader.answer(body, of: "a", in: envelope) }
        let whole = try reader.answer(Array((Self.stop + Self.text + Self.stop).utf8), of: "a", in: envelope)
        #expect(whole.oddities.each == [.goesOn, .otherKind, .noEnd])
        #expect(
            try reader.frames(
                of: Array((Self.text + Self.stop + Self.done).utf8), of: "a", in: envelope, includesUsage: true
            ).oddities.each == [.otherKind])
    }

    private static let errors = [
        #"{"error":{"message":"no"}}"#, #"{"code":"500","message":"no"}"#, #"{"error":{"message":"slow","code":429}}"#,
    ]

    /// What is an error under a status of success is one of the upstream's; an answer that cannot be read is not.
    @Test(
        arguments: errors.map { ($0, true) } + [("{}", false), ("nonsense", false), (#"{"choices":[]}"#, false)],
        [false, true])
    func `An error as an answer is counted`(form: (body: String, isError: Bool), isOfOCI: Bool) async {
        let chat = try? ChatRequest.parse(Array(#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#.utf8))
        let reader = isOfOCI ? chat.map { ChatReader.translator(Dialect(.generic, for: $0)) } : .passThrough(model: "m")
        let envelope = ChunkEnvelope(id: "x", created: 1, model: "m")
        for asStream in [false, true] {
            let report = AttemptReport()
            let error = await #expect(throws: Failure.self) {
                try await report.reading(form.body.utf8.count) {
                    if asStream {
                        _ = try reader?.frames(of: Array(form.body.utf8), of: "a", in: envelope, includesUsage: false)
                    } else {
                        _ = try reader?.answer(Array(form.body.utf8), of: "a", in: envelope)
                    }
                }
            }
            #expect(
                error?.isUnderSuccess == form.isError
                    && report.content.oddities.each == (form.isError ? [.errorAsAnswer] : []))
        }
    }

    /// Whatever is asked for: chats in both ways, at OCI, through the whole door.
    @Test(arguments: [false, true])
    func `The door counts them`(streams: Bool) async throws {
        let transport = FakeTransport(body: #"{"code":"400","message":"no such thing"}"#)
        let door = try FrontDoor.fixture(transport)
        let answer = try await door.answer(
            toChat: #"{"model":"llama-3.3-70b","stream":\#(streams),"messages":[{"role":"user","content":"x"}]}"#)
        #expect(answer.status == 400)
        let metrics = try await door.text(at: "/metrics")
        for oddity in Oddity.allCases {
            let count = oddity == .errorAsAnswer ? 1 : 0
            #expect(
                metrics.contains(
                    "ociai_upstream_oddities_total{upstream=\"default\",kind=\"\(oddity.name)\"} \(count)\n"),
                "\(metrics)")
        }
    }

    @Test func `They are said once`() async throws {
        let book = LogBook()
        let router = try Router.fixture(accounts: 2, logger: book.logger)
        for (place, kinds) in [(0, [Oddity.calls]), (0, [.calls, .noEnd]), (1, [.calls]), (0, [.noEnd]), (0, [])] {
            let permit = try await router.admit(
                RouteRequest(
                    ticket: router.ticket(), terms: .init(accepts: UpstreamSet([place])), deadline: .seconds(300))
            ).get()
            var ending = AttemptEnding(.succeeded)
            for kind in kinds { ending.oddities.insert(kind) }
            await router.end(permit, ending)
        }
        let lines = book.lines.filter { $0.message.contains("deviates from its API") }
        #expect(
            lines.map { "\($0.metadata["account"] ?? "") \($0.metadata["kind"] ?? "")" }
                == ["default tool_calls_unclear", "default no_done", "account_2 tool_calls_unclear"])
        #expect(lines.allSatisfy { $0.level == .warning && $0.message.contains("ociai_upstream_oddities_total") })
    }

    @Test func `They are counted`() {
        var statistics = UpstreamStatistics()
        for oddity in Oddity.allCases { #expect(statistics.count(of: oddity) == 0) }
        var ending = AttemptEnding(.succeeded)
        ending.oddities = [Oddities(.calls), Oddities(.noEnd)]
        for _ in 0..<3 { statistics.end(ending, at: .zero, took: .zero) }
        #expect(
            statistics.count(of: .calls) == 3 && statistics.count(of: .noEnd) == 3
                && statistics.count(of: .wrapped) == 0)
        #expect(Set(Oddity.allCases.map(\.name)).count == Oddity.allCases.count)
    }
}
