import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy
@testable import ProxyRouting

/// Damaged documents of an upstream: whatever arrives, the process lives and what leaves it is well formed.
@Suite struct MutatedAnswerTests {
    private func damage(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: index)
            case 2:
                bytes.insert(
                    contentsOf: ["null", "-9e18", "9223372036854775807", "\"\"", "[]", "{}", ","].randomElement(
                        using: &random)?.utf8 ?? "".utf8, at: index)
            default: bytes.removeSubrange(index..<min(index + 20, bytes.count))
            }
        }
        return bytes
    }

    /// Digits become huge or negative numbers while the document stays whole, which random damage hardly ever does.
    private func exaggerate(_ text: String, _ random: inout SplitMix64) -> String {
        text.replacing(#/(?<mark>:)\s*-?\d+/#) { match in
            ":"
                + ([
                    "-9223372036854775808", "9223372036854775807", "1e308", "-1", "0.5",
                    String(match.output.0.dropFirst()),
                ].randomElement(using: &random) ?? "0")
        }
    }

    @Test(arguments: Golden.cases("oci/chat", "resp_generic"), Fuzz.seeds(12))
    func `A damaged answer is an answer or an error`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let whole = try JSONSerialization.data(withJSONObject: try #require(golden.object["oci_response"]))
        let body =
            seed % 2 == 0
            ? damage(Array(whole), &random) : Array(exaggerate(String(decoding: whole, as: UTF8.self), &random).utf8)
        let envelope = ChunkEnvelope(id: "chatcmpl-x", created: 1_700_000_000, model: "m")
        do throws(Failure) {
            let answer = try Dialect.generic.answer(body, in: envelope)
            #expect(throws: Never.self) { try Golden.parse(answer.body) }
        } catch {
            #expect((502...504).contains(error.status))
        }
        do throws(Failure) {
            var run: StreamRun? = try? StreamRun([])
            run?.frames = try Dialect.generic.frames(of: body, in: envelope, includesUsage: true).frames
            #expect(throws: Never.self) {
                let (chunks, done) = try #require(run).chunks()
                #expect(done)
                try ChunkRules.check(chunks, done: done)
            }
        } catch {
            #expect((502...504).contains(error.status))
        }
    }

    @Test(arguments: Golden.cases("oci/errors"), Fuzz.seeds(12))
    func `A damaged error is still an error in four fields`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let upstream = try #require(golden.object["upstream"] as? Golden.Object)
        let body = damage(Array(try #require(upstream["body"] as? String).utf8), &random)
        let error = OCIErrorReader.translate(
            status: try #require(upstream["status"] as? Int),
            retryAfter: [nil, 0, 7].randomElement(using: &random) ?? nil,
            body: body, account: "a")
        let found = try #require((try Golden.parse(error.body) as? Golden.Object)?["error"] as? Golden.Object)
        #expect(Set(found.keys) == ["message", "type", "param", "code"])
        #expect((found["message"] as? String)?.isEmpty == false && (400...599).contains(error.status))
    }

    @Test(arguments: Golden.cases("oci/chat", "stream_generic"), Fuzz.seeds(6))
    func `Numbers beyond all measure do no harm`(golden: Golden.Case, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let text = exaggerate(golden.object["oci_sse"] as? String ?? "", &random)
        let (chunks, done) = try StreamRun([Array(text.utf8)[...]]).chunks()
        try ChunkRules.check(chunks, done: done)
    }
}
