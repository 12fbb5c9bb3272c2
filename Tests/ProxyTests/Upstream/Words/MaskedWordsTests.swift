import ProxyTestSupport
import Testing

@testable import Proxy

@Suite("What may be a credential is masked in an upstream's words")
struct MaskedWordsTests {
    @Test(arguments: [
        ("Incorrect API key provided: sk-abc12345. Find it at", "Incorrect API key provided: *** Find it at"),
        ("key ****wxyz is wrong", "key *** is wrong"),
        ("credentials of compartment", "credentials of compartment"),
        ("a1b2c3d short", "a1b2c3d short"),
        ("abcdefgh9", "***"),
        ("", ""),
        ("schlüssel12345678é", "schlü***é"),
    ])
    func `Long words with a digit or a star become stars`(_ said: String, _ shown: String) {
        #expect(MaskedWords.withoutKeys(said) == shown)
    }

    @Test(arguments: [
        ("keyId=\"ST$eyJ.a-b_c.sig\" is bad", "keyId=\"ST$***\" is bad"),
        ("ST$ costs 5 ST$", "ST$ costs 5 ST$"),
        ("ST$ST$abc", "ST$***$abc"),
        ("ST$a ST$b", "ST$*** ST$***"),
    ])
    func `A session token becomes stars`(_ said: String, _ shown: String) {
        #expect(MaskedWords.withoutTokens(said) == shown)
    }

    @Test(arguments: [
        ("the key secret-key is bad", "the key *** is bad"), ("secret-keysecret-key", "******"),
        ("secret-ke", "secret-ke"), ("secret-key\u{301}", "***\u{301}"),
        ("é\u{200D}secret-key\u{200D}", "é\u{200D}***\u{200D}"),
    ])
    func `A secret becomes stars, whatever marks stand around it`(_ said: String, _ shown: String) {
        let masked = MaskedWords.without("secret-key", said)
        #expect(Array(masked.utf8) == Array(shown.utf8))
    }

    @Test func `Of random texts it masks what the expressions say`() {
        var dice = SplitMix64(seed: 7)
        let letters = Array("abST$19*.-_ /Z".unicodeScalars)
        for _ in 0..<2_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...60, using: &dice) {
                text.unicodeScalars.append(letters.randomElement(using: &dice)!)
            }
            let withoutKeys = text.replacing(#/[A-Za-z0-9_*.\-]{8,}/#) { found in
                found.output.contains { $0.isNumber || $0 == "*" } ? "***" : String(found.output)
            }
            #expect(MaskedWords.withoutKeys(text) == withoutKeys)
            let withoutTokens = text.replacing(#/ST\$[A-Za-z0-9_*.\-]+/#) { _ in "ST$***" }
            #expect(MaskedWords.withoutTokens(text) == withoutTokens)
        }
    }
}
