import Foundation
import Testing

@testable import Proxy

@Suite struct TokenClaimsTests {
    @Test func `Reads expiry and tenancy`() {
        let token = CredentialSamples.jwt(
            #"{"exp":2000000000.7,"res_tenant":"ocid1.tenancy.oc1..t","other":{"exp":1}}"#)
        #expect(TokenClaims(of: token) == TokenClaims(expiry: 2_000_000_000, tenancy: "ocid1.tenancy.oc1..t"))
    }

    @Test(arguments: [
        "", "opaque", "a.b", "a.!.c", "e30.e30.e30", "a.bm90IGpzb24.c", CredentialSamples.jwt(#"{"exp":"soon"}"#),
        CredentialSamples.jwt(#"{"exp":1e300}"#),
    ])
    func `What is no JWT says nothing`(token: String) {
        #expect(TokenClaims(of: token) == TokenClaims())
    }

    @Test func `A token comes with or without its prefix and blanks`() throws {
        let key = try CredentialSamples.key.get()
        for text in ["abc", " abc\r\n", "ST$abc", "ST$abc\n"] {
            #expect(try SessionToken(text, key: key, source: "x").signer.keyID == "ST$abc")
        }
        for text in ["", " \n", "ST$", "a b", "a\"b", "a\nb", "ä"] {
            #expect(throws: CredentialFailure.self) { try SessionToken(text, key: key, source: "x") }
        }
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar", "\u{FF}\u{FE}?>~"])
    func `Base 64 is read in both alphabets`(text: String) {
        let encoded = Data(text.utf8).base64EncodedString()
        #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
        let url = encoded.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        #expect(Base64.decode(url.utf8) == Array(text.utf8))
        #expect(Base64.decode((encoded + "\n").utf8) == Array(text.utf8))
    }

    @Test(arguments: ["A", "AAAAA", "AA=A", "AAAA=", "AA===", "A*==", "é"])
    func `Broken base 64 is refused`(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func `Every array of bytes comes back`() {
        for length in 0..<64 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Data(bytes).base64EncodedString().utf8) == bytes)
        }
    }
}
