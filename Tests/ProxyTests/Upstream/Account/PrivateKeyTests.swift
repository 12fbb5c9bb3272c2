import Foundation
import Testing

@testable import Proxy

@Suite struct PrivateKeyTests {
    private struct Identity: Decodable {
        var fingerprint: String
        var passphrase: String
    }

    private func pem(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: .fixture("oci/signing/\(name)"))) }

    private func identity() throws -> Identity {
        try JSONDecoder().decode(Identity.self, from: Data(contentsOf: .fixture("oci/signing/identity.json")))
    }

    @Test(arguments: ["test_key.pem", "test_key_pkcs8.pem", "test_key_pkcs1.pem", "test_key_label.pem", "test_key_label_pkcs1.pem"])
    func plainKeysAreRead(name: String) throws {
        let key = try PrivateKey(pem: pem(name), passPhrase: nil)
        #expect(key.fingerprint == (try identity().fingerprint))
        #expect(key.bits == 2048)
        #expect(try PrivateKey(pem: pem(name), passPhrase: Secret("not needed")).fingerprint == key.fingerprint)
    }

    @Test(arguments: ["test_key_encrypted_pkcs8.pem", "test_key_encrypted_pkcs8_label.pem", "test_key_encrypted_pkcs1.pem"])
    func encryptedKeysWantTheirPassPhrase(name: String) throws {
        let identity = try identity()
        #expect(try PrivateKey(pem: pem(name), passPhrase: Secret(identity.passphrase)).fingerprint == identity.fingerprint)
        #expect(throws: PrivateKeyError.encryptedWithoutPassPhrase) { try PrivateKey(pem: pem(name), passPhrase: nil) }
        #expect(throws: PrivateKeyError.wrongPassPhrase) { try PrivateKey(pem: pem(name), passPhrase: Secret("wrong")) }
        #expect(throws: PrivateKeyError.wrongPassPhrase) { try PrivateKey(pem: pem(name), passPhrase: Secret("")) }
        #expect(throws: PrivateKeyError.wrongPassPhrase) { try PrivateKey(pem: pem(name), passPhrase: Secret(String(repeating: "x", count: 5000))) }
    }

    @Test func whatIsNoPrivateKeySaysWhatItIs() throws {
        #expect(throws: PrivateKeyError.noPEM) { try PrivateKey(pem: [], passPhrase: nil) }
        #expect(throws: PrivateKeyError.noPEM) { try PrivateKey(pem: Array("hello".utf8), passPhrase: nil) }
        #expect(throws: PrivateKeyError.notPrivate("PUBLIC KEY")) { try PrivateKey(pem: pem("test_public.pem"), passPhrase: nil) }
        #expect(throws: PrivateKeyError.damaged) {
            try PrivateKey(pem: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8), passPhrase: nil)
        }
    }

    @Test func aKeyOfAnotherKindIsNamed() throws {
        // prime256v1, made for this test.
        let elliptic = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
            OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
            1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
            -----END PRIVATE KEY-----
            """
        #expect(throws: PrivateKeyError.notRSA) { try PrivateKey(pem: Array(elliptic.utf8), passPhrase: nil) }
    }

    @Test func aCutOffFileNeverPassesAndNeverCrashes() throws {
        let whole = try pem("test_key_pkcs1.pem")
        for length in stride(from: 0, to: whole.count - 30, by: 7) {
            #expect(throws: PrivateKeyError.self) { try PrivateKey(pem: Array(whole.prefix(length)), passPhrase: nil) }
        }
    }

    @Test func textAroundTheBlockAndForeignLineEndsDoNotMatter() throws {
        let text = String(decoding: try pem("test_key.pem"), as: UTF8.self)
        let odd = "\u{FEFF}my key:\r\n" + text.replacing("\n", with: "\r\n") + "\r\nOCI_API_KEY\r\n"
        #expect(try PrivateKey(pem: Array(odd.utf8), passPhrase: nil).bits == 2048)
    }
}
