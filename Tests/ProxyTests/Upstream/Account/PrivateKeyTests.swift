import COpenSSL
import Foundation
import ProxyTestSupport
import Testing

@testable import Proxy

@Suite struct PrivateKeyTests {
    private struct Identity: Decodable {
        var fingerprint: String
        var passphrase: String
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: .fixture("oci/signing/\(name)")))
    }

    private func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    private func identity() throws -> Identity {
        try JSONDecoder().decode(Identity.self, from: Data(contentsOf: .fixture("oci/signing/identity.json")))
    }

    /// Why a text is refused; nil when it is a key.
    private func refusal(_ text: String, _ passPhrase: String? = nil) -> PrivateKeyError? {
        do throws(PrivateKeyError) {
            _ = try PrivateKey(pem: Array(text.utf8), passPhrase: passPhrase.map { Secret($0) })
            return nil
        } catch {
            return error
        }
    }

    static let plain = [
        "test_key.pem", "test_key_pkcs8.pem", "test_key_pkcs1.pem", "test_key_label.pem", "test_key_label_pkcs1.pem",
    ]
    static let encrypted = [
        "test_key_encrypted_pkcs8.pem", "test_key_encrypted_pkcs8_label.pem", "test_key_encrypted_pkcs1.pem",
    ]

    @Test(arguments: plain) func `Plain keys are read with or without a pass phrase`(name: String) throws {
        let identity = try identity()
        for passPhrase in [nil, "", "not needed", identity.passphrase, String(repeating: "x", count: 5000)] {
            let key = try PrivateKey(pem: bytes(name), passPhrase: passPhrase.map { Secret($0) })
            #expect(key.fingerprint == identity.fingerprint)
            #expect(key.bits == 2048)
        }
    }

    @Test(arguments: encrypted) func `Encrypted keys want their pass phrase`(name: String) throws {
        let identity = try identity()
        let text = try text(name)
        #expect(
            try PrivateKey(pem: Array(text.utf8), passPhrase: Secret(identity.passphrase)).fingerprint
                == identity.fingerprint)
        #expect(refusal(text) == .encryptedWithoutPassPhrase)
        for wrong in [
            "", "wrong", identity.passphrase + " ", String(identity.passphrase.dropLast()), "\u{0}",
            String(repeating: "x", count: 5000),
        ] {
            #expect(refusal(text, wrong) == .wrongPassPhrase)
        }
    }

    /// One wrong passphrase in 256 gives good padding, and nonsense behind it.
    @Test func `A wrong pass phrase never passes for something else`() throws {
        let text = try text("test_key_encrypted_pkcs1.pem")
        for attempt in 0..<600 { #expect(refusal(text, "wrong \(attempt)") == .wrongPassPhrase) }
    }

    @Test func `Keys under triple DES are read`() throws {
        #expect(refusal(KeySamples.rsa1024TripleDES, "secret") == nil)
        #expect(refusal(KeySamples.rsa1024TripleDES, "Secret") == .wrongPassPhrase)
    }

    @Test(arguments: [false, true])
    func `An obsolete cipher is not taken for a wrong pass phrase`(inPKCS8: Bool) {
        let text = inPKCS8 ? KeySamples.rsa1024PBES1 : KeySamples.rsa1024DES
        #expect(refusal(text, "secret") == .obsoleteEncryption)
        #expect(refusal(text) == .encryptedWithoutPassPhrase)
        #expect(ERR_peek_error() == 0)
    }

    /// A text by a name, so that a test's report does not show the text.
    struct Sample: CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let error: PrivateKeyError

        init(_ name: String, _ text: String, _ error: PrivateKeyError) {
            testDescription = name
            self.text = text
            self.error = error
        }

        static let all = [
            Sample("nothing", "", .noPEM), Sample("words", "hello", .noPEM),
            Sample("half a line", "-----BEGIN ", .noPEM),
            Sample("no label", "-----BEGIN -----", .noPEM), Sample("lower case", "-----BEGIN rsa key-----", .noPEM),
            Sample("certificate", KeySamples.certificate, .certificateGiven),
            Sample("PKCS#1 public", KeySamples.rsa1024PublicPKCS1, .publicKeyGiven),
            Sample("elliptic", KeySamples.elliptic, .notRSA("EC")),
            Sample("elliptic with parameters", KeySamples.ellipticWithParameters, .notRSA("EC")),
            Sample("Ed25519", KeySamples.edwards, .notRSA("ED25519")),
            Sample("RSA-PSS", KeySamples.rsaForPSSOnly, .notRSA("RSA-PSS")),
            Sample("short", KeySamples.rsa512, .tooSmall(512)),
            Sample(
                "OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
                .openSSHFormat),
            Sample(
                "parameters", "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n",
                .otherPEM("DH PARAMETERS")),
            Sample("empty block", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", .damaged),
            Sample("zeros", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .damaged),
            Sample("no base64", "-----BEGIN PRIVATE KEY-----\n\u{FFFD}\n-----END PRIVATE KEY-----\n", .damaged),
        ]
    }

    @Test(arguments: Sample.all) func `What is no RSA private key says what it is`(sample: Sample) {
        #expect(refusal(sample.text) == sample.error)
        #expect(ERR_peek_error() == 0)
    }

    @Test func `A public key is named as such`() throws {
        #expect(refusal(try text("test_public.pem")) == .publicKeyGiven)
    }

    @Test func `A private key is found behind other blocks`() throws {
        let key = try text("test_key.pem")
        #expect(refusal(KeySamples.certificate + "\n" + key) == nil)
        #expect(refusal(try text("test_public.pem") + key) == nil)
    }

    enum ForeignForm: CaseIterable {
        case markAndCarriageReturns, blankLines, blanksAtLineEnds, indentation, oldLineEnds, oneLine, noLineEnd

        func apply(_ text: String) -> String {
            switch self {
            case .markAndCarriageReturns: "\u{FEFF}my key:\r\n" + text.replacing("\n", with: "\r\n") + "OCI_API_KEY\r\n"
            case .blankLines: text.replacing("\n", with: "\n\n")
            case .blanksAtLineEnds: text.replacing("\n", with: " \t\n")
            case .indentation: "   " + text.replacing("\n", with: "\n   ")
            case .oldLineEnds: text.replacing("\n", with: "\r")
            case .oneLine: text.replacing("\n", with: " ")
            case .noLineEnd: text.hasSuffix("\n") ? String(text.dropLast()) : text
            }
        }
    }

    @Test(arguments: ForeignForm.allCases) func `Foreign forms of a line do not matter`(form: ForeignForm) throws {
        let identity = try identity()
        #expect(refusal(form.apply(try text("test_key.pem"))) == nil)
        #expect(refusal(form.apply(try text("test_key_encrypted_pkcs8.pem")), identity.passphrase) == nil)
    }

    /// All but the single line, where headers cannot be told from what follows.
    @Test(arguments: ["\r\n", "\r", "\n  ", " \n"]) func `The headers of encrypted PKCS 1 survive foreign line ends`(
        end: String
    ) throws {
        let text = try text("test_key_encrypted_pkcs1.pem").replacing("\n", with: end)
        #expect(refusal(text, try identity().passphrase) == nil)
    }

    @Test(arguments: plain + encrypted) func `A file cut off anywhere is refused and never crashes`(name: String) throws
    {
        let whole = try bytes(name)
        let passPhrase = Secret(try identity().passphrase)
        let end = try #require(whole.firstRange(of: Array("-----END ".utf8)))
        let last = try #require(whole[end.upperBound...].firstRange(of: Array("-----".utf8))).upperBound
        for length in 0..<last {
            #expect(throws: PrivateKeyError.self) {
                try PrivateKey(pem: Array(whole.prefix(length)), passPhrase: passPhrase)
            }
        }
        #expect(throws: Never.self) { try PrivateKey(pem: Array(whole.prefix(last)), passPhrase: passPhrase) }
        #expect(ERR_peek_error() == 0)
    }

    /// The service would refuse each request without saying why.
    @Test(arguments: 0..<4) func `An altered key is refused or signs the same or has another fingerprint`(seed: UInt64)
        throws
    {
        var random = SplitMix64(seed: seed)
        let text = try text("test_key_pkcs1.pem")
        let reference = try PrivateKey(pem: Array(text.utf8), passPhrase: nil)
        let signature = try reference.sign([1, 2, 3])
        let lines = text.split(separator: "\n")
        let der = try #require(Data(base64Encoded: lines[1..<lines.count - 1].joined()))
        for _ in 0..<40 {
            var altered = der
            altered[Int.random(in: 0..<der.count, using: &random)] ^=
                UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            let pem = "-----BEGIN RSA PRIVATE KEY-----\n\(altered.base64EncodedString())\n-----END RSA PRIVATE KEY-----"
            guard let key = try? PrivateKey(pem: Array(pem.utf8), passPhrase: nil) else { continue }
            #expect(try key.fingerprint != reference.fingerprint || key.sign([1, 2, 3]) == signature)
        }
    }

    @Test(arguments: 0..<4) func `Noise is refused and never crashes`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let parts = [
            "-----BEGIN ", "PRIVATE KEY", "RSA ", "ENCRYPTED ", "-----", "-----END ", "\n", ":",
            "Proc-Type: 4,ENCRYPTED\n", "DEK-Info: X,", "MIIE", "=", "\u{0}",
        ]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0..<20, using: &random)).compactMap { _ in
                parts.randomElement(using: &random)
            }.joined()
            #expect(throws: PrivateKeyError.self) { try PrivateKey(pem: Array(text.utf8), passPhrase: Secret("p")) }
        }
        #expect(ERR_peek_error() == 0)
    }

    /// A BEGIN line without its closing dashes makes everything up to the END line look like a label.
    @Test(arguments: [
        "-----BEGIN PRIVATE KEY", "-----BEGIN PRIVATE KEY----", "-----BEGIN PRIVATE KEY -----MII", "-----BEGIN ",
    ])
    func `No error shows a byte of the key`(begin: String) throws {
        let text = try text("test_key.pem").replacing("-----BEGIN PRIVATE KEY-----", with: begin)
        let error = try #require(refusal(text))
        #expect(error.description.count < 300)
        let line = try #require(text.split(separator: "\n").dropFirst().first)
        #expect(!error.description.lowercased().contains(line.prefix(8).lowercased()))
    }

    @Test func `Each error has a sentence of its own and a mend`() {
        let errors: [PrivateKeyError] = [
            .noPEM, .publicKeyGiven, .certificateGiven, .otherPEM("X"), .openSSHFormat, .notRSA("EC"),
            .encryptedWithoutPassPhrase,
            .wrongPassPhrase, .obsoleteEncryption, .damaged, .tooSmall(512), .noFingerprint, .signingFailed,
        ]
        #expect(Set(errors.map(\.reason)).count == errors.count)
        #expect(errors.allSatisfy { !$0.fix.isEmpty && !$0.reason.contains(";") })
    }

    @Test func `Loading and signing leave no errors behind`() throws {
        for name in Self.plain + Self.encrypted + ["test_public.pem"] {
            for passPhrase in [nil, "wrong", try identity().passphrase] {
                ERR_new()
                let key = try? PrivateKey(pem: bytes(name), passPhrase: passPhrase.map { Secret($0) })
                #expect(ERR_peek_error() == 0)
                _ = try key?.sign([])
                #expect(ERR_peek_error() == 0)
            }
        }
    }
}
