import COpenSSL

/// An RSA private key, read once from its PEM file and shared by all requests of an account.
///
/// `@unchecked Sendable`: the only state is the `EVP_PKEY` pointer, which never changes. OpenSSL 3 keys are immutable once
/// decoded and safe to use from several threads (their reference counts and caches are atomic or locked); each signature
/// uses a context of its own.
final class PrivateKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// Length of the modulus.
    let bits: Int
    /// MD5 of the DER SubjectPublicKeyInfo, lower-case hex pairs joined by colons: OCI's name for an API key.
    let fingerprint: String

    /// Reads a PEM text: PKCS#8 or PKCS#1, encrypted or not. What stands before and after the PEM block is ignored, such
    /// as the label `OCI_API_KEY` that Oracle's console adds. A passphrase that turns out not to be needed does no harm.
    ///
    /// - Throws: `PrivateKeyError`, one case for each way in which the text cannot serve.
    init(pem: [UInt8], passPhrase: Secret?) throws(PrivateKeyError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let block = try Self.privateKeyBlock(in: pem)
        let question = PassPhraseQuestion(answer: passPhrase.map { Array($0.reveal().utf8) })
        guard let key = Self.read(block, question) else {
            if question.wasAsked {
                throw passPhrase == nil ? .encryptedWithoutPassPhrase : .wrongPassPhrase
            }
            throw .damaged
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(key)
            throw .notRSA
        }
        guard let fingerprint = Self.fingerprint(of: key) else {
            EVP_PKEY_free(key)
            throw .damaged
        }
        self.key = key
        self.fingerprint = fingerprint
        bits = Int(EVP_PKEY_get_bits(key))
    }

    deinit { EVP_PKEY_free(key) }

    /// RSA-SHA256 with PKCS#1 v1.5 padding over `message`. Takes 0.2 to 0.8 ms of CPU for 2048 bits: never call it on an
    /// event loop or inside an actor.
    ///
    /// - Throws: `PrivateKeyError.signingFailed`.
    func sign(_ message: [UInt8]) throws(PrivateKeyError) -> [UInt8] {
        defer { ERR_clear_error() }
        guard let context = EVP_MD_CTX_new() else { throw .signingFailed }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { throw .signingFailed }
        var length = Int(EVP_PKEY_get_size(key))
        var signature = [UInt8](repeating: 0, count: length)
        let status = signature.withUnsafeMutableBufferPointer { signature in
            message.withUnsafeBufferPointer { message in
                EVP_DigestSign(context, signature.baseAddress, &length, message.baseAddress, message.count)
            }
        }
        guard status == 1 else { throw .signingFailed }
        signature.removeLast(signature.count - length)
        return signature
    }

    // MARK: Reading

    /// From the first `-----BEGIN ... PRIVATE KEY-----` to its end.
    private static func privateKeyBlock(in pem: [UInt8]) throws(PrivateKeyError) -> ArraySlice<UInt8> {
        let text = pem[...]
        guard let begin = text.firstRange(of: Array("-----BEGIN ".utf8)) else { throw .noPEM }
        guard let nameEnd = text[begin.upperBound...].firstRange(of: Array("-----".utf8)) else { throw .damaged }
        let name = String(decoding: text[begin.upperBound..<nameEnd.lowerBound], as: UTF8.self)
        guard name.hasSuffix("PRIVATE KEY") else { throw .notPrivate(name) }
        guard let end = text[nameEnd.upperBound...].firstRange(of: Array("-----END \(name)-----".utf8)) else { throw .damaged }
        return text[begin.lowerBound..<end.upperBound]
    }

    private static func read(_ block: ArraySlice<UInt8>, _ question: PassPhraseQuestion) -> OpaquePointer? {
        // A line end after the END line: some versions of OpenSSL want one.
        let text = Array(block) + [UInt8(ascii: "\n")]
        return text.withUnsafeBytes { bytes in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(source) }
            // The callback is always given, else OpenSSL would ask on the terminal.
            return PEM_read_bio_PrivateKey(source, nil, passPhraseCallback, Unmanaged.passUnretained(question).toOpaque())
        }
    }

    private static func fingerprint(of key: OpaquePointer) -> String? {
        var der: UnsafeMutablePointer<UInt8>?
        let length = i2d_PUBKEY(key, &der)
        guard length > 0, let der else { return nil }
        defer { CRYPTO_free(der, #file, #line) }
        var digest = [UInt8](repeating: 0, count: 16)
        guard EVP_Digest(der, Int(length), &digest, nil, EVP_md5(), nil) == 1 else { return nil }
        return digest.map { byte in
            let hex = String(byte, radix: 16)
            return hex.count == 1 ? "0" + hex : hex
        }.joined(separator: ":")
    }
}

/// What OpenSSL asks while it reads an encrypted key, and what it is told.
private final class PassPhraseQuestion {
    let answer: [UInt8]?
    var wasAsked = false

    init(answer: [UInt8]?) { self.answer = answer }
}

private let passPhraseCallback: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
    buffer, size, _, context in
    guard let buffer, let context else { return -1 }
    let question = Unmanaged<PassPhraseQuestion>.fromOpaque(context).takeUnretainedValue()
    question.wasAsked = true
    guard let answer = question.answer, answer.count <= Int(size) else { return -1 }
    answer.withUnsafeBytes { UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer), byteCount: $0.count) }
    return Int32(answer.count)
}

/// Why a text is no key that requests can be signed with. Each case is a sentence of what is wrong and how to mend it.
enum PrivateKeyError: Error, Equatable, CustomStringConvertible {
    case noPEM
    /// The PEM block is something else; its name.
    case notPrivate(String)
    case notRSA
    case encryptedWithoutPassPhrase
    case wrongPassPhrase
    case damaged
    case signingFailed

    var description: String {
        switch self {
        case .noPEM: "it holds no PEM text; name the private key file that belongs to the API key (it begins with -----BEGIN PRIVATE KEY-----)"
        case .notPrivate(let name): "it holds a \(name.lowercased()), not a private key; name the private key file of the pair"
        case .notRSA: "it holds a private key that is not RSA; OCI API keys are RSA keys: make one with 'openssl genrsa -out key.pem 2048' and upload its public key"
        case .encryptedWithoutPassPhrase: "it is encrypted and no passphrase is given; set pass_phrase"
        case .wrongPassPhrase: "its passphrase is wrong; correct pass_phrase"
        case .damaged: "it holds a PEM private key that cannot be read; it is cut off or damaged, so copy it anew"
        case .signingFailed: "signing with it failed"
        }
    }
}
