import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct FirstBytesTests {
    /// What pieces turn out to be, and where among all bytes a document begins.
    private func look(at pieces: [ArraySlice<UInt8>]) -> FirstBytes.Finding {
        var first = FirstBytes()
        var before = 0
        for piece in pieces {
            switch first.look(at: piece.span) {
            case .nothingYet: before += piece.count
            case .stream: return .stream
            case .document(let place): return .document(at: before + place)
            }
        }
        return .nothingYet
    }

    @Test(
        arguments: [
            ("", .nothingYet), (" \r\n\t", .nothingYet), (": {", .nothingYet), (": {\n\n", .nothingYet),
            ("data: {", .stream), (": a\ndata: {", .stream), ("event: x", .stream),
            ("<html>", .stream), ("[{", .stream), ("{", .document(at: 0)), ("\n {", .document(at: 2)),
            (": {\n\n: }\r\n{", .document(at: 10)), ("\u{FEFF}{", .document(at: 3)),
            ("\u{FEFF}data:", .stream),
        ] as [(String, FirstBytes.Finding)])
    func `The first that is no comment says it`(text: String, finding: FirstBytes.Finding) {
        let bytes = Array(text.utf8)
        #expect(look(at: [bytes[...]]) == finding && look(at: bytes.map { [$0][...] }) == finding)
        var random = SplitMix64(seed: 1)
        for _ in 0..<20 { #expect(look(at: Fuzz.pieces(of: bytes, lengths: 0...4, &random)) == finding) }
    }

    @Test func `A stream stays one`() {
        var first = FirstBytes()
        for text in ["data: x\n\n", "{"] {
            let finding = first.look(at: text.utf8.span)
            #expect(finding == .stream)
        }
    }
}
