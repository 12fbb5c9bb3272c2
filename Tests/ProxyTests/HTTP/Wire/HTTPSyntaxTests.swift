import Testing

@testable import Proxy

@Suite("Texts in a head") struct HTTPSyntaxTests {
    private static let words = [
        "host", "Host", "date", "Date", "accept", "Accept", "user-agent", "User-Agent", "connection", "Connection",
        "content-type", "Content-Type",
        "authorization", "Authorization", "content-length", "Content-Length", "application/json", "text/event-stream",
        "transfer-encoding",
        "Transfer-Encoding", "/v1/chat/completions",
    ]

    private func read(_ text: [UInt8], behind before: Int, ahead after: Int) -> String {
        let bytes = [UInt8](repeating: 0x41, count: before) + text + [UInt8](repeating: 0x42, count: after)
        return bytes.span.string(before..<before + text.count)
    }

    @Test(arguments: words)
    func `A usual word is read as it stands, wherever that is`(_ word: String) {
        for place in 0..<9 { #expect(read(Array(word.utf8), behind: place, ahead: 8 - place) == word) }
    }

    /// In the last place as in the first: the words are compared in pieces.
    @Test(arguments: words)
    func `What differs from one in a single byte is not taken for it`(_ word: String) {
        for index in 0..<word.utf8.count {
            for change in [0x20, 0x01] as [UInt8] {
                var text = Array(word.utf8)
                text[index] ^= change
                #expect(read(text, behind: 3, ahead: 0) == String(decoding: text, as: UTF8.self))
            }
        }
    }

    @Test(
        arguments: ["", "x", "x-request-id", "Größe", "日本語", "application/jsoN", "a text that is longer than those"])
    func `Other texts are read as UTF-8`(_ text: String) {
        #expect(read(Array(text.utf8), behind: 2, ahead: 2) == text)
    }

    @Test func `Bytes that are none become replacement characters`() {
        #expect(read([0x61, 0xFF, 0x62, 0x63], behind: 1, ahead: 1) == "a\u{FFFD}bc")
    }

    @Test func `A text that the bytes end before does not stand there`() {
        let bytes = Array("Transfer-Encoding".utf8)
        func stands(_ text: StaticString, at place: Int) -> Bool { bytes.span.stands(text, at: place) }
        #expect(stands("Transfer-Encoding", at: 0))
        #expect(!stands("Transfer-Encoding", at: 1))
        #expect(stands("Encoding", at: 9))
        #expect(!stands("Encodings", at: 9))
        #expect(stands("", at: 17))
        #expect(!stands("", at: 18) && !stands("", at: -1) && !stands("T", at: -1) && !stands("g", at: .max))
    }
}
