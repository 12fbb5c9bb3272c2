import NIOCore
import ProxyTestSupport
import Testing

@testable import Proxy

/// Every line end that the standard of event streams knows.
@Suite struct LineEndTests {
    private static let events = ["a", "b", "c"].map {
        #"{"model":"m","choices":[{"index":0,"delta":{"content":"\#($0)"},"finish_reason":\#($0 == "c" ? "\"stop\"" : "null")}]}"#
    }
    private static let ociEvents = ["a", "b", "c"].map {
        #"{"index":0,"message":{"content":[{"type":"TEXT","text":"\#($0)"}]}\#($0 == "c" ? #","finishReason":"stop""# : "")}"#
    }

    private func pieces(_ events: [String], _ end: String, seed: UInt64) -> [ArraySlice<UInt8>] {
        let text = ([": hello" + end] + (events + ["[DONE]"]).map { "event: message\(end)data: \($0)\(end)\(end)" })
            .joined()
        var random = SplitMix64(seed: seed)
        return seed == 0
            ? [Array(text.utf8)[...]]
            : seed == 1
                ? Delivery.byteByByte.pieces(Array(text.utf8))
                : Fuzz.pieces(of: Array(text.utf8), lengths: 0...40, &random)
    }

    @Test(arguments: ["\n", "\r\n", "\r"], 0..<12)
    func `A provider's stream`(end: String, seed: UInt64) {
        let relay = PassThroughRelay(model: "m", upstream: "a")
        var output: [UInt8] = []
        for piece in pieces(Self.events, end, seed: seed) {
            #expect(relay.take(ByteBuffer(bytes: piece)) == nil)
            output += relay.takeFrames()
        }
        #expect(relay.end() == nil && relay.isComplete && relay.unreadableEvents == 0)
        output += relay.takeFrames()
        let shown = end == "\r" ? "\n" : end
        #expect(
            String(decoding: output, as: UTF8.self)
                == (Self.events + ["[DONE]"]).map { "event: message\(shown)data: \($0)\(shown)\(shown)" }.joined())
    }

    @Test(arguments: ["\n", "\r\n", "\r"], 0..<12)
    func `A stream of OCI`(end: String, seed: UInt64) throws {
        let run = try StreamRun(pieces(Self.ociEvents, end, seed: seed))
        let (chunks, done) = try run.chunks()
        #expect(done && run.error == nil && run.unreadable == 0)
        let text = chunks.compactMap {
            (($0["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object)?["content"] as? String
        }.joined()
        #expect(text == "abc")
    }

    /// A line may have so many bytes, however it ends and wherever it is cut; what ends with CRLF has one more.
    @Test(arguments: [("\r", 10), ("\n", 10), ("\r\n", 11)], [Delivery.byteByByte, .whole])
    func `The limit is of the line`(form: (end: String, limit: Int), delivery: Delivery) throws {
        for limit in [form.limit - 1, form.limit] {
            var parser = SSEParser(limit: limit)
            var events: [String] = []
            let read = {
                for piece in delivery.pieces(Array("data: abcd\(form.end)data: e\(form.end)".utf8)) {
                    parser.feed(piece)
                    while let event = try parser.next() { events.append(String(decoding: event, as: UTF8.self)) }
                }
            }
            if limit == form.limit { try read() } else { #expect(throws: SSEParser.LineTooLong.self) { try read() } }
            #expect(limit < form.limit ? events == [] : events.first == "abcd")
        }
    }

    /// An event goes on when its own end is there, not when the next one begins.
    @Test func `Nobody waits for the byte behind a return`() {
        let relay = PassThroughRelay(model: "m", upstream: "a")
        #expect(relay.take(ByteBuffer(string: "data: \(Self.events[0])\r\r")) == nil)
        #expect(!relay.takeFrames().isEmpty)
        #expect(relay.take(ByteBuffer(string: "data: \(Self.events[1])\r\r")) == nil)
        #expect(!relay.takeFrames().isEmpty)
    }
}
