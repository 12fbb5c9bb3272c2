import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct SplicedTextTests {
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `Is the same as one that copies`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let source = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var (text, wanted): (SplicedText, [UInt8]) = (SplicedText(Array("{".utf8)), Array("{".utf8))
        for _ in 0..<Int.random(in: 0..<20, using: &random) {
            let start = Int.random(in: 0..<source.count, using: &random)
            let end = min(source.count, start + Int.random(in: 0..<(2 * SplicedText.shortestSplice), using: &random))
            if Bool.random(using: &random) {
                text.splice(source[start..<end])
            } else {
                text.append(contentsOf: source[start..<end])
            }
            wanted += source[start..<end]
        }
        #expect(text.bytes == wanted)
        #expect(text.count == wanted.count)
        let other = text.replacingFirst(1, with: Array("[longer".utf8))
        #expect(other.bytes == Array("[longer".utf8) + wanted.dropFirst())
        #expect(other.count == wanted.count + 6)
    }

    /// A request whose strings stay where they are against one whose strings are read and written.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `A string that stays where it is means the same`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let letters = ["a", "word ", "é", "語", "😀", #"\n"#, #"\""#, #"\\"#, #"\u00e9"#, #"\ud83d\ude00"#, #"\/"#]
        let contents = (0..<10).map { _ in
            (0..<Int.random(in: 0..<300, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
                .joined()
        }
        let messages = contents.map { #"{"role":"user","content":"\#($0)"}"# }.joined(separator: ",")
        let chat = try ChatRequest.parse(Array(#"{"model":"m","messages":[\#(messages)]}"#.utf8))
        let target = ChatTarget(
            serving: .onDemand(modelID: "m"), modelID: "m", family: .of("m"), defaultMaxTokens: 100, isStreaming: false)
        let document = try JSONDocument(
            parsing: GenericRequestWriter.translate(chat, for: target).document(in: "c").bytes
        ).root
        let sent = try #require(document["chatRequest"]).elements(of: "messages").map {
            $0.elements(of: "content").first?["text"]?.string
        }
        #expect(sent == contents.map { JSONString.decode(Array($0.utf8)[...]) })
    }
}
