import COpenSSL

/// An RSA private key, read once from its PEM file and shared by all requests of an account.
///
/// `@unchecked Sendable`, since the only state is a pointer that never changes, and OpenSSL 3 lets threads share what it
/// points to: after loading nobody sets anything on the `EVP_PKEY`, its reference count is atomic, and what signing touches
/// inside (blinding values, provider caches) OpenSSL locks itself. Each signature has an `EVP_MD_CTX` of its own, a copy of one that is
/// made ready once and then only read: the `in` of `EVP_MD_CTX_copy_ex` is const, and what both share is counted by atomics.
@safe final class PrivateKey: @unchecked Sendable {
    private let key: OpaquePointer
    /// Ready to sign, and never used for it: finding algorithm and provider takes longer than copying what was found. Nil when it could not
    /// be made.
    private let template: OpaquePointer?

    /// Length of the modulus.
    let bits: Int
    /// MD5 of the DER SubjectPublicKeyInfo, lower-case hex pairs with colons: OCI's name for an API key (OCI wire notes 1.4).
    let fingerprint: String

    /// Reads PKCS#8 or PKCS#1, encrypted or not (OCI wire notes 1.5). A passphrase that is not needed does no harm.
    ///
    /// - Throws: one case for each way in which the text cannot serve. OpenSSL's error queue is empty afterwards.
    convenience init(pem: [UInt8], passPhrase: Secret?) throws(PrivateKeyError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        unsafe try self.init(owning: try Self.read(Self.privateKeyBlock(in: pem), passPhrase))
    }

    /// Takes over a key of OpenSSL's, which is freed when it does not serve.
    init(owning key: OpaquePointer) throws(PrivateKeyError) {
        do {
            (bits, fingerprint) = unsafe try Self.examine(key)
        } catch {
            unsafe EVP_PKEY_free(key)
            throw error
        }
        unsafe self.key = key
        unsafe template = Self.contextForSigning(with: key)
        ERR_clear_error()
    }

    deinit {
        unsafe EVP_MD_CTX_free(template)
        unsafe EVP_PKEY_free(key)
    }

    /// The public half as the services that issue tokens want it: base64 of the DER SubjectPublicKeyInfo, in one line.
    var publicKey: String {
        unsafe Self.withPublicKey(of: key) { Digest.base64($0) } ?? ""
    }

    /// Lends the DER SubjectPublicKeyInfo.
    private static func withPublicKey<Value>(of key: OpaquePointer, _ body: (Span<UInt8>) -> Value?) -> Value? {
        var der: UnsafeMutablePointer<UInt8>?
        let length = unsafe i2d_PUBKEY(key, &der)
        guard length > 0, let der = unsafe der else { return nil }
        defer { unsafe CRYPTO_free(der, nil, 0) }
        // OpenSSL has allocated and written so many.
        return unsafe body(Span(_unsafeStart: der, count: Int(length)))
    }

    /// RSA-SHA256 with PKCS#1 v1.5 padding over `message`. Deterministic. Takes 0.2 ms of CPU or more: never call it on an
    /// event loop or inside an actor.
    ///
    /// - Throws: `PrivateKeyError.signingFailed`.
    func sign(_ message: [UInt8]) throws(PrivateKeyError) -> [UInt8] {
        guard let context = unsafe copyOfTemplate() ?? Self.contextForSigning(with: key) else {
            ERR_clear_error()
            throw .signingFailed
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard let signature = unsafe Self.sign(message, key, context) else {
            ERR_clear_error()
            throw .signingFailed
        }
        return signature
    }

    private func copyOfTemplate() -> OpaquePointer? {
        guard let template = unsafe template, let context = unsafe EVP_MD_CTX_new() else { return nil }
        guard unsafe EVP_MD_CTX_copy_ex(context, template) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
            return nil
        }
        return unsafe context
    }

    private static func contextForSigning(with key: OpaquePointer) -> OpaquePointer? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    private static func sign(_ message: [UInt8], _ key: OpaquePointer, _ context: OpaquePointer) -> [UInt8]? {
        let capacity = unsafe Int(EVP_PKEY_get_size(key))
        var succeeded = false
        let signature = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var length = capacity
            // It writes `capacity` bytes at most, the size of the key's signatures, and says how many.
            succeeded = unsafe EVP_DigestSign(context, buffer.baseAddress, &length, message, message.count) == 1
            count = succeeded ? length : 0
        }
        return succeeded ? signature : nil
    }
}

