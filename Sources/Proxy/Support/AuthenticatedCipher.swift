import COpenSSL

/// AES-256-GCM under a key that is drawn from a secret: whoever does not have it can neither read nor make what was sealed.
struct AuthenticatedCipher: Sendable {
    private let key: [UInt8]
    /// Stands for the secret, and does not tell it.
    let name: String

    private static let nonceLength = 12
    private static let tagLength = 16

    /// - Parameter purpose: one secret gives another key for each.
    init(secret: [UInt8], for purpose: StaticString) {
        var key = [UInt8](repeating: 0, count: 32)
        let input = Array(purpose.utf8) + [0] + secret
        // It reads what there is, and writes the 32 bytes that a SHA-256 has.
        let isDone = unsafe EVP_Digest(input, input.count, &key, nil, EVP_sha256(), nil) == 1
        if !isDone {
            ERR_clear_error()
            // Without a hash, each process has a key of its own.
            for index in key.indices { key[index] = .random(in: 0...255) }
        }
        self.key = key
        var name = [UInt8](repeating: 0, count: 32)
        let second = Array("name".utf8) + [0] + key
        let isNamed = unsafe EVP_Digest(second, second.count, &name, nil, EVP_sha256(), nil) == 1
        if !isNamed { for index in name.indices { name[index] = .random(in: 0...255) } }
        self.name = String(decoding: Base64.encode(name), as: UTF8.self)
    }

    /// - Returns: nonce, text and tag; nil only when libcrypto has no memory.
    func seal(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        guard let length = Int32(exactly: text.count) else { return nil }
        let text = Array(text)
        let nonce = (0..<Self.nonceLength).map { _ in UInt8.random(in: 0...255) }
        var sealed = [UInt8](repeating: 0, count: text.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        var written: Int32 = 0
        var rest: Int32 = 0
        // GCM writes as many bytes as it reads, and nothing at the end; key and nonce have the lengths that it wants.
        let isDone =
            unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_EncryptUpdate(context, &sealed, &written, text, length) == 1
            && EVP_EncryptFinal_ex(context, nil, &rest) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), &tag) == 1
        guard isDone else {
            ERR_clear_error()
            return nil
        }
        return nonce + sealed + tag
    }

    /// - Returns: nil for what was not sealed with this key, or has been changed.
    func open(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > Self.nonceLength + Self.tagLength else { return nil }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let nonce = Array(bytes.prefix(Self.nonceLength))
        var tag = Array(bytes.suffix(Self.tagLength))
        let sealed = Array(bytes.dropFirst(Self.nonceLength).dropLast(Self.tagLength))
        guard let length = Int32(exactly: sealed.count) else { return nil }
        var text = [UInt8](repeating: 0, count: sealed.count)
        var written: Int32 = 0
        var rest: Int32 = 0
        let isDone =
            unsafe EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
            && EVP_DecryptUpdate(context, &text, &written, sealed, length) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
            && EVP_DecryptFinal_ex(context, nil, &rest) == 1
        guard isDone else {
            ERR_clear_error()
            return nil
        }
        return text
    }
}
