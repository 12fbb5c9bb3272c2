import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

/// Events that are read at a glance against the same read in full.
@Suite struct GenericFastPathTests {
    private static let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: "m")

    private static func data(of sse: String) -> [[UInt8]] {
        sse.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data:") }.map {
            Array($0.dropFirst(5).drop { $0 == " " }.utf8)
        }
    }

    /// The events of all recorded streams.
    private static let streams: [[[UInt8]]] = Golden.cases("oci/chat", "stream_generic").compactMap {
        ($0.object["oci_sse"] as? String).map(data)
    }

    private func glance(_ text: String) -> GenericFastPath? {
        GenericFastPath(text.utf8.span)
    }

    /// Gives the events to both, one by one.
    private func expectSame(_ events: [[UInt8]], _ comment: @autoclosure () -> Comment) {
        var quick = ChunkStream(envelope: Self.envelope, includesUsage: true)
        var full = ChunkStream(envelope: Self.envelope, includesUsage: true, readsFastPath: false)
        for (number, event) in events.enumerated() {
            var (quickFrames, fullFrames): ([UInt8], [UInt8]) = ([], [])
            // A slice that does not begin at 0, as the parser gives them.
            let slice = ([0x20, 0x20] + event)[2...]
            let quickStep = quick.translate(slice, into: &quickFrames)
            #expect(
                quickStep == full.translate(event[...], into: &fullFrames),
                "event \(number): \(String(decoding: event, as: UTF8.self)), \(comment())")
            #expect(
                quickFrames == fullFrames, "event \(number): \(String(decoding: event, as: UTF8.self)), \(comment())")
            #expect(quick.usage == full.usage && quick.unreadableEvents == full.unreadableEvents, comment())
        }
        var (quickFrames, fullFrames): ([UInt8], [UInt8]) = ([], [])
        #expect(quick.end(into: &quickFrames) == full.end(into: &fullFrames), comment())
        #expect(quickFrames == fullFrames, comment())
    }

    @Test func `Finds the texts of common events`() {
        let text = #"{"index":1,"message":{"role":"ASSISTANT","content":[{"type":"TEXT","text":"a\nb"}]},"pad":"aa"}"#
        let found = glance(text)
        #expect(found?.choice == 1 && found?.reasoning == nil)
        #expect(found?.text.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) } == #"a\nb"#)
        #expect(
            glance(#"{"message":{"role":"ASSISTANT","reasoningContent":"x","content":[{"type":"TEXT","text":""}]}}"#)?
                .reasoning?.count == 1)
        #expect(glance(#"{"index":0,"message":{"role":"ASSISTANT"}}"#) != nil)
    }

    @Test(arguments: [
        "[DONE]", "{", "{}", "[]", #"{"index":0}"#, #"{"message":"no"}"#, #"{"message":{},"message":{}}"#,
        #"{"message":{},"finishReason":"stop"}"#,
        #"{"message":{},"usage":null}"#, #"{"message":{"toolCalls":[]}}"#, #"{"message":{"refusal":"x"}}"#,
        #"{"index":-1,"message":{}}"#,
        #"{"index":null,"message":{}}"#, #"{"mess\u0061ge":{}}"#,
        #"{"message":{"content":[{"text":"a"},{"text":"b"}]}}"#,
        #"{"message":{"content":[{"text":"a","text":"b"}]}}"#, #"{"message":{"content":"a"}}"#,
        #"{"message":{"content":[{"text":"a"}]}}}"#,
    ])
    func `Leaves the rest to a full reading`(text: String) {
        #expect(glance(text) == nil)
    }

    @Test func `Recorded streams have events of both kinds`() {
        let events = Array(Self.streams.joined())
        let common = events.count { GenericFastPath($0.span) != nil }
        #expect(common > 20 && common < events.count, "\(common) of \(events.count)")
    }

    @Test func `Recorded streams read alike`() {
        for (number, stream) in Self.streams.enumerated() { expectSame(stream, "stream \(number)") }
    }

    @Test(arguments: Fuzz.seeds(40)) func `Damaged streams read alike`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let pieces =
            Fuzz.json + [
                #""message":{}"#, #","index":1"#, #","text":"x""#, #""content":[]"#, #","finishReason":"stop""#,
                #""reasoningContent":"r","#, #""toolCalls":null,"#,
                #""refusal":"no","#, #"{"type":"TEXT","text":"y"},"#, #""usage":{"promptTokens":1},"#, #""error":"e","#,
            ]
        for _ in 0..<8 {
            let stream = try #require(Self.streams.randomElement(using: &random))
            expectSame(
                stream.map {
                    Int.random(in: 0..<3, using: &random) == 0 ? Fuzz.damage($0, with: pieces, upTo: 2, &random) : $0
                },
                "seed \(seed)")
        }
    }

    @Test(arguments: Fuzz.seeds(20)) func `Events made of known members read alike`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let roots = [
            #""index":0"#, #""index":1"#, #""index":12"#, #""index":1.0"#, #""index":"1""#, #""pad":"aaaa""#,
            #""finishReason":null"#, #""finishReason":"""#,
            #""code":"500""#, #""error":null"#, #""other":{"text":"z"}"#, #""logprobs":null"#, #""m\u0065ssage":{}"#,
        ]
        let members = [
            #""role":"ASSISTANT""#, #""content":[{"type":"TEXT","text":"a"}]"#,
            #""content":[{"type":"TEXT","text":""}]"#, #""content":[]"#, #""content":null"#,
            #""content":["a"]"#, #""content":[{"t\u0065xt":"b"}]"#, #""content":[{"text":7}]"#,
            #""content":[{"text":"c"},{"text":"d"}]"#, #""reasoningContent":"r""#,
            #""reasoningContent":null"#, #""reasoningContent":"""#, #""refusal":null"#, #""refusal":"no""#,
            #""toolCalls":null"#,
            #""toolCalls":[{"id":"1","name":"f","arguments":"{}"}]"#, #""name":"x""#,
        ]
        for _ in 0..<150 {
            let events = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                let message = (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in
                    members.randomElement(using: &random)
                }.joined(separator: ",")
                let others = (0..<Int.random(in: 0...3, using: &random)).compactMap { _ in
                    roots.randomElement(using: &random)
                }
                return Array(
                    ("{" + (others + ["\"message\":{\(message)}"]).shuffled(using: &random).joined(separator: ",") + "}")
                        .utf8)
            }
            expectSame(events, "seed \(seed)")
        }
    }
}