// MARK: - Reading

extension PrivateKey {
    private static func privateKeyBlock(in pem: [UInt8]) throws(PrivateKeyError) -> [UInt8] {
        guard let block = PEMBlock.find(in: pem) else { throw .noPEM }
        switch block.label {
        case "PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY": break
        case "PUBLIC KEY", "RSA PUBLIC KEY": throw .publicKeyGiven
        case "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE": throw .certificateGiven
        case "OPENSSH PRIVATE KEY": throw .openSSHFormat
        case "EC PRIVATE KEY", "DSA PRIVATE KEY": throw .notRSA(String(block.label.prefix { $0 != " " }))
        default: throw .otherPEM(block.label)
        }
        guard let text = block.text else { throw .damaged }
        return text
    }

    private static func read(_ block: [UInt8], _ passPhrase: Secret?) throws(PrivateKeyError) -> OpaquePointer {
        let question = PassPhraseQuestion(answer: passPhrase.map { Array($0.reveal().utf8) })
        let key = unsafe withExtendedLifetime(question) {
            unsafe MemoryBIO.read(block) { source -> OpaquePointer? in
                // The callback is always given, else OpenSSL would ask on the terminal.
                unsafe PEM_read_bio_PrivateKey(
                    source, nil, answerPassPhraseQuestion, Unmanaged.passUnretained(question).toOpaque())
            }
        }
        if let key = unsafe key { return unsafe key }
        guard question.wasAsked else { throw .damaged }
        if passPhrase == nil { throw .encryptedWithoutPassPhrase }
        // A wrong passphrase shows in many ways (bad padding, or by chance good padding and then nonsense), so all that
        // happens after the question counts as one, but for a cipher that OpenSSL does not know.
        throw wasAlgorithmMissing() ? .obsoleteEncryption : .wrongPassPhrase
    }

    /// Whether OpenSSL's error queue says that an algorithm could not be fetched. Empties the queue.
    private static func wasAlgorithmMissing() -> Bool {
        // ERR_R_UNSUPPORTED with its flag for common reasons, of the library that fetches. The macro is not importable.
        let unsupported: (library: UInt, reason: UInt) = (6, 0x8010C)
        var isMissing = false
        while true {
            let code = ERR_get_error()
            if code == 0 { return isMissing }
            if UInt(code) >> 23 & 0xFF == unsupported.library, UInt(code) & 0x7F_FFFF == unsupported.reason {
                isMissing = true
            }
        }
    }

    private static func examine(_ key: OpaquePointer) throws(PrivateKeyError) -> (bits: Int, fingerprint: String) {
        guard unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            throw unsafe .notRSA(EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown")
        }
        let bits = unsafe Int(EVP_PKEY_get_bits(key))
        guard bits >= 1024 else { throw .tooSmall(bits) }
        guard unsafe signsAndVerifies(key) else { throw .damaged }
        guard let digest = unsafe withPublicKey(of: key, { Optional(Digest.md5Pairs($0)) }) else { throw .damaged }
        guard let fingerprint = digest else { throw .noFingerprint }
        return (bits, fingerprint)
    }

    /// An altered key file may still parse; then the service would refuse each signature without saying why.
    private static func signsAndVerifies(_ key: OpaquePointer) -> Bool {
        let message = Array("trial".utf8)
        guard let signing = unsafe contextForSigning(with: key) else { return false }
        defer { unsafe EVP_MD_CTX_free(signing) }
        guard let signature = unsafe sign(message, key, signing), let context = unsafe EVP_MD_CTX_new() else {
            return false
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        return unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

/// What OpenSSL asks while it reads an encrypted key, and what it is told.
private final class PassPhraseQuestion {
    let answer: [UInt8]?
    var wasAsked = false

    init(answer: [UInt8]?) { self.answer = answer }
}

private let answerPassPhraseQuestion:
    @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
        buffer, size, _, context in
        guard let buffer = unsafe buffer, let context = unsafe context else { return -1 }
        let question = unsafe Unmanaged<PassPhraseQuestion>.fromOpaque(context).takeUnretainedValue()
        question.wasAsked = true
        // One that does not fit cannot be the right one: OpenSSL would not have encrypted with it either.
        guard let answer = question.answer, let count = Int32(exactly: answer.count), count <= size else { return -1 }
        unsafe UnsafeMutableRawBufferPointer(start: buffer, count: Int(size)).copyBytes(from: answer)
        return count
    }
